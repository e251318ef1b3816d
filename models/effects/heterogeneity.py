"""How an effect differs between customers: a ridge regression of doubly robust scores, or nothing.

Kennedy (2023), Towards optimal doubly robust estimation of heterogeneous causal effects, Electronic Journal of
Statistics 17. Breiman, Friedman, Olshen, Stone (1984), Classification and Regression Trees, section 3.4.3 (a
simpler model wins unless it is worse by standard errors). Chernozhukov, Demirer, Duflo, Fernández-Val (2018),
Generic machine learning inference on heterogeneous treatment effects, NBER 24678 (the calibrating slope).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tactful.features.array_types import Floats, Ints

PENALTIES = np.geomspace(0.01, 100.0, 13)
_CRITICAL = 1.645


@dataclass(frozen=True, slots=True, eq=False)
class Deviation:
    """How much an effect at a row differs from its average: (x − centre) · slopes.

    Attributes:
        penalty: Per row, relative to a unit column; infinite where no difference between customers was found.
        slope: The share of the differences found out of fold that is kept, in [0, 1].
        centre: Mean row, shape (k,).
        slopes: Shape (k,), multiplied by `slope`; 0 under an infinite penalty.
        covariance: Of the slopes, shape (k, k).
    """

    penalty: float
    slope: float
    centre: Floats
    slopes: Floats
    covariance: Floats

    @classmethod
    def none(cls, columns: int) -> Self:
        """The same effect for everybody."""
        return cls(np.inf, 0.0, np.zeros(columns), np.zeros(columns), np.zeros((columns, columns)))

    def at(self, design: Floats) -> Floats:
        """Differences from the average effect, shape (n,)."""
        return np.asarray(((design - self.centre) * self.slopes).sum(axis=1))

    def variance(self, design: Floats) -> Floats:
        """Of the differences, shape (n,)."""
        centred = design - self.centre
        variance = np.zeros(len(design))
        for j in range(centred.shape[1]):
            variance += centred[:, j] * (centred * self.covariance[j]).sum(axis=1)
        return np.maximum(variance, 0.0)

    def to_json(self) -> dict[str, Any] | None:
        """None where there is no difference between customers."""
        if np.isinf(self.penalty):
            return None
        arrays = {name: getattr(self, name).tolist() for name in ("centre", "slopes", "covariance")}
        return {"penalty": self.penalty, "slope": self.slope, **arrays}

    @classmethod
    def from_json(cls, values: dict[str, Any] | None, columns: int) -> Self:
        """The inverse of `to_json`."""
        if values is None:
            return cls.none(columns)
        centre, slopes, covariance = (np.array(values[name]) for name in ("centre", "slopes", "covariance"))
        return cls(values["penalty"], values["slope"], centre, slopes, covariance)


def learn_deviation(design: Floats, scores: Floats, fold: Ints, customer: Ints) -> Deviation:
    """Regresses scores on rows, as strongly regularised as cross-validation asks for (Kennedy 2023).

    The constant effect is the limit of an infinite penalty and wins unless the best penalty predicts the scores
    of customers it was not fitted to better by more than 1.645 standard errors. What remains is multiplied by the
    slope of the scores on the predictions out of fold, at most 1. The covariance is the posterior's under the
    normal prior that the penalty equals.

    Args:
        design: Shape (n, k), columns of about unit scale.
        scores: Shape (n,).
        fold: Of each row, the same for all rows of a customer, shape (n,).
        customer: Position of each row's customer, shape (n,).
    """
    columns = design.shape[1]
    if not columns or len(np.unique(fold)) < 2:
        return Deviation.none(columns)
    residual, predicted = _out_of_fold(design, scores, fold)
    gain = residual[:, None] ** 2 - (residual[:, None] - predicted) ** 2
    best = int(gain.mean(axis=0).argmax())
    of_customer = np.bincount(customer, gain[:, best])
    if of_customer.sum() <= _CRITICAL * np.sqrt((of_customer**2).sum()):
        return Deviation.none(columns)
    slope = min(1.0, float(residual @ predicted[:, best] / (predicted[:, best] @ predicted[:, best])))
    centre = design.mean(axis=0)
    centred = design - centre
    penalised = centred.T @ centred + PENALTIES[best] * len(design) * np.eye(columns)
    slopes = np.linalg.solve(penalised, centred.T @ (scores - scores.mean()))
    left = scores - scores.mean() - centred @ slopes
    repeated = max(1.0, float((np.bincount(customer, left) ** 2).sum() / (left @ left)))
    covariance = left.var() * repeated * np.linalg.inv(penalised)
    return Deviation(float(PENALTIES[best]), slope, centre, slope * slopes, covariance)


def _out_of_fold(design: Floats, scores: Floats, fold: Ints) -> tuple[Floats, Floats]:
    """Scores less the other folds' mean, shape (n,), and predictions of them by each penalty, shape (n, penalties)."""
    residual = np.empty(len(design))
    predicted = np.empty((len(design), len(PENALTIES)))
    for j in np.unique(fold):
        learn, ask = fold != j, fold == j
        centre, mean = design[learn].mean(axis=0), scores[learn].mean()
        centred = design[learn] - centre
        strength, direction = np.linalg.eigh(centred.T @ centred)
        projected = direction.T @ (centred.T @ (scores[learn] - mean))
        slopes = direction @ (projected[:, None] / (np.maximum(strength, 0)[:, None] + PENALTIES * len(centred)))
        residual[ask] = scores[ask] - mean
        predicted[ask] = (design[ask] - centre) @ slopes
    return residual, predicted
