"""Questions about customers and what would be decided: answered without recording or reserving anything."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tactful.decisions.analysis.replay import policy_of
from tactful.decisions.analysis.what_if import Changes, what_if
from tactful.decisions.base.errors import SnapshotError
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.selection import Policy
from tactful.decisions.kernel.availability import Free, next_free
from tactful.decisions.kernel.decide import Request, RunContext
from tactful.decisions.kernel.decision import Decision
from tactful.serving.engine.drafts import DecisionCommand, DecisionResult, PendingDecision
from tactful.serving.engine.in_force.champion import Champion
from tactful.serving.engine.queries.reasons import Explained, explained
from tactful.serving.engine.records.archive import Archive
from tactful.serving.engine.service import DecisionService
from tactful.serving.engine.snapshots import snapshot
from tactful.serving.errors import UnknownCustomerError, UnknownItemError
from tactful.serving.store.port import KnownCustomer

PRESSURE = {"1d": timedelta(days=1), "7d": timedelta(days=7), "28d": timedelta(days=28)}
"""The windows that contact pressure is told in."""


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A customer as the engine sees it now.

    Args:
        known: The store's view of the customer.
        features: By name; unknown ones are NaN.
        decision: The decision that would be made now: scores, openings, candidates.
        pressure: By channel and window, the contacts that count in it.
        free: By channel, when contact policies and consent next let something pass.
        explained: The reasons of the scores that have reasons.
    """

    known: KnownCustomer
    features: Mapping[str, float]
    decision: Decision
    pressure: Mapping[str, Mapping[str, int]]
    free: Mapping[str, Free]
    explained: Sequence[Explained]


def customer_view(service: DecisionService, customer: str) -> CustomerView:
    """A customer as the engine sees it now.

    Raises:
        UnknownCustomerError: Nothing is known of the customer.
        NotReadyError: There is nothing to decide with.
        StoreError: The store fails.
    """
    champion, known = service.champions.present(), _known(service, customer)
    command = DecisionCommand(customer, f"portrait:{uuid.uuid4().hex}", service.clock())
    seen = snapshot(known, command.moment, champion)
    (made,) = service.maker.make([(command, known)], champion)
    if not isinstance(made, PendingDecision):
        raise made
    decision = made.draft.decision
    return CustomerView(
        known,
        dict(zip(champion.compiled.vocabulary.features, seen.features, strict=True)),
        decision,
        {channel: _pressure(known, command, channel) for channel in champion.compiled.catalogue.channels},
        next_free(champion.compiled, seen, decision.scores),
        explained(champion.bundle, seen.features),
    )


def decided_now(
    service: DecisionService, customer: str, decision_id: str, channels: tuple[str, ...] = ()
) -> DecisionResult:
    """The decision that the service would make about a customer now, experiments included; nothing is recorded.

    Args:
        service: The service.
        customer: Any id of the customer.
        decision_id: Id of the decision, from which its draws follow.
        channels: Only these channels; all where empty.

    Raises:
        UnknownCustomerError: Nothing is known of the customer.
        NotReadyError: There is nothing to decide with.
        StoreError: The store fails.
    """
    champion, command = service.champions.present(), DecisionCommand(customer, decision_id, service.clock(), channels)
    (made,) = service.maker.make([(command, _known(service, customer))], champion, service.trials.present(champion))
    if not isinstance(made, PendingDecision):
        raise made
    return made.answer


@dataclass(frozen=True, slots=True)
class WhatIfResult:
    """The decision that would be made, and the ISO 4217 code of its amounts."""

    decision: Decision
    currency: str


def suppose(service: DecisionService, customer: str, changes: Changes, channels: tuple[str, ...] = ()) -> WhatIfResult:
    """The decision that would be made about a customer now, under some changes.

    Raises:
        UnknownCustomerError: Nothing is known of the customer.
        UnknownItemError: A change names what there is not, or cannot be.
        NotReadyError: There is nothing to decide with.
        StoreError: The store fails.
    """
    champion, known = service.champions.present(), _known(service, customer)
    request = Request(f"what-if:{uuid.uuid4().hex}", snapshot(known, service.clock(), champion), channels)
    compiled, policy = champion.compiled, champion.compiled.catalogue.policy
    return _supposition(request, compiled, policy, champion, changes, service.maker.run_context)


def suppose_again(service: DecisionService, decision_id: str, changes: Changes) -> WhatIfResult:
    """A past decision under some changes, with its own catalogue and the present models.

    Raises:
        UnknownDecisionError: There is none of this id.
        ErasedError: The personal data it was made on were erased.
        UnknownItemError: A change names what there is not, or cannot be.
        NotReadyError: There is nothing to decide with.
        StoreError: The store fails.
    """
    champion = service.champions.present()
    recorded = Archive(service.store, service.tenant, champion).decision(decision_id)
    was = recorded.decision
    run_context = RunContext(was.seed, was.capacity, was.prices)
    return _supposition(recorded.request, recorded.compiled, policy_of(was), champion, changes, run_context)


def programmes(champion: Champion) -> list[dict[str, Any]]:
    """The programmes of the present catalogue, in the marketer's order, as JSON values."""
    return [
        {
            "programme": programme.id,
            "purpose": programme.purpose,
            "trigger": programme.trigger.kind,
            "supersedes": list(programme.supersedes),
            "messages": [{"message": m.id, "channels": list(m.channels), "state": m.state} for m in programme.messages],
        }
        for programme in champion.compiled.catalogue.programmes
    ]


def _supposition(
    request: Request,
    compiled: CompiledCatalogue,
    policy: Policy,
    champion: Champion,
    changes: Changes,
    run_context: RunContext,
) -> WhatIfResult:
    try:
        found = what_if(request, compiled, policy, champion.bundle, changes, run_context)
    except SnapshotError as error:
        raise UnknownItemError(error.message, got=error.got, wanted=error.wanted, where=error.where) from error
    return WhatIfResult(found, compiled.catalogue.currency)


def _known(service: DecisionService, customer: str) -> KnownCustomer:
    (known,) = service.store.customers(service.tenant, [(customer, service.clock())])
    if known is None:
        raise UnknownCustomerError("unknown customer", got=customer, wanted="a customer whose history was loaded")
    return known


def _pressure(known: KnownCustomer, command: DecisionCommand, channel: str) -> dict[str, int]:
    times = [contact.time for contact in known.contacts or () if contact.counts and contact.channel == channel]
    return {name: sum(time > command.moment - window for time in times) for name, window in PRESSURE.items()}
