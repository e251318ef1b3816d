"""For each action that lost: the smallest single change that would have made it win.

A priority is linear in a message's value and in its score, so the change needed is the solution of linear
inequalities against every rival, siblings on other channels included, whose priorities move along. A gate that is the
only one in the way is opened by its own change. Every remedy that is reported was decided again and won.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Literal

from tactful.decisions.analysis.what_if import Changes, what_if
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.policies.frequency import Cap
from tactful.decisions.catalogue.selection import Greedy
from tactful.decisions.kernel.arbitration import Factors
from tactful.decisions.kernel.decide import Request, RunContext, Scorer
from tactful.decisions.kernel.decision import Candidate, Decision
from tactful.decisions.kernel.evaluation import Evaluation

Line = Callable[[Factors], tuple[float, float]]
"""A priority as a line in an amount: by how much it rises with it, and what it is where that is 0."""

_NUDGE = 1e-6
_STEPS = 8
"""Gates that may open one after another before the search for a moment gives up."""
_GREEDY = Greedy(kind="greedy")
_POLICY_GATES = {"cap", "gap", "quiet_hours", "quiet_days", "pair", "suppression"}


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change that would have made an action win.

    Args:
        kind: What changes: the message's `value`, its `score`, a `cap`'s maximum, another contact `policy` (left
            out), a `consent` (given), or the `time`.
        subject: The message, policy, or channel it is about.
        current: Its present value.
        needed: The value that it would need at least; for time, the earliest moment.
    """

    kind: Literal["value", "score", "cap", "policy", "consent", "time"]
    subject: str
    current: float | str | None
    needed: float | str | datetime


def remedies(
    request: Request,
    compiled: CompiledCatalogue,
    scorer: Scorer,
    run_context: RunContext | None = None,
) -> dict[str, tuple[Remedy, ...]]:
    """For each action that did not win, the smallest change of each kind that would have made it the best.

    Args:
        request: The customer at the moment.
        compiled: The catalogue.
        scorer: The models.
        run_context: Those of the decision.

    Returns:
        By action id, smallest first; an empty tuple where no single change would do. An action wins where its
        priority is the highest and above silence, whatever the policy explores.
    """
    settled = replace(run_context or RunContext(), explores=False)
    ask = partial(what_if, request, compiled, _GREEDY, scorer, run_context=settled)
    decision = ask(changes=Changes())
    found: dict[str, tuple[Remedy, ...]] = {}
    for candidate in decision.candidates:
        if candidate is decision.choice:
            continue
        if candidate.survives:
            tried = _by_worth(candidate, decision, compiled)
        else:
            tried = chain(_by_time(candidate, decision, ask), _by_gate(candidate, decision, compiled, request))
        found[candidate.action.id] = tuple(
            remedy for remedy, changes in tried if ask(changes=changes).outcome == candidate.action.id
        )
    return found


def _by_worth(
    candidate: Candidate, decision: Decision, compiled: CompiledCatalogue
) -> Iterator[tuple[Remedy, Changes]]:
    message, factors = candidate.action.message, candidate.factors
    assert factors is not None
    rivals = [c for c in decision.survivors if c.action.id != candidate.action.id]
    value = _least(factors.value, candidate, rivals, _in_value)
    if value is not None:
        yield Remedy("value", message, factors.value, value), Changes(messages={message: {"value": value}})
    by_effect = compiled.catalogue.objective == "effect"
    current = factors.effect if by_effect else factors.response
    own = compiled.catalogue.message(message)
    response_follows = not by_effect or (own.response is None and own.offer is None)
    score = _least(current, candidate, rivals, _in_response if response_follows else _in_effect)
    if score is not None and score <= 1:
        field = "effect" if by_effect else "response"
        fields = {field: {"mean": score}, **({} if by_effect else {"offer": None})}
        yield Remedy("score", message, current, score), Changes(messages={message: fields})


def _in_value(factors: Factors) -> tuple[float, float]:
    slope = factors.lever * factors.context * (factors.effect - factors.caution)
    return slope, factors.priority - slope * factors.value


def _in_effect(factors: Factors) -> tuple[float, float]:
    slope = factors.lever * factors.context * (factors.value + factors.lapse * factors.clv)
    return slope, factors.priority - slope * factors.effect


def _in_response(factors: Factors) -> tuple[float, float]:
    """The same where a response is the effect, and at least 0."""
    slope, at_0 = _in_effect(factors)
    return slope - factors.discount, at_0 + factors.discount * factors.response


def _least(current: float, candidate: Candidate, rivals: Sequence[Candidate], line_of: Line) -> float | None:
    """The least amount above the current one at which the candidate beats silence and every rival, or None.

    A rival that is the same message on another channel moves along with it.
    """
    assert candidate.factors is not None
    slope, own = line_of(candidate.factors)
    lines = [(0.0, 0.0)]
    for rival in rivals:
        assert rival.factors is not None
        moves = rival.action.message == candidate.action.message
        lines.append(line_of(rival.factors) if moves else (0.0, rival.factors.priority))
    least, most = current, float("inf")
    for rival_slope, rival_own in lines:
        steeper = slope - rival_slope
        if abs(steeper) < 1e-12:
            if own <= rival_own:
                return None
        elif steeper > 0:
            least = max(least, (rival_own - own) / steeper)
        else:
            most = min(most, (rival_own - own) / steeper)
    least += _NUDGE * max(1.0, abs(least))
    return least if least < most else None


def _by_time(
    candidate: Candidate, decision: Decision, ask: Callable[..., Decision]
) -> Iterator[tuple[Remedy, Changes]]:
    """The first moment at which every gate would let the action pass: where one gate opens, another may have closed."""
    exclusions = candidate.exclusions
    for _ in range(_STEPS):
        moments = [exclusion.until for exclusion in exclusions if exclusion.until]
        if len(moments) < len(exclusions):
            return
        changes = Changes(moment=max(moments))
        key = (candidate.action.id, candidate.opening)
        again = next((c for c in ask(changes=changes).candidates if (c.action.id, c.opening) == key), None)
        if again is None:
            return
        if again.survives:
            yield Remedy("time", "moment", decision.moment.isoformat(), max(moments)), changes
            return
        exclusions = again.exclusions


def _by_gate(
    candidate: Candidate, decision: Decision, compiled: CompiledCatalogue, request: Request
) -> Iterator[tuple[Remedy, Changes]]:
    if len(candidate.exclusions) != 1:
        return
    (exclusion,) = candidate.exclusions
    rule = exclusion.rule.split("[")[0]
    if exclusion.gate == "cap":
        room = _room_needed(exclusion.rule, compiled, request, decision)
        current = next(p.max for p in compiled.catalogue.contact_policies if isinstance(p, Cap) and p.id == rule)
        yield Remedy("cap", exclusion.rule, float(current), float(room)), Changes(policies={rule: {"max": room}})
    elif exclusion.gate in _POLICY_GATES:
        yield Remedy("policy", exclusion.rule, "in force", "left out"), Changes(policies={rule: None})
    elif exclusion.gate == "consent":
        programme = next(p for p in compiled.catalogue.programmes if p.id == candidate.action.programme)
        pair = (candidate.action.channel, programme.purpose)
        yield Remedy("consent", exclusion.rule, exclusion.observed, "given"), Changes(consents={pair: True})


def _room_needed(rule: str, compiled: CompiledCatalogue, request: Request, decision: Decision) -> int:
    """The least maximum of a cap that leaves room for one more contact."""
    case = Evaluation(compiled, request.snapshot, decision.scores)
    policy = next(p for p in compiled.policies if isinstance(p, Cap) and p.id == rule)
    return policy.fullest(case.ledger) + 1
