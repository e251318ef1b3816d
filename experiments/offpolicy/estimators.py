"""Off-policy estimates: what a policy would have earned, from decisions that another policy made.

Each estimate is the mean reward of a decision, silent ones included. It holds for the contexts that were logged: the
same openings, the same gates, the same histories of contacts. A policy that contacts more would in time meet other
customers, and no estimator here knows them.

Weights are `w = target / logged` of the option chosen. Intervals are clustered by customer, and hold where few
decisions were rewarded (`tactful.experiments.base.skewed`).
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from tactful.experiments.base.errors import LogError
from tactful.experiments.base.skewed import bounds
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.support import WANTED, Wanted, clustered_error, require
from tactful.features.array_types import Floats

Estimator = Literal["ips", "snips", "direct", "doubly_robust", "switch_dr"]
"""The estimators by name, for `difference`."""

_THRESHOLDS = 21


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its interval.

    Attributes:
        value: Mean reward of a decision, in the unit of the rewards.
        low: Lower bound of the interval.
        high: Upper bound of the interval.
        standard_error: Of the value, clustered by customer.
        n: Decisions.
    """

    value: float
    low: float
    high: float
    standard_error: float
    n: int


def ips(log: Log, *, level: float = 0.95, wanted: Wanted | None = WANTED) -> Estimate:
    """Inverse propensity scoring: the mean of `w · reward`.

    Unbiased where every option of the policy could be chosen; its variance grows with the weights, and with the
    distance of the rewards from 0.

    Source: Horvitz and Thompson (1952), A Generalization of Sampling Without Replacement From a Finite Universe.

    Args:
        log: The log, with the policy to judge.
        level: Coverage of the interval, between 0 and 1.
        wanted: The support that must be there; None to estimate whatever there is.

    Raises:
        SupportError: If the policy cannot be judged.
        LogError: If the level is no coverage.
    """
    require(log, wanted)
    return _estimate(log, _terms("ips", log), level)


def snips(log: Log, *, level: float = 0.95, wanted: Wanted | None = WANTED) -> Estimate:
    """Self-normalised inverse propensity scoring: `Σ w · reward / Σ w`.

    Never outside the range of the rewards, and the same whatever constant is added to them; the price is a bias of
    order 1/n. The error is that of a ratio, by the delta method.

    Source: Swaminathan and Joachims (2015), The Self-Normalized Estimator for Counterfactual Learning.

    Args:
        log: The log, with the policy to judge.
        level: Coverage of the interval, between 0 and 1.
        wanted: The support that must be there; None to estimate whatever there is.

    Raises:
        SupportError: If the policy cannot be judged, or no choice in the log could be the policy's.
        LogError: If the level is no coverage.
    """
    require(log, wanted)
    return _estimate(log, _terms("snips", log), level)


def direct(log: Log, predictions: ArrayLike, *, level: float = 0.95, wanted: Wanted | None = WANTED) -> Estimate:
    """Direct method: the mean of the rewards that a model predicts for the policy's options.

    As biased as the model, and the interval does not know: it holds the spread of customers alone.

    Args:
        log: The log, with the policy to judge.
        predictions: Predicted reward of each option, shape (n, k); fitted on other customers, see
            `tactful.experiments.offpolicy.predictions`. NaN is allowed for an option that the policy never chooses.
        level: Coverage of the interval, between 0 and 1.
        wanted: The support that must be there; None to estimate whatever there is.

    Raises:
        SupportError: If the policy cannot be judged.
        LogError: If a prediction that is needed is missing, or the level is no coverage.
    """
    require(log, wanted)
    return _estimate(log, _terms("direct", log, predictions), level)


def doubly_robust(log: Log, predictions: ArrayLike, *, level: float = 0.95, wanted: Wanted | None = WANTED) -> Estimate:
    """Doubly robust: the direct method, corrected by the weighted errors of its predictions.

    Right where the logged probabilities are right, whatever the model; the better the model, the narrower.

    Source: Dudík, Langford and Li (2011), Doubly Robust Policy Evaluation and Learning.

    Args:
        log: The log, with the policy to judge.
        predictions: Predicted reward of each option, shape (n, k); fitted on other customers.
        level: Coverage of the interval, between 0 and 1.
        wanted: The support that must be there; None to estimate whatever there is.

    Raises:
        SupportError: If the policy cannot be judged.
        LogError: If a prediction that is needed is missing, or the level is no coverage.
    """
    require(log, wanted)
    return _estimate(log, _terms("doubly_robust", log, predictions), level)


def switch_dr(
    log: Log,
    predictions: ArrayLike,
    threshold: float | None = None,
    *,
    level: float = 0.95,
    wanted: Wanted | None = WANTED,
) -> Estimate:
    """Switch-DR: doubly robust where the weight is at most a threshold, the direct method beyond.

    Source: Wang, Agarwal and Dudík (2017), Optimal and Adaptive Off-policy Evaluation in Contextual Bandits.

    Args:
        log: The log, with the policy to judge.
        predictions: Predicted reward of each option, shape (n, k); fitted on other customers.
        threshold: Largest weight that is used, at least 0; None for that of `switch_threshold`.
        level: Coverage of the interval, between 0 and 1.
        wanted: The support that must be there; None to estimate whatever there is.

    Raises:
        SupportError: If the policy cannot be judged.
        LogError: If a prediction that is needed is missing, or the level is no coverage.
    """
    require(log, wanted)
    return _estimate(log, _terms("switch_dr", log, predictions, threshold), level)


def difference(
    candidate: Log,
    incumbent: Log,
    estimator: Estimator = "snips",
    predictions: ArrayLike | None = None,
    *,
    level: float = 0.95,
    wanted: Wanted | None = WANTED,
) -> Estimate:
    """By how much one policy would have earned more than another on the same decisions.

    Paired: both are judged by the same choices and rewards, so that what they share cancels, and two equal policies
    differ by exactly 0. Deviations are subtracted before they are summed by customer.

    Args:
        candidate: The log, with the policy to judge.
        incumbent: The same decisions, with the policy it would replace.
        estimator: By name.
        predictions: Predicted reward of each option, shape (n, k), for those estimators that take some.
        level: Coverage of the interval, between 0 and 1.
        wanted: The support that must be there for both; None to estimate whatever there is.

    Raises:
        SupportError: If one of them cannot be judged.
        LogError: If the logs are of other decisions, or predictions are missing, or the level is no coverage.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> choices = rng.integers(0, 2, 2000)
        >>> half, always = np.full((2000, 2), 0.5), np.tile([0.0, 1.0], (2000, 1))
        >>> rewards, customers = choices + rng.normal(size=2000), np.arange(2000)
        >>> now, then = Log(choices, half, half, rewards, customers), Log(choices, half, always, rewards, customers)
        >>> found = difference(then, now)
        >>> print(f"{found.value:.2f} between {found.low:.2f} and {found.high:.2f}")
        0.50 between 0.45 and 0.55
        >>> difference(now, now).high
        0.0
    """
    for name in ("choices", "logged", "rewards", "customers"):
        if not np.array_equal(getattr(candidate, name), getattr(incumbent, name)):
            raise LogError("logs of other decisions", wanted="the same decisions with another policy", where=name)
    require(candidate, wanted)
    require(incumbent, wanted)
    one, other = (_terms(estimator, log, predictions) for log in (candidate, incumbent))
    return _estimate(candidate, _less(one, other), level)


def switch_threshold(log: Log, predictions: ArrayLike) -> float:
    """The threshold with the least estimated variance plus squared bound of the bias, among quantiles of the weights.

    Beyond the threshold the direct method may be wrong by at most the range of the rewards, times the probability that
    the policy puts there (section 4.2 of Wang, Agarwal and Dudík 2017; the variance here is clustered by customer).
    """
    return _threshold(log, _predictions(log, predictions))


def _threshold(log: Log, predictions: Floats) -> float:
    possible = (log.target > 0) & (log.logged > 0)
    probabilities = log.target[possible]
    weights = probabilities / log.logged[possible]
    candidates = np.unique(np.quantile(weights, np.linspace(0, 1, _THRESHOLDS))) if len(weights) else np.zeros(1)
    reach = float(np.ptp(log.rewards))
    errors = []
    for candidate in candidates:
        terms = _corrected(log, predictions, candidate)
        bias = reach * float(probabilities[weights > candidate].sum()) / len(log)
        errors.append(clustered_error(log, terms - terms.mean()) ** 2 + bias**2)
    return float(candidates[int(np.argmin(errors))])


def _expected(log: Log, predictions: Floats) -> Floats:
    expected: Floats = (log.target * predictions).sum(axis=1)
    return expected


def _corrected(log: Log, predictions: Floats, threshold: float) -> Floats:
    used = np.where(log.weights <= threshold, log.weights, 0.0)
    predicted = predictions[np.arange(len(log)), log.choices]
    return _expected(log, predictions) + used * (log.rewards - predicted)


def _predictions(log: Log, predictions: ArrayLike) -> Floats:
    """The predictions, 0 where the policy never chooses: there they count for nothing."""
    given = np.asarray(predictions, dtype=np.float64)
    if given.shape != log.target.shape:
        raise LogError("predictions of another shape", got=given.shape, wanted=log.target.shape, where="predictions")
    needed: Floats = np.where(log.target > 0, given, 0.0)
    missing = ~np.isfinite(needed).all(axis=1)
    if missing.any():
        row = f"predictions, row {int(missing.argmax())}"
        raise LogError("a prediction missing", wanted="a number where the policy may choose", where=row)
    return needed


class _Terms(NamedTuple):
    """An estimate, by how much each decision's part of it is off, and what would have been off with other choices.

    The deviations have mean 0. Each is, but for what is known before the choice, the slope of the option chosen times
    the residual of the reward.
    """

    value: float
    deviations: Floats
    slopes: Floats
    residuals: Floats


def _terms(
    estimator: Estimator, log: Log, predictions: ArrayLike | None = None, threshold: float | None = None
) -> _Terms:
    if estimator == "snips":
        return _ratio(log)
    if estimator == "ips":
        return _mean(log.weights * log.rewards, _weights(log), log.rewards)
    if predictions is None:
        raise LogError("no predictions", wanted="the predicted reward of each option", where=estimator)
    known = _predictions(log, predictions)
    if estimator == "direct":
        return _mean(_expected(log, known), np.zeros_like(known), log.rewards)
    if estimator == "switch_dr" and threshold is None:
        threshold = _threshold(log, known)
    most = np.inf if threshold is None else threshold
    weights, predicted = _weights(log), known[np.arange(len(log)), log.choices]
    slopes = np.where(weights <= most, weights, 0.0)
    return _mean(_corrected(log, known, most), slopes, log.rewards - predicted)


def _ratio(log: Log) -> _Terms:
    if not log.weights.any():
        require(log, Wanted(effective=1.0))
    value = float(np.average(log.rewards, weights=log.weights))
    slopes = _weights(log) / log.weights.mean()
    return _Terms(value, log.weights * (log.rewards - value) / log.weights.mean(), slopes, log.rewards - value)


def _mean(terms: Floats, slopes: Floats, residuals: Floats) -> _Terms:
    value = float(terms.mean())
    return _Terms(value, terms - value, slopes, residuals)


def _less(one: _Terms, other: _Terms) -> _Terms:
    residuals = (one.residuals + other.residuals) / 2
    return _Terms(one.value - other.value, one.deviations - other.deviations, one.slopes - other.slopes, residuals)


def _weights(log: Log) -> Floats:
    """The weight that each option would have had, shape (n, k); 0 for what could not be chosen."""
    return np.divide(log.target, log.logged, out=np.zeros_like(log.target), where=log.logged > 0)


def _pooled(log: Log, terms: _Terms) -> float:
    """The standard error if residuals were alike for all options: the weights of what was not chosen are known too."""
    weights, residuals = log.logged * terms.slopes, terms.residuals
    mean = float(weights.sum(axis=1).mean() * residuals.mean())
    second = float((weights * terms.slopes).sum(axis=1).mean() * np.square(residuals).mean())
    return math.sqrt(max(second - mean**2, 0.0) / len(log))


def _estimate(log: Log, terms: _Terms, level: float) -> Estimate:
    if not 0 < level < 1:
        raise LogError("an impossible coverage", got=level, wanted="between 0 and 1", where="level")
    error = clustered_error(log, terms.deviations)
    low, high = bounds(terms.value, error, log.by_customer(terms.deviations), level)
    reach = _pooled(log, terms) * float(stdtrit(log.customer_count - 1, (1 + level) / 2))
    return Estimate(terms.value, min(low, terms.value - reach), max(high, terms.value + reach), error, len(log))
