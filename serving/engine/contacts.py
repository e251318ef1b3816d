"""Contacts after the decision: cleared to be sent, released, or answered."""

from dataclasses import dataclass
from datetime import datetime

from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.kernel.recheck import recheck
from tactful.decisions.kernel.record import parse
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES, OutcomeKind
from tactful.serving.engine.service import MOST_TRIES, DecisionService
from tactful.serving.engine.snapshots import snapshot
from tactful.serving.errors import AlreadySentError, ContendedError, NothingToSendError, UnknownDecisionError
from tactful.serving.store.port import Arrival, Ending, Outcome, Receipt, StoredDecision, StoredEvent
from tactful.serving.store.queries.contacts import ContactStatus, standing


@dataclass(frozen=True, slots=True)
class Clearance:
    """Whether a contact may be made now.

    Args:
        send: Whether it may; if so, it counts as sent from now on.
        reasons: Why not.
    """

    send: bool
    reasons: tuple[Exclusion, ...] = ()


def clear(service: DecisionService, decision_id: str) -> Clearance:
    """Ask every gate again, right before a contact is made: a complaint may have come in since, or a night.

    A contact that may be made counts as sent at once, one that may not is released. In doubt it is not made: not if
    its reservation expired or was released, nor if it was cleared before. What changes of the customer meanwhile has
    every gate asked once more.

    Raises:
        UnknownDecisionError: There is none of this id.
        NothingToSendError: The decision was silence.
        NotReadyError: There is nothing to ask with.
        ContendedError: Others changed the customer again and again.
        StoreError: The store fails.
    """
    stored = _chosen(service, decision_id)
    answers = (_cleared(service, stored) for _ in range(MOST_TRIES))
    found = next((answer for answer in answers if answer is not None), None)
    if found is None:
        raise ContendedError(
            "others changed the customer each time we asked", got=f"{MOST_TRIES} tries", where=f"decision {decision_id}"
        )
    return found


def _cleared(service: DecisionService, stored: StoredDecision) -> Clearance | None:
    """Whether a contact may be made, which the ledger then says; None if the customer changed meanwhile."""
    decision_id, now = stored.id, service.clock()
    champion = service.champions.present()
    (known,) = service.store.customers(service.tenant, [(stored.customer, now)])
    held = standing(service.store.database, service.tenant, stored.customer, decision_id, now)
    if held is not ContactStatus.RESERVED:
        return Clearance(False, (Exclusion("reservation", decision_id, held.value, "a reservation that stands"),))
    if known is None:
        return Clearance(False, (Exclusion("customer", decision_id, "not known any more", "a known customer"),))
    seen, decision = snapshot(known, now, champion), parse(stored.record)
    reasons = recheck(decision, seen, champion.compiled, champion.bundle, service.maker.run_context)
    becomes: Ending = "released" if reasons else "sent"
    settled = service.store.set_status(service.tenant, known.id, decision_id, becomes, known.version)
    return Clearance(not reasons, reasons) if settled else None


def release(service: DecisionService, decision_id: str) -> ContactStatus:
    """Give back the contact that a decision reserved, because it will not be made.

    Returns:
        How the contact stands afterwards: released, or expired before.

    Raises:
        UnknownDecisionError: There is none of this id.
        NothingToSendError: The decision was silence.
        AlreadySentError: The contact was made.
        StoreError: The store fails.
    """
    stored = _chosen(service, decision_id)
    service.store.set_status(service.tenant, stored.customer, decision_id, "released")
    found = standing(service.store.database, service.tenant, stored.customer, decision_id, service.clock())
    if found is ContactStatus.SENT:
        raise AlreadySentError("a contact that was made", got=decision_id, wanted="one that is reserved")
    return found


def report(
    service: DecisionService,
    decision_id: str,
    kind: OutcomeKind,
    message_id: str,
    time: datetime | None = None,
    value: float | None = None,
) -> bool:
    """Keep what came of a contact, as an outcome and as an event of the customer's history.

    Unsubscribing and complaining also withdraw consent for the channel at once.

    Args:
        service: The service.
        decision_id: The decision that led to the contact.
        kind: The outcome.
        message_id: Tells one report of the decision from another: the same one counts once.
        time: When; now where None. It is never ahead of now, nor before the decision.
        value: In the catalogue's currency.

    Returns:
        Whether it is new.

    Raises:
        UnknownDecisionError: There is none of this id.
        NothingToSendError: The decision was silence.
        StoreError: The store fails.
    """
    stored, now = _chosen(service, decision_id), service.clock()
    decision = parse(stored.record)
    moment = microseconds(max(decision.moment, min(time or now, now)))
    id_ = f"{decision_id}:{message_id}"
    arrival = Arrival(
        id=id_,
        customer=stored.customer,
        event=_event(decision, kind, id_, moment, value),
        outcome=Outcome(decision_id, kind, moment, value),
    )
    (receipt,) = service.store.ingest(service.tenant, [arrival], now)
    return receipt is Receipt.KEPT


def _event(decision: Decision, kind: OutcomeKind, id_: str, moment: int, value: float | None) -> StoredEvent:
    assert decision.choice is not None
    action = decision.choice.action
    return StoredEvent(
        time=moment,
        type=EVENT_TYPES.index(kind),
        channel=CHANNELS.index(action.channel) if action.channel in CHANNELS else 0,
        amount=value or 0.0,
        discount=0.0,
        quantity=0.0,
        categories=0,
        subject=action.message,
        id=id_,
        programme=action.programme,
    )


def _chosen(service: DecisionService, decision_id: str) -> StoredDecision:
    stored = service.store.decision(service.tenant, decision_id)
    if stored is None:
        raise UnknownDecisionError("unknown decision", got=decision_id, wanted="the id of a decision made before")
    if parse(stored.record).choice is None:
        raise NothingToSendError("a decision for silence", got=decision_id, wanted="one that chose a message")
    return stored
