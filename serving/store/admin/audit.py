"""Counts broken caps in what was recorded, without the code that is to keep them.

It reads the decision log and the ledger with plain SQL and counts every rolling window by brute force, so that a
mistake in `tactful.decisions.catalogue.policies` or in the store's transactions cannot hide itself.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.catalogue.policies.frequency import Cap
from tactful.serving.errors import StoreError
from tactful.serving.store.database import Database

_DECISIONS = text("SELECT id, customer, moment, choice FROM decisions WHERE tenant = :tenant")
_LEDGER = text("""
SELECT customer, id, time, channel, programme, message, tags, counts, CASE status WHEN 'sent' THEN NULL ELSE expires END
FROM ledger WHERE tenant = :tenant AND status <> 'released'""")
_RELEASED = text("SELECT id FROM ledger WHERE tenant = :tenant AND status = 'released'")


class Recorded(NamedTuple):
    """A contact of the ledger.

    Attributes:
        customer: The contacted customer.
        id: The decision that led to it, or the sender's own id.
        time: When, microseconds since the epoch.
        channel: Its channel.
        programme: Its programme.
        message: Its message.
        tags: The message's tags.
        counts: Whether it counts toward caps.
        expires: When an unconfirmed reservation stops counting, or None.
    """

    customer: str
    id: str
    time: int
    channel: str
    programme: str = ""
    message: str = ""
    tags: tuple[str, ...] = ()
    counts: bool = True
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """A window with more contacts than a cap allows, one of them decided here; or a message the ledger lacks.

    Args:
        customer: The customer with too many contacts.
        rule: The cap, or `ledger`.
        observed: Contacts in the window.
        limit: Contacts allowed.
    """

    customer: str
    rule: str
    observed: int
    limit: int


@dataclass(frozen=True, slots=True)
class Audit:
    """The contacts in the decision log and the ledger.

    Attributes:
        decisions: Decisions in the log.
        messages: Those that chose a message.
        customers: Customers decided for.
        contacts: Entries of the ledger that stand.
        violations: Every broken window.
        load: For each cap, how many of the customers have how many contacts in the window that ends with their last
            decision, that one's own contact included.
    """

    decisions: int
    messages: int
    customers: int
    contacts: int
    violations: tuple[Violation, ...]
    load: Mapping[str, Mapping[int, int]]


def audit(database: Database, catalogue: Catalogue, tenant: str = "default") -> Audit:
    """Reads a store and counts.

    Args:
        database: The database.
        catalogue: The catalogue whose caps were to be kept.
        tenant: The tenant of the customers.

    Raises:
        StoreError: The database fails, or a cap binds only a segment, which the records do not tell.
    """
    caps = [policy for policy in catalogue.contact_policies if isinstance(policy, Cap)]
    if segmented := [cap.id for cap in caps if cap.segment is not None]:
        raise StoreError("caps that cannot be audited", got=segmented, wanted="caps that bind every customer")
    exempt = {m.id for p in catalogue.programmes for m in p.messages if m.ignores_caps}
    whose = {"tenant": tenant}
    with database.read() as connection:
        log = [tuple(row) for row in connection.execute(_DECISIONS, whose)]
        ledger = contacts_of(connection, tenant)
        released = {id_ for (id_,) in connection.execute(_RELEASED, whose)}
    decided = {id_: choice for id_, _, _, choice in log if choice != "silence"}
    last = {customer: moment for _, customer, moment, _ in sorted(log, key=lambda entry: entry[2])}
    known = {contact.id for contact in ledger} | released
    lost = [Violation(customer, "ledger", 0, 1) for id_, customer, _, _ in log if id_ in decided.keys() - known]
    by_customer = _by_customer(ledger)
    return Audit(
        decisions=len(log),
        messages=len(decided),
        customers=len(last),
        contacts=len(ledger),
        violations=(*lost, *broken_windows(ledger, caps, decided.keys(), exempt)),
        load={cap.id: _load(by_customer, last, cap) for cap in caps},
    )


def contacts_of(connection: Connection, tenant: str) -> list[Recorded]:
    """The entries of a ledger that were not released, those that expired with when they did."""
    return [_recorded(row) for row in connection.execute(_LEDGER, {"tenant": tenant})]


def broken_windows(
    ledger: Iterable[Recorded], caps: Sequence[Cap], decided: Collection[str], exempt: Collection[str] = ()
) -> list[Violation]:
    """Every window `[t, t + length)` from a contact on that holds more contacts than a cap allows.

    Only what stood in a window when the last decided contact that the cap binds was made counts: contacts that others
    make break no promise of ours.

    Args:
        ledger: Contacts of any customers, in any order.
        caps: The caps.
        decided: Ids of the contacts that were decided here.
        exempt: Messages that caps do not bind.

    Example:
        >>> cap = Cap(id="daily", kind="cap", max=1, window="1d")
        >>> twice = [Recorded("c1", "d1", 0, "email"), Recorded("c1", "d2", 3_600_000_000, "email")]
        >>> broken_windows(twice, [cap], {"d1", "d2"})
        [Violation(customer='c1', rule='daily', observed=2, limit=1)]
    """
    return [
        Violation(customer, cap.id, observed, cap.max)
        for customer, contacts in sorted(_by_customer(ledger).items())
        for cap in caps
        for group in _groups(contacts, cap)
        for first in group
        if (observed := _standing(_window(group, first.time, cap), decided, exempt)) > cap.max
    ]


def _window(contacts: Sequence[Recorded], start: int, cap: Cap) -> list[Recorded]:
    return [contact for contact in contacts if start <= contact.time < start + _length(cap)]


def _standing(window: Sequence[Recorded], decided: Collection[str], exempt: Collection[str]) -> int:
    """How many contacts of a window stood when the last bound one was decided: neither later nor lapsed by then."""
    bound = [contact.time for contact in window if contact.id in decided and contact.message not in exempt]
    latest = max(bound, default=-1)
    return sum(c.time <= latest and (c.expires is None or c.expires > latest) for c in window)


def _groups(contacts: Sequence[Recorded], cap: Cap) -> list[list[Recorded]]:
    """The contacts that a cap counts, all together or apart by what it is `per`."""
    groups: dict[str, list[Recorded]] = defaultdict(list)
    for contact in contacts:
        if contact.counts and _counted(contact, cap):
            groups[str(getattr(contact, cap.per)) if cap.per else ""].append(contact)
    return list(groups.values())


def _counted(contact: Recorded, cap: Cap) -> bool:
    scope = cap.scope
    traits = [(scope.channel, contact.channel), (scope.programme, contact.programme), (scope.message, contact.message)]
    tagged = not scope.tag or any(tag in scope.tag for tag in contact.tags)
    return tagged and all(not allowed or value in allowed for allowed, value in traits)


def _load(by_customer: Mapping[str, Sequence[Recorded]], last: Mapping[str, int], cap: Cap) -> dict[int, int]:
    """How many customers have how many contacts in the window that ends, inclusive, with their last decision."""
    counts = Counter(
        max((sum(m - _length(cap) < c.time <= m for c in g) for g in _groups(by_customer.get(who, ()), cap)), default=0)
        for who, m in last.items()
    )
    return dict(sorted(counts.items()))


def _length(cap: Cap) -> int:
    return round(cap.window.total_seconds() * 1e6)


def _by_customer(ledger: Iterable[Recorded]) -> dict[str, list[Recorded]]:
    grouped: dict[str, list[Recorded]] = defaultdict(list)
    for contact in ledger:
        grouped[contact.customer].append(contact)
    return dict(grouped)


def _recorded(row: Sequence[Any]) -> Recorded:
    customer, id_, time, channel, programme, message, tags, counts, expires = row
    parsed = tuple(json.loads(tags)) if tags else ()
    return Recorded(customer, id_, time, channel, programme, message, parsed, bool(counts), expires)
