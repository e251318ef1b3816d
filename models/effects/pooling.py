"""Estimates of several actions, shrunk towards what was stated about them and towards each other.

Efron and Morris (1975), Data analysis using Stein's estimator and its generalizations, JASA 70.
Gelman (2006), Prior distributions for variance parameters in hierarchical models, Bayesian Analysis 1.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tactful.features.array_types import Floats
from tactful.models.base.errors import ModelError

_GRID = np.geomspace(1e-3, 3.0, 25)
_TYPICAL = 0.2


@dataclass(frozen=True, slots=True)
class Prior:
    """The belief about an action's effect before there is evidence.

    Attributes:
        mean: Difference in the outcome against the baseline.
        weight: Number of observed contacts the belief counts as, at least 0.
    """

    mean: float = 0.0
    weight: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean) and np.isfinite(self.weight) and self.weight >= 0):
            raise ModelError("unfit prior", got=self, wanted="a finite mean and a weight of at least 0")


class Pooled(NamedTuple):
    """The belief about each action after the evidence.

    Attributes:
        mean: Shape (k,).
        covariance: Shape (k, k), the uncertainty of the spread included.
    """

    mean: Floats
    covariance: Floats


def pool(estimate: Floats, covariance: Floats, prior: Floats, precision: Floats, unit: float) -> Pooled:
    """Posterior of the true values of k actions.

    The estimates are normal about the true values with a known covariance. The true values are normal about
    what was stated: they share a shift with standard deviation κ, for contacts may all work better than stated,
    and differ by τ each; what was stated with a weight counts as one more observation. κ and τ are integrated
    out over a grid under half-Cauchy densities of scale 0.2 `unit` (Gelman 2006), which is empirical Bayes that
    does not collapse when there are few actions. An action without evidence keeps what was stated, moved only by
    the shift that the others show.

    Args:
        estimate: Shape (k,); NaN where there is no evidence.
        covariance: Of the estimates, shape (k, k); read only where there is evidence.
        prior: Stated means, shape (k,).
        precision: Of the statements, 1 / variance, shape (k,); 0 for a mean with no weight.
        unit: Standard deviation of the outcome, above 0.

    Example:
        >>> doubtful, sure = np.diag([0.1**2]), np.diag([0.001**2])
        >>> stated, weightless = np.array([0.02]), np.array([0.0])
        >>> pool(np.array([0.2]), doubtful, stated, weightless, unit=0.3).mean.round(2).tolist()
        [0.12]
        >>> pool(np.array([0.2]), sure, stated, weightless, unit=0.3).mean.round(2).tolist()
        [0.2]
    """
    seen = np.flatnonzero(np.isfinite(estimate))
    spread = _spreads(len(estimate), unit)
    believed = np.linalg.solve(np.eye(len(estimate)) + spread * precision, spread)
    if not len(seen):
        weight = _density()
        return Pooled(prior.copy(), np.einsum("g,gij->ij", weight, believed))
    surprise = estimate[seen] - prior[seen]
    total = believed[:, seen[:, None], seen] + covariance[np.ix_(seen, seen)]
    gain = np.linalg.solve(total, believed[:, seen, :]).transpose(0, 2, 1)
    fit = np.einsum("i,gi->g", surprise, np.linalg.solve(total, surprise[:, None])[..., 0])
    log_weight = np.log(_density()) - (fit + np.linalg.slogdet(total)[1]) / 2
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    means = prior + gain @ surprise
    mean = weight @ means
    within = np.einsum("g,gij->ij", weight, believed - gain @ believed[:, seen, :])
    between = np.einsum("g,gi,gj->ij", weight, means - mean, means - mean)
    return Pooled(mean, within + between)


def _spreads(actions: int, unit: float) -> Floats:
    """Covariances of the true values, one for each pair of shift and spread, shape (g, k, k)."""
    shift, spread = (axis.ravel()[:, None, None] * unit for axis in np.meshgrid(_GRID, _GRID))
    return np.asarray(shift**2 * np.ones((actions, actions)) + spread**2 * np.eye(actions))


def _density() -> Floats:
    """Half-Cauchy mass of each pair on the geometric grid, summing to 1."""
    single = _GRID / (1 + (_GRID / _TYPICAL) ** 2)
    joint = np.outer(single, single).ravel()
    return np.asarray(joint / joint.sum())
