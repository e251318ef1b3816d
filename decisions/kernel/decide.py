"""The one kernel of decisions: the API calls it with a list of one, a batch with a list of many.

Rules run customer by customer; models score once for everybody. Nothing here reads a clock, draws at random or does
any I/O: the same requests, catalogue, policy and scorer give the same bytes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.base.conditions import Failure
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Rule
from tactful.decisions.catalogue.selection import Policy
from tactful.decisions.catalogue.triggers import Opening
from tactful.decisions.kernel.decision import Candidate, Decision, Versions
from tactful.decisions.kernel.evaluation import Evaluation
from tactful.decisions.kernel.exploration import policy_in
from tactful.decisions.kernel.gates import judged, openings, superseding, text_gate
from tactful.decisions.kernel.rewards import RewardComponent, of_contact, of_silence
from tactful.decisions.kernel.value import NOTHING_LEARNT, ModelOutputs, factors
from tactful.features.array_types import Floats

KERNEL = "5"
"""Version of the rules of deciding: another number where the same inputs may give other bytes."""
REPLAYABLE = frozenset({"4", KERNEL})
"""The kernels whose decisions can be made again: 4 had no gate of texts."""
COMPATIBLE = frozenset({"3", *REPLAYABLE})
"""The kernels whose records can be learnt from: those of 3 lack the rewards, and their floors had no bound."""


class Scorer(Protocol):
    """Calibrated scores. A score that cannot be known is NaN and excludes the action that needs it."""

    @property
    def version(self) -> str:
        """The identity of a set of models."""

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the feature set the models read."""

    def score_customers(self, features: Floats) -> Mapping[str, Floats]:
        """Each score of each customer: features of shape (n, k) to arrays of shape (n,)."""

    def score_actions(self, features: Floats, offers: Sequence[Mapping[str, float | str]]) -> Floats:
        """Probability of a response to each offer: features of shape (m, k) and m offers to shape (m,)."""

    def score_effects(self, features: Floats, messages: Sequence[str]) -> Floats:
        """The effect of each message: features of shape (m, k) and m ids of messages to shape (m, 3).

        The columns are the effect on the probability of a response, that probability without the contact, and the
        effect's standard error; NaN where unknown, so that the catalogue's prior counts.
        """


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
class RunContext:
    """Settings that hold for every customer of a run.

    Args:
        seed: Seed of the run's draws.
        capacity: Contacts left by channel; no limit where a channel is not named.
        prices: Shadow price of a contact by channel, in currency.
        explores: Whether customers of the uniform stratum are drawn for alike; else the policy decides for them too.
        kernel: The rules of deciding, one of `REPLAYABLE`: an earlier one makes a decision again as it was made.
    """

    seed: str = "tactful"
    capacity: Mapping[str, int] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    explores: bool = True
    kernel: str = KERNEL


def decide(
    requests: Sequence[Request],
    compiled: CompiledCatalogue,
    policy: Policy,
    scorer: Scorer,
    run_context: RunContext | None = None,
) -> list[Decision]:
    r"""Decide for each customer: the best surviving action, or silence.

    Args:
        requests: Customers at their moments.
        compiled: The catalogue.
        policy: How to choose among survivors.
        scorer: The models.
        run_context: Seed, capacity and prices of the run.

    Returns:
        A decision for each request, in their order; each depends on its own request alone.

    Example:
        >>> from datetime import UTC, datetime
        >>> from tactful.decisions.base.snapshot import Snapshot
        >>> from tactful.decisions.catalogue.compiled import Vocabulary
        >>> from tactful.decisions.catalogue.selection import Greedy
        >>> from tactful.decisions.loading import parse_catalogue
        >>> shop = parse_catalogue(
        ...     "catalogue: shop\n"
        ...     "currency: EUR\n"
        ...     "objective: propensity\n"
        ...     "channels: {email: {cost: 0.01}}\n"
        ...     "programmes:\n"
        ...     "  - id: news\n"
        ...     "    trigger: {kind: always, expiry: 1d}\n"
        ...     "    reentry: 7d\n"
        ...     "    messages:\n"
        ...     "      - {id: new_in, channels: email, value: 8, response: {mean: 0.1}, content: {body: New in}}",
        ...     Vocabulary(features=("spend",)),
        ... )
        >>> class NoModels:
        ...     version, fingerprint = "none", "none"
        ...
        ...     def score_customers(self, features):
        ...         return {}
        ...
        ...     def score_actions(self, features, offers):
        ...         return np.full(len(offers), 0.1)
        >>> noon, allowed = datetime(2026, 5, 6, 12, tzinfo=UTC), {("email", "marketing"): True}
        >>> ada = Snapshot("ada", noon, features=(120.0,), contacts=(), consents=allowed)
        >>> (decision,) = decide([Request("d1", ada)], shop, Greedy(kind="greedy"), NoModels())
        >>> decision.outcome, round(decision.choice.priority, 2)
        ('news/new_in/email', 0.79)
    """
    if not requests:
        return []
    run_context = run_context or RunContext()
    features = np.array([request.snapshot.features for request in requests], dtype=np.float64)[:, : compiled.scored]
    scores = scorer.score_customers(features)
    cases = [
        Evaluation(compiled, r.snapshot, _of_one(scores, i), run_context.capacity, r.channels)
        for i, r in enumerate(requests)
    ]
    drafts = [_draft(case, renders=run_context.kernel != "4") for case in cases]
    learnt = _learnt(drafts, features, scorer, compiled.catalogue.objective)
    versions = Versions(compiled.version, scorer.version, scorer.fingerprint, run_context.kernel)
    run = _Run(policy, policy.model_dump(mode="json"), run_context, versions)
    return [
        _concluded(request, case, draft, learnt[i], run)
        for i, (request, case, draft) in enumerate(zip(requests, cases, drafts, strict=True))
    ]


def _of_one(scores: Mapping[str, Floats], index: int) -> dict[str, float]:
    return {name: float(values[index]) for name, values in scores.items()}


@dataclass(frozen=True, slots=True)
class _Run:
    """Values that are the same for every decision of a run; `stated` is the policy as the record holds it."""

    policy: Policy
    stated: Mapping[str, Any]
    run_context: RunContext
    versions: Versions


@dataclass(frozen=True, slots=True)
class _Draft:
    """A decision before scoring: candidates with their exclusions, each beside its rule and opening."""

    openings: list[Opening]
    closed: list[Exclusion]
    rules: list[tuple[Rule, Opening, tuple[Exclusion, ...]]]


def _draft(case: Evaluation, *, renders: bool) -> _Draft:
    found, closed = openings(case)
    superseded = superseding(found, case)
    rules = [
        (rule, opening, excluded or (text_gate(rule, opening, case) if renders else ()))
        for opening in found
        for rule, excluded in judged(case.compiled.rules_by_programme[opening.programme], opening, case, superseded)
    ]
    return _Draft(found, closed, rules)


def _learnt(
    drafts: Sequence[_Draft], features: Floats, scorer: Scorer, objective: str
) -> list[dict[int, ModelOutputs]]:
    """The model outputs for each surviving candidate, by request and index, with one call for each model."""
    surviving = [
        (i, j, rule)
        for i, draft in enumerate(drafts)
        for j, (rule, _, excluded) in enumerate(draft.rules)
        if not excluded
    ]
    found: list[dict[int, ModelOutputs]] = [{} for _ in drafts]
    if not surviving:
        return found
    responses: dict[tuple[int, int], float] = {}
    wanted = [(i, j, rule.offer) for i, j, rule in surviving if rule.offer is not None]
    if wanted:
        scores = scorer.score_actions(features[[i for i, _, _ in wanted]], [offer for _, _, offer in wanted])
        responses = {(i, j): score for (i, j, _), score in zip(wanted, scores.tolist(), strict=True)}
    effects = np.full((len(surviving), 3), np.nan)
    if objective == "effect":
        rows = features[[i for i, _, _ in surviving]]
        effects = scorer.score_effects(rows, [rule.message.id for _, _, rule in surviving])
    for (i, j, _), effect in zip(surviving, effects.tolist(), strict=True):
        found[i][j] = ModelOutputs(responses.get((i, j)), *effect)
    return found


def _concluded(
    request: Request,
    case: Evaluation,
    draft: _Draft,
    learnt: Mapping[int, ModelOutputs],
    run: _Run,
) -> Decision:
    run_context = run.run_context
    candidates = [
        _candidate(rule, opening, excluded, case, learnt.get(j, NOTHING_LEARNT), run_context.prices)
        for j, (rule, opening, excluded) in enumerate(draft.rules)
    ]
    seed = f"{run_context.seed}:{request.id}"
    survivors = [j for j, candidate in enumerate(candidates) if candidate.survives]
    policy = policy_in(case.stratum, run.policy) if run_context.explores else run.policy
    probabilities = distribution([candidates[j] for j in survivors], policy, seed)
    chosen = drawn(probabilities, seed)
    for position, j in enumerate(survivors):
        candidates[j] = candidates[j].drawn_with(float(probabilities[position]))
    choice = candidates[survivors[chosen]] if chosen < len(survivors) else None
    return Decision(
        id=request.id,
        customer=request.snapshot.customer,
        moment=request.snapshot.moment,
        versions=run.versions,
        policy=run.stated,
        stratum=case.stratum,
        channels=request.channels,
        seed=run_context.seed,
        capacity=run_context.capacity,
        prices=run_context.prices,
        scores=case.scores,
        openings=tuple(draft.openings),
        closed=tuple(draft.closed),
        candidates=tuple(candidates),
        choice=choice,
        probability=float(probabilities[chosen]),
        silence_probability=float(probabilities[-1]),
        rewards=_rewards(choice, case),
    )


def _rewards(choice: Candidate | None, case: Evaluation) -> tuple[RewardComponent, ...]:
    moment, compiled = case.snapshot.moment, case.compiled
    if choice is None or choice.factors is None:
        return of_silence(moment, compiled.longest_window)
    return of_contact(choice.factors, moment, compiled.windows[choice.action.message])


def _candidate(
    rule: Rule,
    opening: Opening,
    excluded: tuple[Exclusion, ...],
    case: Evaluation,
    learnt: ModelOutputs,
    prices: Mapping[str, float],
) -> Candidate:
    if excluded:
        return Candidate(rule.action, opening.key, rule.message.mandatory, excluded)
    worth = factors(rule, opening, case, learnt, prices)
    if isinstance(worth, Failure):
        unknown = Exclusion("worth", rule.message.id, observed=worth.reason, limit="every factor known")
        return Candidate(rule.action, opening.key, rule.message.mandatory, (unknown,))
    return Candidate(rule.action, opening.key, rule.message.mandatory, factors=worth)


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
    """The order among equals: silence first, then by a hash of the seed and the action."""
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
