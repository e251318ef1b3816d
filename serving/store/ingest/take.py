"""Takes messages in, on either database: locks whom they are about, judges each, keeps what is new."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tactful.features.timestamps import microseconds
from tactful.serving.store.ingest.crowding import crowded
from tactful.serving.store.ingest.keep import Known, has_profile_data, keep, keep_refusals
from tactful.serving.store.ingest.merge import find_merges, policy
from tactful.serving.store.ingest.session import Session, in_order
from tactful.serving.store.port import EVENTS_A_DAY, MERGES_AN_HOUR, Arrival, Receipt

_DECISIONS = "SELECT id, customer, choice FROM decisions WHERE tenant = ? AND id = ANY(?)"
_SEEN = """
SELECT id FROM events WHERE tenant = ? AND id = ANY(?) UNION ALL
SELECT id FROM arrivals WHERE tenant = ? AND id = ANY(?)"""


class MovedError(Exception):
    """Somebody merged customers between the moment they were looked up and the moment they were locked."""


def take(
    session: Session,
    arrivals: Sequence[Arrival],
    received: datetime,
    merges: int = MERGES_AN_HOUR,
    events: int = EVENTS_A_DAY,
) -> list[Receipt]:
    """Take messages in; see `Store.take`.

    Raises:
        MovedError: Begin again with a new transaction.
    """
    known, moment = _look(session, arrivals), microseconds(received)
    receipts = _judged(arrivals, known)
    judged = list(zip(arrivals, receipts, strict=True))
    new = [(_without_erased(arrival, known), receipt) for arrival, receipt in judged if receipt.is_new]
    allowed = policy(session, [arrival for arrival, _ in new], known.identities, moment, merges)
    found, refused = find_merges([arrival for arrival, _ in new], known.identities, allowed)
    for place, receipt in refused.items():
        new[place] = replace(new[place][0], alias=None), receipt
    for place in crowded(session, [arrival for arrival, _ in new], known, events):
        new[place] = replace(new[place][0], event=None, wake=None), Receipt.DAY_LIMIT
    keep(session, new, found, known, moment)
    others = [arrival for arrival, receipt in judged if not receipt.is_new and arrival.customer not in known.erased]
    keep_refusals(session, others, known, moment)
    kept = (receipt for _, receipt in new)
    return [next(kept) if receipt.is_new else receipt for receipt in receipts]


def _without_erased(arrival: Arrival, known: Known) -> Arrival:
    """A message without an alias that was erased."""
    return replace(arrival, alias=None) if arrival.alias in known.erased else arrival


def _look(session: Session, arrivals: Sequence[Arrival]) -> Known:
    """Lock everybody a batch is about, and read what it meets."""
    sent = {name for arrival in arrivals for name in _names(arrival)}
    erased = session.erased(sent)
    named = {arrival.outcome.decision for arrival in arrivals if arrival.outcome}
    found = session.select(_DECISIONS, session.tenant, list(named)) if named else []
    decisions = {id_: (customer, choice) for id_, customer, choice in found}
    tellers = [arrival for arrival in arrivals if arrival.customer not in erased and has_profile_data(arrival)]
    welcome = {name for arrival in tellers for name in _names(arrival)} - erased
    names = welcome | {customer for customer, _ in decisions.values()}
    identities = session.identities(names)
    customers, strangers = (in_order(identities.get(name, name) for name in some) for some in (names, welcome))
    versions = session.lock(customers, strangers)
    if session.identities(names) != identities:
        raise MovedError
    ids = list({_key(arrival) for arrival in arrivals})
    digests = session.digests(ids)
    known = session.select(_SEEN, session.tenant, ids, session.tenant, [*ids, *digests])
    seen: set[str] = {digests.get(id_, str(id_)) for (id_,) in known}
    return Known(erased, versions, identities, decisions, seen)


def _names(arrival: Arrival) -> tuple[str, ...]:
    return (arrival.customer, arrival.alias) if arrival.alias else (arrival.customer,)


def _key(arrival: Arrival) -> str:
    return arrival.event[8] if arrival.event else arrival.id


def _judged(arrivals: Sequence[Arrival], known: Known) -> list[Receipt]:
    receipts, seen = [], set(known.seen)
    for arrival in arrivals:
        receipts.append(_receipt(arrival, _key(arrival) in seen, known))
        if receipts[-1] is Receipt.KEPT:
            seen.add(_key(arrival))
    return receipts


def _receipt(arrival: Arrival, seen: bool, known: Known) -> Receipt:
    decision = known.decisions.get(arrival.outcome.decision) if arrival.outcome else None
    if arrival.customer in known.erased or (decision and known.whose(decision[0]) not in known.versions):
        return Receipt.ERASED
    if seen:
        return Receipt.DUPLICATE
    return Receipt.UNKNOWN_DECISION if arrival.outcome and not decision else Receipt.KEPT
