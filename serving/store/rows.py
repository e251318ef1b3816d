"""Conversions between rows of the tables and values of the domain; columns come in the schema's order."""

import json
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from tactful.decisions.base.snapshot import Contact
from tactful.features.timestamps import microseconds
from tactful.serving.store.counting import counted
from tactful.serving.store.ingest.session import Row
from tactful.serving.store.port import (
    Consent,
    Draft,
    History,
    KnownCustomer,
    Profile,
    RecordStatus,
    StoredEvent,
    from_micros,
)

EVENT_COLUMNS = ", ".join(StoredEvent._fields)
FIRST_TIME = -(2**63)
"""Earlier than every event."""
CONTACT_COLUMNS = "id, time, channel, programme, message, tags, opening, counts"


def known_customer(
    customer: str,
    row: Sequence[Any],
    consents: Mapping[Consent, bool],
    contacts: tuple[Contact, ...] | None,
    events: Sequence[Row],
    before: int,
) -> KnownCustomer:
    """A customer before a moment, from a row of `customers` with its tenant's zone and all events in time order.

    The row is version, both zones, joined, attributes.
    """
    events = counted(events)
    past = bisect_left(events, before, key=itemgetter(0))
    version, history_zone, zone, joined, attributes = row
    return KnownCustomer(
        id=customer,
        version=version,
        history_zone=history_zone,
        zone=zone,
        joined=None if joined is None else from_micros(joined),
        attributes=json.loads(attributes),
        consents=consents,
        contacts=contacts,
        events=events if past == len(events) else events[:past],
        ahead=tuple(events[past:]),
    )


def contact_of(row: Sequence[Any]) -> Contact:
    """The contact of a row of `CONTACT_COLUMNS`."""
    id_, time, channel, programme, message, tags, opening, counts = row
    return Contact(
        time=from_micros(time),
        channel=channel,
        programme=programme,
        message=message,
        tags=tuple(json.loads(tags)) if tags else (),
        opening=opening,
        counts=bool(counts),
        id=id_,
    )


def contact_row(tenant: str, customer: str, contact: Contact, status: str, expires: datetime | None) -> Row:
    """A row of `ledger`."""
    return (
        tenant,
        customer,
        contact.id,
        status,
        microseconds(contact.time),
        None if expires is None else microseconds(expires),
        contact.channel,
        contact.programme,
        contact.message,
        json.dumps(contact.tags) if contact.tags else "",
        contact.opening,
        contact.counts,
    )


def customer_row(tenant: str, profile: Profile) -> Row:
    """A row of `customers`, without its version."""
    joined = None if profile.joined is None else microseconds(profile.joined)
    return tenant, profile.customer, profile.zone, joined, json.dumps(dict(profile.attributes), sort_keys=True)


def event_row(tenant: str, customer: str, event: Sequence[Any]) -> Row:
    """A row of `events`."""
    e = StoredEvent(*event)
    what = (e.type, e.channel, e.amount, e.discount, e.quantity, e.categories, e.subject, e.programme, e.claimed)
    return (tenant, customer, e.time, e.id, *what)


def decision_row(tenant: str, draft: Draft) -> Row:
    """A row of `decisions`."""
    decision, versions = draft.decision, draft.decision.versions
    return (
        tenant,
        decision.id,
        decision.customer,
        microseconds(decision.moment),
        decision.outcome,
        draft.opened_by,
        versions.catalogue,
        versions.bundle,
        versions.features,
        decision.as_bytes(),
        draft.inputs,
    )


def outbox_row(tenant: str, id_: str, kind: str, body: bytes, moment: int) -> Row:
    """A row of `outbox` that is due at once."""
    return tenant, id_, kind, body, moment, moment, 0, None, None


def merged(stored: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with others merged into them, as SQLite's `json_patch` does it (RFC 7396): None takes away.

    Example:
        >>> merged({"name": "Ada", "home": {"city": "Nara", "floor": 3}}, {"name": None, "home": {"floor": 4}})
        {'home': {'city': 'Nara', 'floor': 4}}
    """
    whole = dict(stored)
    for name, value in added.items():
        if value is None:
            whole.pop(name, None)
        elif isinstance(value, Mapping):
            inner = whole.get(name)
            whole[name] = merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            whole[name] = value
    return whole


def admitted(
    history: History, erased: Collection[str], identities: Mapping[str, str], origins: list[tuple[str, str, str]]
) -> History:
    """A history without those who were erased, and with events, contacts and profiles of aliases under their customers.

    Args:
        history: The history.
        erased: Ids that were erased.
        identities: The owner of each alias.
        origins: Is filled, as the history is read, with `event` or `contact`, its id and the alias it was loaded under.
    """

    def theirs(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        return ((identities.get(name, name), value) for name, value in pairs if name not in erased)

    def noted(kind: str, pairs: Iterable[tuple[str, Any]], id_of: Callable[[Any], str]) -> Iterator[tuple[str, Any]]:
        for name, value in pairs:
            if name in identities and name not in erased:
                origins.append((kind, id_of(value), name))
            yield name, value

    events = theirs(noted("event", history.events, lambda event: str(event[8])))
    contacts = theirs(noted("contact", history.contacts, lambda contact: str(contact.id)))

    profiles = [
        replace(profile, customer=customer) for customer, profile in theirs((p.customer, p) for p in history.profiles)
    ]
    return replace(history, profiles=profiles, events=events, contacts=contacts)


def merged_profiles(profiles: Iterable[Profile], attributes: dict[str, dict[str, Any]]) -> Iterator[Profile]:
    """The profiles, each with its attributes merged into those stored or given before it."""
    for profile in profiles:
        stored = attributes.get(profile.customer)
        whole = dict(profile.attributes) if stored is None else merged(stored, profile.attributes)
        attributes[profile.customer] = whole
        yield replace(profile, attributes=whole)


def fates_of(drafts: Sequence[Draft], versions: dict[str, int], known: Collection[str]) -> list[RecordStatus]:
    """The results of drafts in one transaction that has locked their customers, each after those before it.

    Args:
        drafts: The drafts.
        versions: The customers' versions under the lock; moves with the drafts that are recorded.
        known: Those of the drafts' ids that already name a decision.
    """
    fates: list[RecordStatus] = []
    kept = set(known)
    for draft in drafts:
        id_, customer = draft.decision.id, draft.decision.customer
        if id_ in kept:
            fates.append(RecordStatus.KNOWN)
        elif versions.get(customer) != draft.based_on:
            fates.append(RecordStatus.STALE)
        else:
            fates.append(RecordStatus.RECORDED)
            kept.add(id_)
            versions[customer] += draft.reservation is not None
    return fates
