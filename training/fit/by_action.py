"""Whether probabilities hold for each action by itself: bias by arm, and the slope of all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from tactful.features.array_types import Floats
from tactful.models.base.metrics import Outcomes
from tactful.training.data.errors import TrainingError
from tactful.training.fit.evaluation import as_json

_LEAST_ROWS = 30
_DRAWS = 300


@dataclass(frozen=True, slots=True)
class ArmCalibration:
    """The predicted and the observed outcome of an arm.

    Attributes:
        arm: Its name.
        rows: How many.
        predicted: Mean prediction.
        observed: Mean outcome.
        error: Standard error of their difference: clustered by customer, or that of the probabilities if it is larger.
    """

    arm: str
    rows: int
    predicted: float
    observed: float
    error: float

    @property
    def bias(self) -> float:
        """Predicted less observed."""
        return self.predicted - self.observed

    @property
    def deviation(self) -> float:
        """The bias in standard errors; infinite where certainty was told and something else happened."""
        if self.error > 0:
            return self.bias / self.error
        return math.copysign(math.inf, self.bias) if self.bias else 0.0

    @property
    def counts(self) -> bool:
        """Whether it has rows enough, 30, for its error to be no guess itself."""
        return self.rows >= _LEAST_ROWS

    @property
    def holds(self) -> bool:
        """Whether the bias lies within two standard errors."""
        return abs(self.deviation) <= 2

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "arm": self.arm,
            "rows": self.rows,
            "predicted": self.predicted,
            "observed": self.observed,
            "error": self.error,
            "holds": self.holds,
        }


def by_arm(arms: Sequence[str], predicted: Floats, outcomes: Floats, customers: NDArray[Any]) -> list[ArmCalibration]:
    """Bias of each arm, the most frequent first.

    Few positive outcomes look alike by accident; so the error is at least what the probabilities themselves imply.

    Args:
        arms: Of each row, n of them.
        predicted: Shape (n,).
        outcomes: Shape (n,).
        customers: The customer of each row, shape (n,); rows of one customer depend on each other.

    Raises:
        TrainingError: Of other lengths.

    Example:
        >>> predicted, happened = np.array([0.5, 0.5, 0.2]), np.array([1.0, 0.0, 0.0])
        >>> found = by_arm(["mail", "mail", "call"], predicted, happened, np.array(["a", "b", "c"]))
        >>> [(one.arm, one.rows, one.bias) for one in found]
        [('mail', 2, 0.0), ('call', 1, 0.2)]
    """
    names = np.asarray(arms, dtype=object)
    if not len(names) == len(predicted) == len(outcomes) == len(customers):
        raise TrainingError("arrays that do not fit", got=len(predicted), wanted=len(names), where="predicted")
    if not np.isfinite(predicted).all():
        got = int((~np.isfinite(predicted)).sum())
        raise TrainingError("predictions that are no numbers", got=got, wanted="none", where="predicted")
    found = []
    for arm in sorted(set(names.tolist())):
        rows = names == arm
        off = predicted[rows] - outcomes[rows]
        code = np.unique(np.asarray(customers[rows]).astype(str), return_inverse=True)[1]
        sums = np.bincount(code, off - off.mean())
        spread = (sums**2).sum() * len(sums) / max(len(sums) - 1, 1)
        error = float(np.sqrt(max(spread, _implied(predicted[rows])))) / len(off)
        found.append(ArmCalibration(arm, len(off), float(predicted[rows].mean()), float(outcomes[rows].mean()), error))
    return sorted(found, key=lambda one: (-one.rows, one.arm))


def jointly(arms: Sequence[ArmCalibration]) -> float:
    """How likely biases so large are where every arm is calibrated: the upper tail of Σ (bias / error)².

    Twenty honest arms have one beyond two standard errors; this test knows. Arms of fewer than 30 rows do not count. It
    takes the arms for independent.

    Example:
        >>> round(jointly([ArmCalibration("mail", 500, 0.11, 0.10, 0.01)]), 2)
        0.32
    """
    counted = _counted(arms)
    return float(chi2.sf(strain(arms), len(counted))) if counted else 1.0


def whatever_ties(arms: Sequence[ArmCalibration]) -> float:
    """The same where biases depend on each other: Bonferroni's bound.

    Effects share one silence, and a customer's purchase answers each contact in whose window it lies.

    Source: Dunn (1961), Multiple Comparisons among Means.

    Example:
        >>> arms = [ArmCalibration(name, 500, 0.12, 0.10, 0.01) for name in ("mail", "call")]
        >>> round(jointly(arms), 3), round(whatever_ties(arms), 3)
        (0.018, 0.091)
    """
    counted = _counted(arms)
    return min(1.0, 2 * len(counted) * float(norm.sf(max(np.abs(counted))))) if counted else 1.0


def strain(arms: Sequence[ArmCalibration]) -> float:
    """Σ (bias / error)² over the arms that count."""
    return float(np.square(_counted(arms)).sum())


def _counted(arms: Sequence[ArmCalibration]) -> list[float]:
    return [one.deviation for one in arms if one.counts]


def of_fit(
    arms: Sequence[str],
    predicted: Floats,
    outcomes: Floats,
    customers: NDArray[Any],
    gradients: Floats,
    covariance: Floats,
) -> tuple[list[ArmCalibration], float]:
    """Biases of predictions whose fit is unsure itself, and how likely such biases are jointly.

    Their covariance is that of the outcomes, clustered by customer also across arms and at least what the probabilities
    imply, and that of the fit, by the delta method. The test is Wald's.

    Args:
        arms: As for `by_arm`, like what follows; those of fewer than 30 rows do not count jointly.
        predicted: Shape (n,).
        outcomes: Shape (n,).
        customers: Shape (n,).
        gradients: How each prediction moves with the p parameters of the fit, shape (n, p).
        covariance: Of the parameters, which other rows were fitted to, shape (p, p).

    Returns:
        The arms, whose errors hold that of the fit too, and the probability.
    """
    found = by_arm(arms, predicted, outcomes, customers)
    shares = np.column_stack([(np.asarray(arms, dtype=object) == one.arm) / one.rows for one in found])
    bias = np.array([one.bias for one in found])
    code = np.unique(np.asarray(customers).astype(str), return_inverse=True)[1]
    sums = np.zeros((int(code.max()) + 1, len(found)))
    np.add.at(sums, code, shares * ((predicted - outcomes)[:, None] - bias))
    clustered = sums.T @ sums
    spread = np.sqrt(np.diag(clustered))
    tied = np.divide(
        clustered, np.outer(spread, spread), where=np.outer(spread, spread) > 0, out=np.zeros_like(clustered)
    )
    np.fill_diagonal(tied, 1.0)
    error, moved = np.array([one.error for one in found]), shares.T @ gradients
    total = tied * np.outer(error, error) + moved @ covariance @ moved.T
    held = [replace(one, error=float(e)) for one, e in zip(found, np.sqrt(np.diag(total)), strict=True)]
    kept = np.array([one.counts for one in held])
    if not kept.any():
        return held, 1.0
    wald = bias[kept] @ np.linalg.solve(total[np.ix_(kept, kept)], bias[kept])
    return held, float(chi2.sf(wald, int(kept.sum())))


def _implied(probability: Floats) -> float:
    """The variance of the sum of outcomes that are as likely as told."""
    bounded = np.clip(probability, 0.0, 1.0)
    return float((bounded * (1 - bounded)).sum())


def slope(probability: Floats, outcomes: Floats, customers: NDArray[Any]) -> dict[str, float | None]:
    """The slope of outcomes on log-odds, with its 95 % interval: below 1 where a model is too sure of itself.

    See `tactful.models.base.metrics.Outcomes.slope`.

    Args:
        probability: Shape (n,).
        outcomes: 0 and 1, shape (n,).
        customers: The customer of each row, shape (n,).

    Returns:
        `value`, `low` and `high`; None in each where outcomes or probabilities never vary.
    """
    if not len(outcomes) or np.ptp(outcomes) == 0 or np.ptp(probability) == 0:
        return {"value": None, "low": None, "high": None}
    happened = Outcomes.of(outcomes > 0, np.asarray(customers).astype(str))
    return dict(as_json(happened.estimate({"slope": happened.slope(probability)}, draws=_DRAWS)["slope"]))
