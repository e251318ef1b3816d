"""Maps from a model's probability to a calibrated one: monotone, with two or three numbers, kept as JSON.

Platt (1999), Probabilistic Outputs for Support Vector Machines, Advances in Large Margin Classifiers.
Kull, Silva Filho, Flach (2017), Beta calibration, AISTATS 54.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from tactful.models.base.errors import ModelError

Probabilities: TypeAlias = NDArray[np.float64]

_EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Identity:
    """Leaves probabilities as they are."""

    KIND: ClassVar[str] = "identity"

    def apply(self, probability: Probabilities) -> Probabilities:
        """The same probabilities."""
        return probability

    @classmethod
    def fit(cls, probability: Probabilities, outcome: NDArray[np.bool_]) -> Self:  # noqa: ARG003 - like the others
        """There is nothing to fit."""
        return cls()


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic curve on the log-odds.

    Attributes:
        slope: At least 0; below 1 where the model is too sure of itself.
        intercept: Above 0 where the model's probabilities are too low.

    Example:
        >>> Platt(slope=1.0, intercept=0.0).apply(np.array([0.2, 0.7])).round(6).tolist()
        [0.2, 0.7]
    """

    KIND: ClassVar[str] = "platt"
    slope: float
    intercept: float

    def apply(self, probability: Probabilities) -> Probabilities:
        """Calibrated probabilities, shape and order kept."""
        log_p, log_q = _logs(probability)
        return np.asarray(expit(self.slope * (log_p - log_q) + self.intercept))

    @classmethod
    def fit(cls, probability: Probabilities, outcome: NDArray[np.bool_]) -> Self:
        """Maximises the likelihood of outcomes the model was not fitted to."""
        log_p, log_q = _logs(probability)
        slope, intercept = _fit((log_p - log_q)[:, None], outcome, start=[1.0])
        return cls(slope, intercept)


@dataclass(frozen=True, slots=True)
class Beta:
    """Log-odds linear in log p and log (1 - p): corrects each end by itself, and contains the identity.

    Attributes:
        low: Weight of log p, at least 0.
        high: Weight of -log (1 - p), at least 0.
        intercept: Shift of the log-odds.
    """

    KIND: ClassVar[str] = "beta"
    low: float
    high: float
    intercept: float

    def apply(self, probability: Probabilities) -> Probabilities:
        """Calibrated probabilities, shape and order kept."""
        log_p, log_q = _logs(probability)
        return np.asarray(expit(self.low * log_p - self.high * log_q + self.intercept))

    @classmethod
    def fit(cls, probability: Probabilities, outcome: NDArray[np.bool_]) -> Self:
        """Maximises the likelihood of outcomes the model was not fitted to."""
        log_p, log_q = _logs(probability)
        low, high, intercept = _fit(np.column_stack([log_p, -log_q]), outcome, start=[1.0, 1.0])
        return cls(low, high, intercept)


KINDS: dict[str, type[Identity | Platt | Beta]] = {kind.KIND: kind for kind in (Identity, Platt, Beta)}


def to_json(calibration: Identity | Platt | Beta) -> dict[str, Any]:
    """The kind and its numbers."""
    return {"kind": calibration.KIND, **asdict(calibration)}


def from_json(values: dict[str, Any]) -> Identity | Platt | Beta:
    """The inverse of `to_json`.

    Raises:
        ModelError: Another kind, or other numbers than it takes.

    Example:
        >>> from_json({"kind": "platt", "slope": 0.9, "intercept": 0.1})
        Platt(slope=0.9, intercept=0.1)
    """
    numbers = {name: value for name, value in values.items() if name != "kind"}
    try:
        return KINDS[values["kind"]](**numbers)
    except (KeyError, TypeError) as error:
        raise ModelError("unknown calibration", got=values, wanted=", ".join(KINDS)) from error


def _logs(probability: Probabilities) -> tuple[Probabilities, Probabilities]:
    inside = np.clip(probability, _EDGE, 1 - _EDGE)
    return np.log(inside), np.log1p(-inside)


def _fit(inputs: NDArray[np.float64], outcome: NDArray[np.bool_], start: list[float]) -> tuple[float, ...]:
    """Non-negative weights and an intercept by maximum likelihood, with Platt's targets short of 0 and 1."""
    positives = int(outcome.sum())
    negatives = len(outcome) - positives
    target = np.where(outcome, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.column_stack([inputs, np.ones(len(inputs))])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = design @ weights
        return float(np.mean(np.logaddexp(0, z) - target * z)), design.T @ (expit(z) - target) / len(z)

    bounds = [(0.0, None)] * inputs.shape[1] + [(None, None)]
    found = minimize(loss, [*start, 0.0], jac=True, bounds=bounds, method="L-BFGS-B")
    return tuple(float(weight) for weight in found.x)
