"""One customer merged into another who is the same person: when that is allowed, and what an undoing needs."""

import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from tactful.serving.store.ingest.consents import MOVE as MOVE_CONSENTS
from tactful.serving.store.ingest.profiles import ProfileChange, SentChange, begin_log, keep_changes
from tactful.serving.store.ingest.session import Row, Session
from tactful.serving.store.port import Arrival, Receipt

HOUR = 3_600_000_000
"""Microseconds in which at most so many ids become one customer."""

_USERS = "SELECT customer FROM customers WHERE tenant = ? AND customer = ANY(?) AND is_user"
_SEPARATED = "SELECT alias FROM merges WHERE tenant = ? AND alias = ANY(?) AND undone IS NOT NULL"
_RECENT = "SELECT customer, alias FROM merges WHERE tenant = ? AND customer = ANY(?) AND time > ?"

_FORMER = "SELECT version, is_user FROM customers WHERE tenant = ? AND customer = ?"
_EXPOSURES = "SELECT experiment, arm, decision, time FROM exposures WHERE tenant = ? AND customer = ?"
_CONTACT = "id, status, time, expires, channel, programme, message, tags, opening, counts"
_TWICE = f"""
SELECT {_CONTACT} FROM ledger WHERE tenant = ? AND customer = ?
AND id IN (SELECT id FROM ledger WHERE tenant = ? AND customer = ?)"""  # noqa: S608 # nosec B608 # our own columns
_NOTE_ORIGINS = tuple(
    f"""
    INSERT INTO origins SELECT tenant, '{kind}', id, customer FROM {table} WHERE tenant = ? AND customer = ?
    AND NOT EXISTS (SELECT 1 FROM origins WHERE origins.tenant = {table}.tenant AND kind = '{kind}'
    AND origins.id = {table}.id)"""  # noqa: S608 # nosec B608 # our own tables
    for kind, table in (("event", "events"), ("contact", "ledger"))
)
_MOVES = (
    "UPDATE events SET customer = ? WHERE tenant = ? AND customer = ?",
    "UPDATE ledger SET customer = ? WHERE tenant = ? AND customer = ?",
    MOVE_CONSENTS,
    """
    INSERT INTO exposures SELECT tenant, experiment, ?, arm, decision, time
    FROM exposures WHERE tenant = ? AND customer = ? ON CONFLICT DO NOTHING""",
    "UPDATE outcomes SET customer = ? WHERE tenant = ? AND customer = ?",
    "UPDATE identities SET customer = ? WHERE tenant = ? AND customer = ?",
)
_FORGET_CONTACT = "DELETE FROM ledger WHERE tenant = ? AND customer = ? AND id = ?"
_LEAVE = tuple(
    f"DELETE FROM {table} WHERE tenant = ? AND customer = ?"  # noqa: S608 # nosec B608 # our own tables
    for table in ("consents", "exposures", "customers")
)
_KEEP_IDENTITY = "INSERT INTO identities VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP_MERGE = "INSERT INTO merges VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"
_KEEP_ORIGIN = "INSERT INTO origins VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Merge:
    """A customer who is to be merged.

    Args:
        alias: The id that becomes another id of the customer.
        customer: The customer.
        caller: Id of the key that said so; empty where there is none.
        of_users: Whether the alias is a user's id, or one whose merge was undone: an operator's action.
    """

    alias: str
    customer: str
    caller: str = ""
    of_users: bool = False


@dataclass(slots=True)
class MergePolicy:
    """Which merges are allowed.

    An anonymous id is merged once, into the first user it was tied to: on a device that several people use, the second
    to log in does not become one with the first. A user, or an id whose merge was undone, is merged only by a sender
    who may merge users. No customer takes in more than a number of ids an hour, with whatever scope.

    Args:
        users: Ids that are users'; grows with what messages say.
        separated: Ids whose merge was undone.
        recent: How many ids became each customer within the last hour; grows with the merges that are allowed.
        most: How many may.
    """

    users: set[str]
    separated: Collection[str]
    recent: Counter[str]
    most: int

    def of_users(self, alias: str) -> bool:
        """Whether the merge of an id wants a sender who may merge users."""
        return alias in self.users or alias in self.separated

    def refusal(self, arrival: Arrival, alias: str, customer: str) -> Receipt | None:
        """Why a merge is refused, as the receipt of its message; None where it is allowed."""
        if self.of_users(alias) and not arrival.merges_users:
            return Receipt.NOT_MERGED
        return Receipt.MERGE_LIMIT if self.recent[customer] >= self.most else None


def policy(
    session: Session, arrivals: Iterable[Arrival], identities: dict[str, str], now: int, most: int
) -> MergePolicy:
    """The policy for the merges of a batch, whose customers are locked."""
    tied = [(arrival.alias, arrival.customer) for arrival in arrivals if arrival.alias]
    aliases = [alias for alias, _ in tied if alias not in identities]
    if not aliases:
        return MergePolicy(set(), (), Counter(), most)
    customers = list({identities.get(customer, customer) for _, customer in tied})
    recent = session.pairs(_RECENT, session.tenant, customers, now - HOUR)
    return MergePolicy(
        {user for (user,) in session.select(_USERS, session.tenant, aliases)},
        {alias for (alias,) in session.select(_SEPARATED, session.tenant, aliases)},
        Counter(customer for customer, _ in recent),
        most,
    )


def find_merges(
    arrivals: Sequence[Arrival], identities: dict[str, str], allowed: MergePolicy
) -> tuple[list[Merge], dict[int, Receipt]]:
    """The merges that messages ask for, one after another, and those that are refused by the places of their messages.

    Args:
        arrivals: Messages that did not come before.
        identities: The customers of the known aliases; moves with the merges.
        allowed: The policy.

    Example:
        >>> said = [("ada", "device 1"), ("eve", "device 1"), ("ada", "device 2"), ("eve", "ada")]
        >>> arrivals = [Arrival(str(n), who, alias=alias, is_user=True) for n, (who, alias) in enumerate(said)]
        >>> merges, refused = find_merges(arrivals, {}, MergePolicy(set(), (), Counter(), most=20))
        >>> [(merge.alias, merge.customer) for merge in merges]
        [('device 1', 'ada'), ('device 2', 'ada')]
        >>> {place: receipt.name for place, receipt in refused.items()}
        {3: 'NOT_MERGED'}
    """
    found: list[Merge] = []
    refused: dict[int, Receipt] = {}
    for place, arrival in enumerate(arrivals):
        customer, alias = identities.get(arrival.customer, arrival.customer), arrival.alias
        if arrival.is_user:
            allowed.users.add(arrival.customer)
        if alias is None or alias == customer or alias in identities:
            continue
        if refusal := allowed.refusal(arrival, alias, customer):
            refused[place] = refusal
            continue
        allowed.recent[customer] += 1
        identities.update({name: customer for name, known_as in identities.items() if known_as == alias})
        identities[alias] = customer
        found.append(Merge(alias, customer, arrival.caller, allowed.of_users(alias)))
    return found, refused


def merge(session: Session, one: Merge, since: int) -> None:
    """Move everything of an alias to the customer, both locked; decisions stay as they were made.

    Args:
        session: The transaction.
        one: The merge.
        since: When that became known, microseconds since the epoch.
    """
    tenant, alias, customer = session.tenant, one.alias, one.customer
    begin_log(session, (alias, customer))
    keep_changes(session, [(customer, SentChange(alias, ProfileChange(merged=alias)))])
    kept = _kept(session, alias, customer)
    for statement in _NOTE_ORIGINS:
        session.write(statement, [(tenant, alias)])
    for statement in _MOVES:
        session.write(statement, [(customer, tenant, alias)])
    for statement in _LEAVE:
        session.write(statement, [(tenant, alias)])
    session.write(_KEEP_IDENTITY, [(tenant, alias, customer, since)])
    session.write(_KEEP_MERGE, [(tenant, secrets.token_hex(8), alias, customer, since, one.caller, kept)])
    if one.of_users:
        session.append_action("customers merged", alias, one.caller, since)


def keep_origins(session: Session, origins: Iterable[tuple[str, str, str]]) -> None:
    """Note the ids that events and contacts were sent under, where that is another than their customer's own.

    Args:
        session: The transaction.
        origins: `event` or `contact`, its id, and the id it was sent under.
    """
    session.write(_KEEP_ORIGIN, sorted((session.tenant, *origin) for origin in origins))


def _kept(session: Session, alias: str, customer: str) -> str:
    """Version, kind and exposures of an alias, and the contacts that both have, which are taken away from the alias."""
    tenant = session.tenant
    ((version, is_user),) = session.select(_FORMER, tenant, alias)
    exposures = session.select(_EXPOSURES, tenant, alias)
    contacts: list[Row] = session.select(_TWICE, tenant, alias, tenant, customer)
    session.write(_FORGET_CONTACT, [(tenant, alias, contact[0]) for contact in contacts])
    kept = {
        "version": version,
        "is_user": bool(is_user),
        "exposures": [list(row) for row in exposures],
        "contacts": [list(row) for row in contacts],
    }
    return json.dumps(kept)
