"""The expected outcome of a customer who is left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from tactful.features.array_types import Floats
from tactful.models.effects.log import Log

_PENALTY = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Unaided:
    """Expected outcome of a row under the baseline: a ridge regression, logistic for outcomes of 0 and 1.

    Attributes:
        binary: Whether it is a probability.
        intercept: In log-odds where it is.
        slopes: Of the columns, shape (k,).
    """

    binary: bool
    intercept: float
    slopes: Floats

    @classmethod
    def fit(cls, design: Floats, log: Log) -> Self:
        """Fits to the rows left alone, each weighted by its inverse probability, so that they represent all rows.

        Args:
            design: Rows as numbers, shape (n, k).
            log: Of the same rows; some of them were left alone.
        """
        rows = log.action == 0
        outcome, weight = log.outcome[rows], 1 / log.probability[rows]
        weight = weight / weight.mean()
        known = np.column_stack([np.ones(len(outcome)), design[rows]])
        mean = float(np.average(outcome, weights=weight))
        if log.binary and 0 < mean < 1:
            found = _logistic(known, outcome, weight, mean)
            return cls(True, float(found[0]), found[1:])
        penalty = np.diag([0.0, *[_PENALTY] * design.shape[1]])
        found = np.linalg.solve(known.T @ (weight[:, None] * known) + penalty, known.T @ (weight * outcome))
        return cls(False, float(found[0]), found[1:])

    def at(self, design: Floats) -> Floats:
        """Shape (n,)."""
        linear = self.intercept + (design * self.slopes).sum(axis=1)
        return np.asarray(expit(linear) if self.binary else linear)

    def to_json(self) -> dict[str, Any]:
        """JSON's values."""
        return {"binary": self.binary, "intercept": self.intercept, "slopes": self.slopes.tolist()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(bool(values["binary"]), float(values["intercept"]), np.array(values["slopes"], dtype=np.float64))


def _logistic(design: Floats, outcome: Floats, weight: Floats, mean: float) -> Floats:
    """Minimises the weighted log-loss plus half the penalty; the first column is the intercept, which has none."""
    penalty = np.array([0.0, *[_PENALTY] * (design.shape[1] - 1)])
    sign = 1 - 2 * outcome

    def loss(slopes: Floats) -> tuple[float, Floats]:
        linear = design @ slopes
        value = weight @ np.logaddexp(0, sign * linear) + penalty @ slopes**2 / 2
        return float(value), design.T @ (weight * (expit(linear) - outcome)) + penalty * slopes

    start = np.zeros(design.shape[1])
    start[0] = logit(mean)
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)
