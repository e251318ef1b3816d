"""Looks a store over: whether it can be read, agrees with itself, and kept every cap it promised."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, select

from tactful.decisions.catalogue.policies.frequency import Cap
from tactful.decisions.kernel.decision import SILENCE
from tactful.serving.store.admin.audit import Recorded, broken_windows, contacts_of
from tactful.serving.store.admin.erasure import ERASED
from tactful.serving.store.catalogue_codec import catalogue_from_json
from tactful.serving.store.ingest.session import digest_of
from tactful.serving.store.port import Store
from tactful.serving.store.schema import customers, decisions, identities, ledger, metadata, tenants, tombstones

Version = tuple[str, str]
"""A catalogue's version, and the fingerprint of the features it was compiled for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong.

    Args:
        kind: `file`, `record`, `ledger`, `cap`, `catalogue`, `identity` or `tombstone`.
        where: The decision, customer, table or catalogue.
        what: The fault.
    """

    kind: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking a store.

    Args:
        decisions: Decisions in the log.
        contacts: Entries of the ledger that stand.
        caps: Caps that were counted again, over all catalogues.
        uncounted: Caps that bind only a segment, which the records do not tell.
        findings: The faults.
    """

    decisions: int
    contacts: int
    caps: int
    uncounted: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """A decision of the log."""

    customer: str
    version: Version
    contact: tuple[str, str, str, int] | None


def check(store: Store, tenant: str) -> Checked:
    """Look a store over; others may use it meanwhile, and nothing is changed.

    Every cap of every catalogue that decided is counted again from the ledger, by brute force and without the code that
    was to keep it; the ledger is compared with what the decision log says it must hold.

    Args:
        store: The store.
        tenant: The tenant of the customers.

    Raises:
        StoreError: The database fails.
    """
    with store.database.read() as connection:
        findings = [*_of_file(connection), *_of_people(connection, tenant)]
        log, misrecorded = _log(connection, tenant)
        contacts = contacts_of(connection, tenant)
        released = select(ledger.c.id).where(ledger.c.tenant == tenant, ledger.c.status == "released")
        given_back = set(connection.scalars(released))
        ties = _ties(connection, tenant)
    findings += [*misrecorded, *_of_ledger(log, contacts, given_back)]
    counted, uncounted = 0, set[str]()
    for version in sorted({made.version for made in log.values()}):
        content = store.catalogue(tenant, *version)
        if content is None:
            findings.append(Finding("catalogue", version[0], "decisions were made with it, and it was not kept"))
            continue
        catalogue, _ = catalogue_from_json(content)
        caps = [policy for policy in catalogue.contact_policies if isinstance(policy, Cap)]
        exempt = {m.id for p in catalogue.programmes for m in p.messages if m.ignores_caps}
        bound = [cap for cap in caps if cap.segment is None]
        counted, uncounted = counted + len(bound), uncounted | {cap.id for cap in caps if cap.segment is not None}
        decided = {id_ for id_, made in log.items() if made.version == version}
        findings += [
            Finding("cap", v.customer, f"{v.observed} contacts in a window of {v.rule}, which allows {v.limit}")
            for seen, theirs in _views(contacts, log, ties)
            for v in broken_windows(seen, bound, decided & theirs, exempt)
        ]
    return Checked(len(log), len(contacts), counted, tuple(sorted(uncounted)), tuple(findings))


def _of_file(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name == "sqlite":
        told = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        yield from (Finding("file", "database", line) for line in told if line != "ok")
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        yield from (Finding("file", str(row[0]), f"row {row[1]} belongs to no {row[2]}") for row in orphans)
    for table in metadata.sorted_tables:
        connection.execute(select(func.count()).select_from(table))


def _of_people(connection: Connection, tenant: str) -> Iterator[Finding]:
    alias = identities.c.alias
    same = (customers.c.tenant == tenant) & (customers.c.customer == alias)
    both = select(alias).where(identities.c.tenant == tenant, exists().where(same))
    yield from (Finding("identity", name, "both an alias and a customer") for name in connection.scalars(both))
    stands = (customers.c.tenant == tenant) & (customers.c.customer == identities.c.customer)
    lost = select(alias, identities.c.customer).where(identities.c.tenant == tenant, ~exists().where(stands))
    nobodys = (name for name, customer in connection.execute(lost) if not customer.startswith(ERASED))
    yield from (Finding("identity", name, "an alias of nobody") for name in nobodys)
    salt = connection.scalar(select(tenants.c.salt).where(tenants.c.tenant == tenant))
    if salt is not None:
        buried = set(connection.scalars(select(tombstones.c.digest).where(tombstones.c.tenant == tenant)))
        known = connection.scalars(select(customers.c.customer).where(customers.c.tenant == tenant))
        back = (name for name in known if digest_of(salt, name) in buried)
        yield from (Finding("tombstone", name, "erased, and known again") for name in back)


def _log(connection: Connection, tenant: str) -> tuple[dict[str, _Made], list[Finding]]:
    """The decisions by their ids, and what is wrong with their records."""
    columns = [decisions.c[name] for name in ("id", "customer", "moment", "choice", "catalogue", "features", "record")]
    log, findings = dict[str, _Made](), list[Finding]()
    streamed = connection.execution_options(yield_per=1_000).execute(
        select(*columns).where(decisions.c.tenant == tenant)
    )
    for id_, customer, moment, choice, catalogue, features, record in streamed:
        programme, message, channel = choice.split("/") if choice != SILENCE else ("", "", "")
        contact = (channel, programme, message, moment) if choice != SILENCE else None
        log[id_] = _Made(customer, (catalogue, features), contact)
        try:
            told = json.loads(record)
            if (told["id"], told["customer"], told["choice"]) != (id_, customer, choice):
                findings.append(Finding("record", id_, "about another decision, customer or choice than its row"))
        except (ValueError, KeyError) as error:
            findings.append(Finding("record", id_, f"unreadable: {error}"))
    return log, findings


def _of_ledger(log: Mapping[str, _Made], contacts: Iterable[Recorded], released: set[str]) -> Iterator[Finding]:
    """Where the ledger is not what the log says it must be."""
    held = {contact.id: contact for contact in contacts}
    for id_, made in log.items():
        if made.contact is None:
            if id_ in held:
                yield Finding("ledger", id_, "a contact, though silence was decided")
        elif id_ in held:
            contact = held[id_]
            if (contact.channel, contact.programme, contact.message, contact.time) != made.contact:
                yield Finding("ledger", id_, "another contact than was decided")
        elif id_ not in released:
            yield Finding("ledger", id_, "no contact, though a message was decided")
    pending = (contact for contact in held.values() if contact.expires is not None and contact.id not in log)
    yield from (Finding("ledger", contact.id, "a reservation of no decision") for contact in pending)


def _ties(connection: Connection, tenant: str) -> dict[str, list[tuple[int, str]]]:
    """When which aliases were merged into a customer, in order."""
    ties: dict[str, list[tuple[int, str]]] = defaultdict(list)
    wanted = select(identities.c.customer, identities.c.since, identities.c.alias).where(identities.c.tenant == tenant)
    for customer, since, alias in connection.execute(wanted.order_by(identities.c.since, identities.c.alias)):
        ties[customer].append((since, alias))
    return ties


def _views(
    contacts: Sequence[Recorded], log: Mapping[str, _Made], ties: Mapping[str, Sequence[tuple[int, str]]]
) -> Iterator[tuple[list[Recorded], set[str]]]:
    """Contacts as they were known together when decisions were made, and the ids that were decided so.

    Decisions about an alias before its merge did not know of the customer's contacts, nor the other way.
    """
    merged: dict[str, list[Recorded]] = defaultdict(list)
    alone: list[Recorded] = []
    for contact in contacts:
        (merged[contact.customer] if contact.customer in ties else alone).append(contact)
    yield alone, {contact.id for contact in alone}
    for customer, theirs in merged.items():
        of_name: dict[str, list[Recorded]] = defaultdict(list)
        aliases = {alias for _, alias in ties[customer]}
        for contact in theirs:
            name = log[contact.id].customer if contact.id in log else customer
            of_name[name if name in aliases else customer].append(contact)
        seen, begun = of_name[customer], -1
        for since, alias in ties[customer]:
            yield of_name[alias], {contact.id for contact in of_name[alias] if contact.time < since}
            yield seen, {contact.id for contact in seen if begun <= contact.time < since}
            seen, begun = [*seen, *of_name[alias]], since
        yield seen, {contact.id for contact in seen if contact.time >= begun}
