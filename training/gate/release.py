"""The release gate of decisions: a policy, bundle or catalogue ships only if the log says that nothing gets worse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tactful.experiments.base.errors import SupportError
from tactful.experiments.offpolicy import estimators as offpolicy
from tactful.experiments.offpolicy.estimators import Estimate, Estimator, difference
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.support import WANTED, Support, Wanted, support
from tactful.features.array_types import Floats
from tactful.training.data.errors import TrainingError
from tactful.training.fit.by_action import ArmCalibration, strain, whatever_ties

Answer = Literal["ship", "experiment", "no"]
"""Put into use; try it in a live experiment; leave it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a release; the defaults suit rewards in currency.

    Attributes:
        tolerance: Loss of value a decision that is accepted at the lower bound, in currency.
        contacts: Growth of contacts that is accepted, as a share of the incumbent's.
        unsubscribes: Growth of the share of decisions that lose a customer's reach, accepted at the upper bound.
        calibration: Least probability of a bias by action as far off as the worst, were every action calibrated.
        largest_weight: Largest weight a single decision may have.
        level: Coverage of the intervals.
        support: The least support of both policies in the log.
    """

    tolerance: float = 0.01
    contacts: float = 0.1
    unsubscribes: float = 0.001
    calibration: float = 0.01
    largest_weight: float = 200.0
    level: float = 0.95
    support: Wanted = WANTED

    def __post_init__(self) -> None:
        for name in ("tolerance", "contacts", "unsubscribes", "calibration"):
            if not getattr(self, name) >= 0:
                raise TrainingError("unfit limit", got=getattr(self, name), wanted="at least 0", where=name)
        if not 0 < self.level < 1:
            raise TrainingError("unfit level", got=self.level, wanted="between 0 and 1", where="level")


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The same logged decisions with two policies, see `tactful.experiments.offpolicy.decision_log.compared`.

    Attributes:
        candidate: With the policy to judge; rewards in currency.
        incumbent: With the policy it would replace.
        unsubscribes: Whether an unsubscription or complaint followed each decision, shape (n,).
        predictions: Predicted reward of each option, shape (n, k), fitted on other customers; None for none.
        calibration: Of the candidate's own predictions by action; None where it makes none.
        calibration_before: The same of the predictions in use.
    """

    candidate: Log
    incumbent: Log
    unsubscribes: NDArray[np.bool_]
    predictions: Floats | None = None
    calibration: Sequence[ArmCalibration] | None = None
    calibration_before: Sequence[ArmCalibration] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the gate.

    Attributes:
        name: The name of the check.
        answer: `ship` where it passed, `experiment` where the log cannot tell, `no` where it failed.
        sentence: The found and the wanted value.
    """

    name: str
    answer: Answer
    sentence: str


@dataclass(frozen=True, slots=True)
class Release:
    """The verdict of the gate.

    Attributes:
        answer: The worst answer of all checks.
        checks: Every question.
        figures: Value of both policies by estimator, difference, support, contacts: JSON's values.
    """

    answer: Answer
    checks: tuple[Check, ...]
    figures: dict[str, Any]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not ship; empty where it does."""
        return tuple(check.sentence for check in self.checks if check.answer != "ship")

    def as_dict(self) -> dict[str, Any]:
        """The verdict as JSON's values."""
        checks = [{"name": c.name, "answer": c.answer, "sentence": c.sentence} for c in self.checks]
        return {"answer": self.answer, "reasons": list(self.reasons), "checks": checks, "figures": self.figures}


def judge(evidence: Evidence, limits: Limits | None = None) -> Release:
    """Asks whether a candidate may replace the incumbent.

    It ships if the lower bound of the paired difference in value is at least `-tolerance`, contacts and
    unsubscriptions stay within their guard-rails, its predictions hold by action, and the log holds enough of both
    policies. It is refused where one of these is broken for certain. Where the log cannot tell, a live experiment can.

    Args:
        evidence: The logged decisions.
        limits: What to keep to.

    Raises:
        TrainingError: Arrays of other lengths.
        LogError: The logs are of other decisions.
    """
    limits = limits or Limits()
    if len(evidence.unsubscribes) != len(evidence.candidate):
        raise TrainingError("arrays that do not fit", got=len(evidence.unsubscribes), wanted=len(evidence.candidate))
    held = {"candidate": support(evidence.candidate), "incumbent": support(evidence.incumbent)}
    checks = (
        _supported(evidence, held, limits),
        _worth(evidence, limits),
        _contacts(evidence, limits),
        _unsubscribes(evidence, limits),
        _calibrated(evidence, limits),
    )
    answers = {check.answer for check in checks}
    worst: Answer = "no" if "no" in answers else "experiment" if "experiment" in answers else "ship"
    return Release(worst, checks, _figures(evidence, held, limits))


def _supported(evidence: Evidence, held: dict[str, Support], limits: Limits) -> Check:
    if _same(evidence):
        return Check("support", "ship", "decides as what is in use does")
    reasons = [f"{name} {why}" for name, found in held.items() if (why := found.refusal(limits.support))]
    reasons += [
        f"{name}: one decision has weight {found.largest_weight:,.0f}, at most {limits.largest_weight:,.0f} wanted"
        for name, found in held.items()
        if found.largest_weight > limits.largest_weight
    ]
    if reasons:
        return Check("support", "experiment", "; ".join(reasons))
    effective = ", ".join(f"{name} {found.effective:,.0f}" for name, found in held.items())
    least = min(found.rewarded for found in held.values())
    shown = f"effective sample sizes: {effective}, of {held['candidate'].n:,} decisions, {least:,.0f} of them rewarded"
    return Check("support", "ship", shown)


def _same(evidence: Evidence) -> bool:
    return np.array_equal(evidence.candidate.target, evidence.incumbent.target)


def _worth(evidence: Evidence, limits: Limits) -> Check:
    if not _same(evidence) and not np.ptp(evidence.candidate.rewards):
        return Check(
            "value", "experiment", "every decision of the log has the same reward: it cannot tell policies apart"
        )
    try:
        gain = _gain(evidence, limits)
    except SupportError as refusal:
        return Check("value", "experiment", str(refusal))
    shown = f"{gain.value:+.4f} a decision ({gain.low:+.4f} to {gain.high:+.4f})"
    if gain.low >= -limits.tolerance:
        return Check("value", "ship", f"value {shown}, low end of at least {-limits.tolerance:g} wanted")
    if gain.high < 0:
        return Check("value", "no", f"worth less: {shown}")
    return Check("value", "experiment", f"undecided value: {shown}, low end of at least {-limits.tolerance:g} wanted")


def _gain(evidence: Evidence, limits: Limits) -> Estimate:
    logs = (evidence.candidate, evidence.incumbent)
    return difference(*logs, _chosen(evidence), evidence.predictions, level=limits.level, wanted=None)


def _chosen(evidence: Evidence) -> Estimator:
    return "snips" if evidence.predictions is None else "doubly_robust"


def contact_share(log: Log) -> float:
    """Share of the decisions at which the policy contacts: exact, since its probabilities are known."""
    return float(1 - log.target[:, 0].mean())


def _contacts(evidence: Evidence, limits: Limits) -> Check:
    before, after = contact_share(evidence.incumbent), contact_share(evidence.candidate)
    shown = f"contacts at {after:.1%} of decisions, before {before:.1%}"
    if after <= before * (1 + limits.contacts) + 1e-9:
        return Check("contacts", "ship", shown)
    return Check("contacts", "no", f"{shown}: at most {limits.contacts:.0%} more wanted")


def _unsubscribes(evidence: Evidence, limits: Limits) -> Check:
    left = evidence.unsubscribes.astype(np.float64)
    logs = (replace(evidence.candidate, rewards=left), replace(evidence.incumbent, rewards=left))
    try:
        found = difference(*logs, level=limits.level, wanted=None)
    except SupportError as refusal:
        return Check("unsubscribes", "experiment", str(refusal))
    unseen = _unseen(evidence)
    high, rule = found.high + unseen, ", by the rule of three" if unseen else ""
    shown = f"unsubscriptions {found.value:+.3%} of decisions ({found.low:+.3%} to {high:+.3%}{rule})"
    if high <= limits.unsubscribes:
        return Check("unsubscribes", "ship", shown)
    wanted = f"{shown}: high end of at most {limits.unsubscribes:.3%} wanted"
    return Check("unsubscribes", "no" if found.low > limits.unsubscribes else "experiment", wanted)


def _unseen(evidence: Evidence) -> float:
    """Unsubscriptions a decision that there may be though nobody left where the candidate would act more often."""
    more = np.maximum(evidence.candidate.weights - evidence.incumbent.weights, 0.0)
    if not more.any() or more[evidence.unsubscribes].any():
        return 0.0
    return float(3 * np.square(more).sum() / more.sum() / len(more))


def _calibrated(evidence: Evidence, limits: Limits) -> Check:
    arms = evidence.calibration
    if arms is None:
        return Check("calibration", "ship", "no predictions of its own")
    if not any(one.counts for one in arms):
        delivered = sum(one.rows for one in arms)
        return Check("calibration", "experiment", f"predictions cannot be judged: {delivered} delivered contacts")
    likely, off = whatever_ties(arms), [one.arm for one in arms if not one.holds]
    beyond = f"; beyond two errors: {', '.join(off)}" if off else ""
    shown = f"biases of {len(arms)} actions: p = {likely:.3f}{beyond}"
    if likely >= limits.calibration:
        return Check("calibration", "ship", shown)
    if evidence.calibration_before and strain(arms) <= strain(evidence.calibration_before):
        return Check("calibration", "ship", f"{shown}; no worse than the predictions in use")
    return Check("calibration", "no", f"not calibrated: {shown}, at least {limits.calibration:g} wanted")


def _figures(evidence: Evidence, held: dict[str, Support], limits: Limits) -> dict[str, Any]:
    logs = {"candidate": evidence.candidate, "incumbent": evidence.incumbent}
    return {
        "decisions": len(evidence.candidate),
        "customers": evidence.candidate.customer_count,
        "estimator": _chosen(evidence),
        "gain": _told(lambda: _gain(evidence, limits)),
        "values": {name: _values(log, evidence.predictions, limits.level) for name, log in logs.items()},
        "contacts": {name: contact_share(log) for name, log in logs.items()},
        "support": {
            name: {
                "effective": found.effective,
                "effective_customers": found.effective_customers,
                "largest_weight": found.largest_weight,
                "unsupported": found.unsupported,
                "rewarded": found.rewarded,
            }
            for name, found in held.items()
        },
        "calibration": [one.as_dict() for one in evidence.calibration or ()],
        "limits": {
            name: getattr(limits, name)
            for name in ("tolerance", "contacts", "unsubscribes", "calibration", "largest_weight", "level")
        },
    }


def _values(log: Log, predictions: Floats | None, level: float) -> dict[str, dict[str, float] | None]:
    """By estimator; None where no choice of the log could be the policy's."""
    found = {
        "ips": _told(lambda: offpolicy.ips(log, level=level, wanted=None)),
        "snips": _told(lambda: offpolicy.snips(log, level=level, wanted=None)),
    }
    if predictions is not None:
        for name in ("direct", "doubly_robust", "switch_dr"):
            estimator = getattr(offpolicy, name)
            found[name] = _told(partial(estimator, log, predictions, level=level, wanted=None))
    return found


def _told(estimate: Callable[[], Estimate]) -> dict[str, float] | None:
    try:
        return as_dict(estimate())
    except SupportError:
        return None


def as_dict(estimate: Estimate) -> dict[str, float]:
    """An estimate by name."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
