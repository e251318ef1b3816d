"""Profiles of customers who were merged, as a log of changes: whose each one is, so that a merge can be undone.

The first change of a customer is the profile from before the first merge. A later one is what a message under one of
the ids said, or another customer who was merged. A profile without some id is made by applying the rest again.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from tactful.features.timestamps import microseconds
from tactful.serving.store.ingest.consents import keep_consents, merge_consents
from tactful.serving.store.ingest.session import Row, Session
from tactful.serving.store.port import Profile
from tactful.serving.store.rows import merged

_PROFILES = "SELECT customer, zone, joined, attributes FROM customers WHERE tenant = ? AND customer = ANY(?)"
_CONSENTS = "SELECT channel, purpose, allowed, time FROM consents WHERE tenant = ? AND customer = ?"
_FORGET_CONSENTS = "DELETE FROM consents WHERE tenant = ? AND customer = ?"
_LAST = """
SELECT customer, number, sent, content FROM profile_changes latest WHERE tenant = ? AND customer = ANY(?)
AND number = (SELECT max(number) FROM profile_changes WHERE tenant = latest.tenant AND customer = latest.customer)"""
_CHANGES = "SELECT sent, content FROM profile_changes WHERE tenant = ? AND customer = ? ORDER BY number"
_KEEP = "INSERT INTO profile_changes VALUES (?, ?, ?, ?, ?)"
_FORGET = "DELETE FROM profile_changes WHERE tenant = ? AND customer = ?"

MOST_ATTRIBUTES = 500
"""Attributes that are kept of a customer."""
LARGEST_ATTRIBUTES = 64 * 1024
"""Bytes of all of a customer's attributes as JSON."""
LARGEST_VALUE = 4 * 1024
"""Bytes of one attribute at most, with its name: 500 characters, six bytes each at worst."""

ConsentValue = tuple[str, str, bool, int]
"""Channel, purpose, whether it is allowed, and as of when in microseconds since the epoch."""


@dataclass(slots=True)
class StoredProfile:
    """The profile of one customer, apart from consents.

    Args:
        zone: The customer's own IANA zone, or None.
        joined: When the customer became known, microseconds since the epoch, or None.
        attributes: Profile values.
    """

    zone: str | None = None
    joined: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def add(self, zone: str | None, joined: int | None, attributes: Mapping[str, Any]) -> None:
        """Newer attributes and a newer zone hold; of two moments of joining, the first."""
        self.zone = zone or self.zone
        self.joined = min((moment for moment in (self.joined, joined) if moment is not None), default=None)
        self.attributes = _bounded(merged(self.attributes, attributes), self.attributes)

    def row(self) -> Row:
        """Zone, joined and attributes as `customers` holds them."""
        return self.zone, self.joined, json.dumps(self.attributes, sort_keys=True)


def _bounded(attributes: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes, without new ones where there are too many or where they are too large."""
    few = len(attributes) * LARGEST_VALUE <= LARGEST_ATTRIBUTES
    if few or (len(attributes) <= MOST_ATTRIBUTES and len(json.dumps(attributes)) <= LARGEST_ATTRIBUTES):
        return attributes
    return {name: value for name, value in attributes.items() if name in before}


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """The content of one message about a customer, or the other customer who was merged.

    Args:
        zone: IANA zone, or None.
        joined: When the customer became known, microseconds since the epoch, or None.
        attributes: Profile values; None takes one away.
        consents: Consents and refusals.
        withdrawn: Channels on which every consent was withdrawn.
        time: The moment of what was withdrawn, microseconds since the epoch.
        merged: The id of a customer who was merged, with all changes of that customer's own; empty for none.
    """

    zone: str | None = None
    joined: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: Sequence[ConsentValue] = ()
    withdrawn: Sequence[str] = ()
    time: int = 0
    merged: str = ""

    @property
    def refusal(self) -> Self | None:
        """The refusals of it alone; None where there are none."""
        refused = tuple(one for one in self.consents if not one[2])
        if not refused and not self.withdrawn:
            return None
        return type(self)(consents=refused, withdrawn=self.withdrawn, time=self.time)

    def as_json(self) -> str:
        """The change as `profile_changes` holds it."""
        return json.dumps({name: value for name, value in asdict(self).items() if value}, sort_keys=True)

    @classmethod
    def from_json(cls, content: str) -> Self:
        """The inverse of `as_json`."""
        found = json.loads(content)
        return cls(**{**found, "consents": tuple(map(tuple, found.get("consents", ())))})

    @classmethod
    def of(cls, profile: Profile, time: int, first: int | None = None) -> Self:
        """The change that a profile makes.

        Args:
            profile: The profile.
            time: The moment of its consents, microseconds since the epoch.
            first: When its customer became known at the latest, or None.
        """
        joined = None if profile.joined is None else microseconds(profile.joined)
        return cls(
            zone=profile.zone,
            joined=min((moment for moment in (joined, first) if moment is not None), default=None),
            attributes=profile.attributes,
            consents=tuple((channel, purpose, yes, time) for (channel, purpose), yes in profile.consents.items()),
            withdrawn=tuple(sorted(profile.withdrawn)),
            time=time if profile.withdrawn else 0,
        )

    def consent_profiles(self, customer: str) -> Iterator[tuple[Profile, int]]:
        """The consents and withdrawals as a message about a customer would bring them, in their order."""
        for channel, purpose, allowed, time in self.consents:
            yield Profile(customer, consents={(channel, purpose): bool(allowed)}), time
        if self.withdrawn:
            yield Profile(customer, withdrawn=frozenset(self.withdrawn)), self.time


class SentChange(NamedTuple):
    """A change, and the id that it was sent under."""

    sent: str
    change: ProfileChange


def keep_changes(session: Session, changes: Sequence[tuple[str, SentChange]]) -> None:
    """Add changes, in their order, to the logs of those customers who have one; a message that only repeats adds none.

    Args:
        session: The transaction, which has locked the customers.
        changes: Customers, each with a change.
    """
    if not changes:
        return
    customers = list({customer for customer, _ in changes})
    latest = {
        who: (number, sent, content) for who, number, sent, content in session.select(_LAST, session.tenant, customers)
    }
    rows = []
    for customer, (sent, change) in changes:
        if customer not in latest:
            continue
        number, content = latest[customer][0] + 1, change.as_json()
        if latest[customer][1:] != (sent, content):
            rows.append((session.tenant, customer, number, sent, content))
            latest[customer] = (number, sent, content)
    session.write(_KEEP, rows)


def loaded_changes(
    profiles: Sequence[Profile], erased: Collection[str], identities: Mapping[str, str], asserted: datetime
) -> list[tuple[str, SentChange]]:
    """The changes of profiles that are loaded, each with its customer."""
    time = microseconds(asserted)
    return [
        (identities.get(one.customer, one.customer), SentChange(one.customer, ProfileChange.of(one, time)))
        for one in profiles
        if one.customer not in erased
    ]


def begin_log(session: Session, customers: Sequence[str]) -> None:
    """Begin the logs of those customers who have none, with their present profiles."""
    begun = {customer for customer, *_ in session.select(_LAST, session.tenant, list(customers))}
    fresh = [customer for customer in customers if customer not in begun]
    for customer, zone, joined, attributes in session.select(_PROFILES, session.tenant, fresh) if fresh else ():
        consents = tuple(consents_of(session, customer))
        first = ProfileChange(zone, joined, json.loads(attributes), consents)
        session.write(_KEEP, [(session.tenant, customer, 0, customer, first.as_json())])


def changes_of(session: Session, customer: str) -> list[SentChange]:
    """The log of a customer, oldest first."""
    found = session.pairs(_CHANGES, session.tenant, customer)
    return [SentChange(sent, ProfileChange.from_json(content)) for sent, content in found]


def replace_log(session: Session, customer: str, changes: Sequence[SentChange]) -> None:
    """Put another log in the place of a customer's."""
    session.write(_FORGET, [(session.tenant, customer)])
    rows = [(session.tenant, customer, number, sent, change.as_json()) for number, (sent, change) in enumerate(changes)]
    session.write(_KEEP, rows)


def end_log(session: Session, customer: str) -> None:
    """Forget the log of a customer into whom nobody is merged any more."""
    if not any(change.merged for _, change in changes_of(session, customer)):
        session.write(_FORGET, [(session.tenant, customer)])


def profile_of(session: Session, customer: str) -> StoredProfile:
    """The profile that a customer's log gives."""
    made = StoredProfile()
    for _, change in changes_of(session, customer):
        if change.merged:
            other = profile_of(session, change.merged)
            other.add(made.zone, made.joined, made.attributes)
            made = other
        made.add(change.zone, change.joined, change.attributes)
    return made


def remade_consents(session: Session, customer: str, scratch: str) -> list[ConsentValue]:
    """The consents that a customer's log gives.

    Args:
        session: The transaction.
        customer: The customer of the log.
        scratch: A customer under whom they are made and left, in place of what is there.
    """
    changes = changes_of(session, customer)
    others = {one.merged: remade_consents(session, one.merged, scratch) for _, one in changes if one.merged}
    session.write(_FORGET_CONSENTS, [(session.tenant, scratch)])
    for _, change in changes:
        merge_consents(session, scratch, others.get(change.merged, ()))
        keep_consents(session, list(change.consent_profiles(scratch)))
    return consents_of(session, scratch)


def consents_of(session: Session, customer: str) -> list[ConsentValue]:
    """The consents of a customer as they are stored."""
    found = session.select(_CONSENTS, session.tenant, customer)
    return sorted((channel, purpose, bool(allowed), time) for channel, purpose, allowed, time in found)
