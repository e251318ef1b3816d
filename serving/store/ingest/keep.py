"""Writes what a batch of messages says, under the locks of everybody it is about."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from tactful.decisions.base.snapshot import Contact
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.store.ingest.consents import keep_consents, newer_refusals
from tactful.serving.store.ingest.merge import Merge, keep_origins, merge
from tactful.serving.store.ingest.profiles import ProfileChange, SentChange, StoredProfile, keep_changes
from tactful.serving.store.ingest.refunds import priced
from tactful.serving.store.ingest.session import Row, Session, digest_of, in_order
from tactful.serving.store.port import Arrival, Outcome, Profile, Receipt, StoredEvent, from_micros
from tactful.serving.store.rows import contact_row, event_row, outbox_row

CONTACT = EVENT_TYPES.index("contact")
WITHDRAWING = ("unsubscribed", "complained")

_PROFILES = "SELECT customer, zone, joined, attributes FROM customers WHERE tenant = ? AND customer = ANY(?)"
_KEEP_PROFILE = "UPDATE customers SET zone = ?, joined = ?, attributes = ? WHERE tenant = ? AND customer = ?"
_MOVE = "UPDATE customers SET version = version + 1, is_user = (is_user OR ?) WHERE tenant = ? AND customer = ?"
_KEEP_EVENT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP_CONTACT = "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP_ARRIVAL = "INSERT INTO arrivals VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP_OUTCOME = "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP_RECORD = "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_CONFIRM = "UPDATE ledger SET status = 'sent' WHERE tenant = ? AND customer = ? AND id = ? AND status <> 'sent'"
_Told: TypeAlias = tuple[str, int, Arrival]
"""A customer, a message's own moment, and the message."""


@dataclass(frozen=True, slots=True)
class Known:
    """The store's view of a batch's customers, under its locks.

    Args:
        erased: Those ids that were erased.
        versions: Of the customers that exist; 0 of one that was made for the batch.
        identities: The owner of each alias; changes with the merges of the batch.
        decisions: Customer and choice of those that outcomes name.
        seen: Ids that came before.
    """

    erased: set[str]
    versions: Mapping[str, int]
    identities: dict[str, str]
    decisions: Mapping[str, tuple[str, str]]
    seen: set[str]

    def whose(self, sent: str) -> str:
        """The customer that an id is known by."""
        return self.identities.get(sent, sent)


def keep(
    session: Session, new: Sequence[tuple[Arrival, Receipt]], merges: Sequence[Merge], known: Known, received: int
) -> None:
    """Write what messages say, everything about an alias under the customer whose it is by the end of the batch.

    Args:
        session: The transaction.
        new: Messages that did not come before, with their receipts.
        merges: The merges that they bring.
        known: The known customers.
        received: When they came, microseconds since the epoch.
    """
    tenant, arrivals = session.tenant, [arrival for arrival, _ in new]
    told = [(known.whose(a.customer), _moment(a, received), a) for a in arrivals if has_profile_data(a)]
    profiles = _profiles(session, told, merges, known)
    for one in merges:
        merge(session, one, received)
    session.write(_KEEP_PROFILE, [(*profile.row(), tenant, customer) for customer, profile in profiles.items()])
    keep_consents(session, [one for a in arrivals for one in _consents(a, known, received)])
    keep_changes(session, [one for a in arrivals for one in _changes(a, profiles, known, received)])
    keep_origins(session, [one for customer, _, a in told for one in _origins(customer, a, known)])
    _keep_events(session, [(customer, a) for customer, _, a in told if a.event], known)
    if by_id := [a.id for a in arrivals if _is_kept_by_id(a, known)]:
        salt = session.salt()
        session.write(_KEEP_ARRIVAL, sorted((tenant, digest_of(salt, id_), received) for id_ in by_id))
    outcomes = [row for a in arrivals for row in _outcomes(tenant, a, known, received)]
    _keep_outcomes(session, outcomes)
    touched = {customer for customer, *_ in told} | {row[3] for row in outcomes}
    users = {known.whose(a.customer) for a in arrivals if a.is_user}
    session.write(_MOVE, [(customer in users, tenant, customer) for customer in in_order(touched)])
    wakes = [(a.id, a.wake) for a, receipt in new if a.wake and receipt is not Receipt.UNKNOWN_DECISION]
    session.write(_KEEP_RECORD, [outbox_row(tenant, id_, "event", wake, received) for id_, wake in sorted(wakes)])


def keep_refusals(session: Session, again: Sequence[Arrival], known: Known, received: int) -> None:
    """Write what messages refuse that are not kept for another reason, where it is newer than what is stored.

    The id of another message, or a decision about somebody who was erased, does not hide a refusal. A message that is
    sent again changes nothing.

    Args:
        session: The transaction.
        again: The messages.
        known: The known customers.
        received: When they came, microseconds since the epoch.
    """
    told = [one for a in again for one in _consents(a, known, received) if one[0].customer in known.versions]
    found = newer_refusals(session, told) if told else []
    keep_consents(session, found)
    keep_changes(
        session, [(one.customer, SentChange(one.customer, ProfileChange.of(one, time))) for one, time in found]
    )
    session.write(_MOVE, [(False, session.tenant, name) for name in in_order(profile.customer for profile, _ in found)])


def has_profile_data(arrival: Arrival) -> bool:
    """Whether a message tells anything of its customer, apart from what became of a decision."""
    return arrival.event is not None or arrival.profile is not None or arrival.alias is not None


def _is_kept_by_id(arrival: Arrival, known: Known) -> bool:
    """Whether nothing but its id would tell that a message came before."""
    tied = arrival.outcome is not None and arrival.outcome.decision in known.decisions
    return arrival.event is None and (tied or has_profile_data(arrival))


def _moment(arrival: Arrival, received: int) -> int:
    """The message's own moment."""
    if arrival.time is not None:
        return arrival.time
    return int(arrival.event[0]) if arrival.event else received


def _profiles(
    session: Session,
    told: Sequence[_Told],
    merges: Sequence[Merge],
    known: Known,
) -> dict[str, StoredProfile]:
    """The customers of whom a profile, a tie or a first message changes the row."""
    merging = {name for one in merges for name in (one.alias, one.customer)}
    changed = {customer for customer, _, a in told if a.profile or known.versions[customer] == 0} | merging
    rows = session.select(_PROFILES, session.tenant, list(changed)) if changed else []
    stored = {
        customer: StoredProfile(zone, joined, json.loads(attributes)) for customer, zone, joined, attributes in rows
    }
    for one in merges:
        former, present = stored.pop(one.alias), stored[one.customer]
        former.add(present.zone, present.joined, present.attributes)
        stored[one.customer] = former
    for customer, time, arrival in told:
        if customer in stored:
            first = time if known.versions[customer] == 0 else None
            stored[customer].add(None, first, {})
            if profile := arrival.profile:
                joined = None if profile.joined is None else microseconds(profile.joined)
                stored[customer].add(profile.zone, joined, profile.attributes)
    return stored


def _consents(arrival: Arrival, known: Known, received: int) -> Iterator[tuple[Profile, int]]:
    """A message's consents, its customer's and those of the customer whose decision it answers."""
    if arrival.profile and (arrival.profile.consents or arrival.profile.withdrawn):
        yield replace(arrival.profile, customer=known.whose(arrival.customer)), _moment(arrival, received)
    outcome = arrival.outcome
    if outcome and outcome.kind in WITHDRAWING and (decision := known.decisions.get(outcome.decision)):
        channel = decision[1].rpartition("/")[2]
        yield Profile(known.whose(decision[0]), withdrawn=frozenset({channel})), outcome.time


def _changes(
    arrival: Arrival, profiles: Mapping[str, StoredProfile], known: Known, received: int
) -> Iterator[tuple[str, SentChange]]:
    """The changes that a message makes to profiles and consents, each with the id that it is about."""
    customer, time = known.whose(arrival.customer), _moment(arrival, received)
    if has_profile_data(arrival) and customer in profiles:
        first = time if known.versions[customer] == 0 else None
        change = ProfileChange.of(arrival.profile or Profile(customer), time, first)
        yield customer, SentChange(arrival.customer, change)
    for profile, moment in _consents(replace(arrival, profile=None), known, received):
        decided = known.decisions[arrival.outcome.decision][0] if arrival.outcome else customer
        yield profile.customer, SentChange(decided, ProfileChange.of(profile, moment))


def _origins(customer: str, arrival: Arrival, known: Known) -> Iterator[tuple[str, str, str]]:
    """The alias that an event came under, and so did its contact, unless that contact is a decision's."""
    if arrival.event is None or arrival.customer == customer:
        return
    event = StoredEvent(*arrival.event)
    yield "event", event.id, arrival.customer
    if event.type == CONTACT and _contact(event, arrival.outcome, known).id == event.id:
        yield "contact", event.id, arrival.customer


def _keep_events(session: Session, told: Sequence[tuple[str, Arrival]], known: Known) -> None:
    """Keep events, and those that are contacts in the ledger too."""
    events = [(customer, event, a.outcome) for (customer, a), event in zip(told, priced(session, told), strict=True)]
    in_turn = sorted(events, key=lambda each: each[1].id)
    session.write(_KEEP_EVENT, [event_row(session.tenant, customer, event) for customer, event, _ in in_turn])
    contacts = [(customer, _contact(event, what, known)) for customer, event, what in in_turn if event.type == CONTACT]
    session.write(
        _KEEP_CONTACT, [contact_row(session.tenant, customer, made, "sent", None) for customer, made in contacts]
    )


def _contact(event: StoredEvent, outcome: Outcome | None, known: Known) -> Contact:
    """The contact of an event; one that was decided on has the decision's id, as its reservation does: it is one."""
    id_ = outcome.decision if outcome and outcome.decision in known.decisions else event.id
    return Contact(from_micros(event.time), CHANNELS[event.channel], event.programme, message=event.subject, id=id_)


def _outcomes(tenant: str, arrival: Arrival, known: Known, received: int) -> Iterator[Row]:
    outcome = arrival.outcome
    if outcome and (decision := known.decisions.get(outcome.decision)):
        customer = known.whose(decision[0])
        yield tenant, outcome.decision, arrival.id, customer, outcome.kind, outcome.time, outcome.value, received


def _keep_outcomes(session: Session, rows: Sequence[Row]) -> None:
    """Keep outcomes; whatever they say confirms their contacts."""
    session.write(_KEEP_OUTCOME, rows)
    session.write(_CONFIRM, [(tenant, customer, decision) for tenant, decision, _, customer, *_ in rows])
