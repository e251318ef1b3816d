"""Consents in the store: a refusal holds from when it is received, a consent only where it is newer than what is there.

The time of a row never goes back, so that neither a clock that jumps nor a message that comes late undoes a refusal.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from tactful.features.timestamps import microseconds
from tactful.serving.store.ingest.session import Row, Session, in_order
from tactful.serving.store.port import Consent, Profile

_NEWER = "excluded.time > consents.time"
_CONFLICT = f"""ON CONFLICT (tenant, customer, channel, purpose) DO UPDATE SET allowed = excluded.allowed,
time = CASE WHEN {_NEWER} THEN excluded.time ELSE consents.time END WHERE {_NEWER}"""  # nosec B608 # our own words
_KEEP = f"INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?) {_CONFLICT} OR NOT excluded.allowed"  # noqa: S608 # nosec B608 # our own words
_MERGE = f"""INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?) {_CONFLICT}
OR (excluded.time = consents.time AND consents.allowed)"""  # noqa: S608 # nosec B608
_WITHDRAW = """
UPDATE consents SET allowed = ?, time = CASE WHEN time < ? THEN ? ELSE time END
WHERE tenant = ? AND customer = ? AND channel = ?"""
_STORED = "SELECT customer, channel, purpose, allowed, time FROM consents WHERE tenant = ? AND customer = ANY(?)"
MOVE = f"""
INSERT INTO consents SELECT tenant, ?, channel, purpose, allowed, time FROM consents
WHERE tenant = ? AND customer = ? {_CONFLICT}
OR (excluded.time = consents.time AND consents.allowed)"""  # noqa: S608 # nosec B608
"""Merges one customer's consents into another's: the newest holds, of equally old ones the refusal."""


def keep_consents(session: Session, profiles: Sequence[tuple[Profile, int]]) -> None:
    """Keep consents and refusals in the order in which they were received.

    Args:
        session: The transaction.
        profiles: Profiles under their customers' own ids, each with its moment in microseconds since the epoch.
    """
    rows: list[Row] = []
    for profile, time in profiles:
        rows += _rows(session.tenant, profile, time)
        if profile.withdrawn:
            session.write(_KEEP, rows)
            rows = []
            withdrawn = sorted(profile.withdrawn)
            session.write(
                _WITHDRAW, [(False, time, time, session.tenant, profile.customer, channel) for channel in withdrawn]
            )
    session.write(_KEEP, rows)


def merge_consents(session: Session, customer: str, consents: Iterable[tuple[str, str, bool, int]]) -> None:
    """Merge another customer's consents into a customer's, as `MOVE` does.

    Args:
        session: The transaction.
        customer: Into whose.
        consents: Channel, purpose, whether it is allowed, and as of when in microseconds since the epoch.
    """
    session.write(_MERGE, [(session.tenant, customer, *consent) for consent in consents])


def newer_refusals(session: Session, profiles: Sequence[tuple[Profile, int]]) -> list[tuple[Profile, int]]:
    """The refusals among profiles that are newer than what is stored of the same channel and purpose.

    Of a refusal and a consent of the same moment, the refusal is newer.
    """
    customers = in_order(profile.customer for profile, _ in profiles)
    stored: dict[str, dict[Consent, int]] = {name: {} for name in customers}
    for customer, channel, purpose, allowed, time in session.select(_STORED, session.tenant, list(customers)):
        stored[customer][channel, purpose] = time - bool(allowed)
    found = []
    for profile, time in profiles:
        known = stored[profile.customer]
        named = {one for one, allowed in profile.consents.items() if not allowed}
        named |= {one for one in known if one[0] in profile.withdrawn}
        refused = {one: False for one in sorted(named) if known.get(one, time - 1) < time}
        if refused:
            found.append((Profile(profile.customer, consents=refused), time))
    return found


def load_consents(session: Session, profiles: Sequence[Profile], asserted: datetime) -> None:
    """Keep the consents of a history, and the refusals in it where they are newer than what is known.

    Args:
        session: The transaction.
        profiles: The profiles.
        asserted: The moment that their consents are as of.
    """
    time = microseconds(asserted)
    keep_consents(session, [(profile, time) for profile in profiles if profile.consents or profile.withdrawn])
    refusals = [
        (Profile(profile.customer, consents={consent: False}), microseconds(moment))
        for profile in profiles
        for consent, moment in profile.refusals.items()
    ]
    if refusals:
        keep_consents(session, newer_refusals(session, refusals))


def _rows(tenant: str, profile: Profile, time: int) -> Iterator[Row]:
    return (
        (tenant, profile.customer, channel, purpose, allowed, time)
        for (channel, purpose), allowed in profile.consents.items()
    )
