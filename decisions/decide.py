"""The one kernel of decisions: the API calls it with a list of one, a batch with a list of many.

Rules run customer by customer; models score once for everybody. Nothing here reads a clock, draws at random or does
any I/O: the same requests, catalogue, policy and scorer give the same bytes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from decisions.arbitration import Factors
from decisions.case import Case
from decisions.compiled import CompiledCatalogue, Rule
from decisions.conditions import Failure
from decisions.decision import Candidate, Decision, Versions
from decisions.exclusion import Exclusion
from decisions.gates import judged, openings, superseding
from decisions.policies import Policy
from decisions.snapshot import Snapshot
from decisions.triggers import Opening

Floats = NDArray[np.float64]

KERNEL = "2"
"""Version of the rules of deciding: another number where the same inputs may give other bytes."""


class Scorer(Protocol):
    """Calibrated scores. A score that cannot be known is NaN and excludes the action that needs it."""

    @property
    def version(self) -> str:
        """What tells one set of models from another."""

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the feature set the models read."""

    def score_customers(self, features: Floats) -> Mapping[str, Floats]:
        """Each score of each customer: features of shape (n, k) to arrays of shape (n,)."""

    def score_actions(self, features: Floats, offers: Sequence[Mapping[str, float | str]]) -> Floats:
        """Probability of a response to each offer: features of shape (m, k) and m offers to shape (m,)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to decide.

    Args:
        id: Id of the decision to come; its draw is seeded by it.
        snapshot: The customer at the moment.
        channels: Only these channels, such as the one that asks; all where empty.
    """

    id: str
    snapshot: Snapshot
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for every customer of a run.

    Args:
        seed: Seed of the run's draws.
        capacity: Contacts left by channel; no limit where a channel is not named.
        prices: Shadow price of a contact by channel, in currency.
    """

    seed: str = "tactful"
    capacity: Mapping[str, int] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)


def decide(
    requests: Sequence[Request],
    compiled: CompiledCatalogue,
    policy: Policy,
    scorer: Scorer,
    circumstances: Circumstances | None = None,
) -> list[Decision]:
    """Decide for each customer: the best surviving action, or silence.

    Args:
        requests: Customers at their moments.
        compiled: The catalogue.
        policy: How to choose among survivors.
        scorer: The models.
        circumstances: Seed, capacity and prices of the run.

    Returns:
        A decision for each request, in their order; each depends on its own request alone.
    """
    if not requests:
        return []
    circumstances = circumstances or Circumstances()
    features = np.array([request.snapshot.features for request in requests], dtype=np.float64)[:, : compiled.scored]
    scores = scorer.score_customers(features)
    cases = [
        Case(compiled, r.snapshot, _of_one(scores, i), circumstances.capacity, r.channels)
        for i, r in enumerate(requests)
    ]
    drafts = [_draft(case) for case in cases]
    responses = _responses(drafts, features, scorer)
    versions = Versions(compiled.version, scorer.version, scorer.fingerprint, KERNEL)
    run = _Run(policy, policy.model_dump(mode="json"), circumstances, versions)
    return [
        _concluded(request, case, draft, responses[i], run)
        for i, (request, case, draft) in enumerate(zip(requests, cases, drafts, strict=True))
    ]


def _of_one(scores: Mapping[str, Floats], index: int) -> dict[str, float]:
    return {name: float(values[index]) for name, values in scores.items()}


@dataclass(frozen=True, slots=True)
class _Run:
    """What is the same for every decision of a run; `stated` is the policy as the record bears it."""

    policy: Policy
    stated: Mapping[str, Any]
    circumstances: Circumstances
    versions: Versions


@dataclass(frozen=True, slots=True)
class _Draft:
    """A decision before scoring: candidates with their exclusions, each beside its rule and opening."""

    openings: list[Opening]
    closed: list[Exclusion]
    rules: list[tuple[Rule, Opening, tuple[Exclusion, ...]]]


def _draft(case: Case) -> _Draft:
    found, closed = openings(case)
    superseded = superseding(found, case)
    rules = [
        (rule, opening, excluded)
        for opening in found
        for rule, excluded in judged(case.compiled.rules_by_programme[opening.programme], opening, case, superseded)
    ]
    return _Draft(found, closed, rules)


def _responses(drafts: Sequence[_Draft], features: Floats, scorer: Scorer) -> list[dict[int, float]]:
    """The scored response of each surviving candidate with an offer, by request and index: one call for all."""
    wanted = [
        (i, j, rule.offer)
        for i, draft in enumerate(drafts)
        for j, (rule, _, excluded) in enumerate(draft.rules)
        if not excluded and rule.offer is not None
    ]
    found: list[dict[int, float]] = [{} for _ in drafts]
    if wanted:
        rows = features[[i for i, _, _ in wanted]]
        for (i, j, _), score in zip(wanted, scorer.score_actions(rows, [o for _, _, o in wanted]), strict=True):
            found[i][j] = float(score)
    return found


def _concluded(
    request: Request,
    case: Case,
    draft: _Draft,
    responses: Mapping[int, float],
    run: _Run,
) -> Decision:
    circumstances = run.circumstances
    candidates = [
        _candidate(rule, opening, excluded, case, responses.get(j), circumstances.prices)
        for j, (rule, opening, excluded) in enumerate(draft.rules)
    ]
    seed = f"{circumstances.seed}:{request.id}"
    survivors = [j for j, candidate in enumerate(candidates) if candidate.survives]
    probabilities = distribution([candidates[j] for j in survivors], run.policy, seed)
    chosen = drawn(probabilities, seed)
    for position, j in enumerate(survivors):
        candidates[j] = replace(candidates[j], probability=float(probabilities[position]))
    return Decision(
        id=request.id,
        customer=request.snapshot.customer,
        moment=request.snapshot.moment,
        versions=run.versions,
        policy=run.stated,
        channels=request.channels,
        seed=circumstances.seed,
        capacity=circumstances.capacity,
        prices=circumstances.prices,
        scores=case.scores,
        openings=tuple(draft.openings),
        closed=tuple(draft.closed),
        candidates=tuple(candidates),
        choice=candidates[survivors[chosen]] if chosen < len(survivors) else None,
        probability=float(probabilities[chosen]),
        silence_probability=float(probabilities[-1]),
    )


def _candidate(
    rule: Rule,
    opening: Opening,
    excluded: tuple[Exclusion, ...],
    case: Case,
    scored: float | None,
    prices: Mapping[str, float],
) -> Candidate:
    if excluded:
        return Candidate(rule.action, opening.key, rule.message.mandatory, excluded)
    factors = _factors(rule, opening, case, scored, prices)
    if isinstance(factors, Failure):
        unknown = Exclusion("worth", rule.message.id, observed=factors.reason, limit="every factor known")
        return Candidate(rule.action, opening.key, rule.message.mandatory, (unknown,))
    return Candidate(rule.action, opening.key, rule.message.mandatory, factors=factors)


def _factors(
    rule: Rule, opening: Opening, case: Case, scored: float | None, prices: Mapping[str, float]
) -> Factors | Failure:
    catalogue, message = case.compiled.catalogue, rule.message
    amounts: dict[str, float] = {}
    for name in ("value", "discount", "context"):
        amount = getattr(message, name)
        found: Any = case.value(amount, "number", opening.event) if isinstance(amount, str) else amount
        if isinstance(found, Failure):
            return Failure(f"{name}: {found.reason}")
        amounts[name] = float(found)
    believed = message.response or message.effect
    response = scored if scored is not None else believed.mean if believed else 0.0
    effect = message.effect.mean if catalogue.objective == "effect" and message.effect else response
    factors = Factors(
        lever=rule.programme.lever * message.lever,
        effect=effect,
        response=response,
        cost=catalogue.channels[rule.action.channel].cost,
        fatigue_price=case.fatigue_price,
        shadow_price=prices.get(rule.action.channel, 0.0),
        **amounts,
    )
    unknown = factors.unknown
    return Failure(f"{', '.join(unknown)} unknown") if unknown else factors


def distribution(survivors: Sequence[Candidate], policy: Policy, seed: str) -> Floats:
    """Probabilities of the survivors, in their order, and last of silence: shape (n + 1,).

    Where some survivors are mandatory, only they compete, and silence does not.
    """
    actions = [candidate.action.id for candidate in survivors]
    priorities = np.array([candidate.priority for candidate in survivors] + [0.0])
    mandatory = [j for j, candidate in enumerate(survivors) if candidate.mandatory]
    if not mandatory:
        return policy.distribution(priorities, _order(actions, priorities, seed))
    above_silence = priorities[mandatory] - priorities[mandatory].min() + 1.0
    probabilities = np.zeros(len(priorities))
    order = _order([actions[j] for j in mandatory], above_silence, seed)
    probabilities[mandatory] = policy.distribution(above_silence, order)
    return probabilities


def _order(actions: Sequence[str], priorities: Floats, seed: str) -> NDArray[np.int64]:
    """Who goes first among equals: silence, then by a hash of the seed and the action."""
    n = len(priorities)
    if len(set(priorities.tolist())) == n:
        return np.arange(n)
    keys = [hashlib.sha256(f"{seed}:{action}".encode()).digest() for action in actions] + [b""]
    order = np.empty(n, dtype=np.int64)
    order[sorted(range(n), key=keys.__getitem__)] = np.arange(n)
    return order


def drawn(probabilities: Floats, seed: str) -> int:
    """One option, by inversion of a uniform number that the seed gives."""
    uniform = (int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") >> 11) / 2**53
    below, chosen = 0.0, 0
    for option, probability in enumerate(probabilities.tolist()):
        if probability > 0:
            chosen = option
            below += probability
        if uniform < below:
            break
    return chosen
