"""How good probabilities are, with intervals that respect that a customer's rows belong together.

A statistic is a function of how often each customer counts. Counted once each, it gives the value; drawn
with replacement, it gives the bootstrap distribution (Field and Welsh 2007, Bootstrapping clustered data).
The difference of two statistics sees the same draws, so it is paired.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from tactful.features.array_types import Floats
from tactful.models.base.errors import ModelError

Name = TypeVar("Name", bound=Hashable)

_CELLS = 4_000_000
_NEWTON_STEPS, _STEEPEST = 8, 50.0


class Estimate(NamedTuple):
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number computed from rows whose customers count so and so often.

    Attributes:
        of: From counts of customers, shape (b, customers), to values, shape (b,).
        least: Its lower bound.
        most: Its upper bound.
    """

    of: Callable[[Floats], Floats]
    least: float = 0.0
    most: float = 1.0

    def __sub__(self, other: Self) -> "Statistic":
        return Statistic(lambda counts: self.of(counts) - other.of(counts), self.least - other.most, self.most)


class Reliability(NamedTuple):
    """Equal-mass bins of the predicted probability, lowest first.

    Attributes:
        predicted: Mean probability of each bin.
        observed: Share of positive outcomes of each bin.
        rows: Rows in each bin.
    """

    predicted: Floats
    observed: Floats
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """The outcomes of rows, and the customer of each.

    Attributes:
        positive: Shape (n,).
        customer: Position of each row's customer among the customers, int64, shape (n,).
        customers: How many there are.
    """

    positive: NDArray[np.bool_]
    customer: NDArray[np.int64]
    customers: int

    def __post_init__(self) -> None:
        if not len(self.positive) or len(self.positive) != len(self.customer):
            got = f"{len(self.positive)} of {len(self.customer)} customers"
            raise ModelError("unfit outcomes", got=got, wanted="one or more, each with its customer")

    @classmethod
    def of(cls, positive: ArrayLike, customer_ids: ArrayLike) -> Self:
        """Outcomes of rows whose customers are named by ids."""
        names, codes = np.unique(np.asarray(customer_ids), return_inverse=True)
        return cls(np.asarray(positive, dtype=np.bool_), codes.astype(np.int64), len(names))

    def auc(self, score: Floats) -> Statistic:
        """Area under the ROC curve: the chance that a positive row scores above a negative one, ties half."""
        self._check(score)
        order = np.argsort(score, kind="stable")
        first = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
        customer, positive = self.customer[order], self.positive[order]

        def statistic(counts: Floats) -> Floats:
            weight = counts[:, customer]
            positives = np.add.reduceat(weight * positive, first, axis=1)
            negatives = np.add.reduceat(weight * ~positive, first, axis=1)
            below = np.cumsum(negatives, axis=1) - negatives / 2
            pairs = positives.sum(axis=1) * negatives.sum(axis=1)
            return _divide((positives * below).sum(axis=1), pairs)

        return Statistic(statistic)

    def log_loss(self, probability: Floats) -> Statistic:
        """Mean negative log-likelihood, in nats."""
        self._check(probability)
        inside = np.clip(probability, 1e-15, 1 - 1e-15)
        loss = -np.where(self.positive, np.log(inside), np.log1p(-inside))
        return Statistic(self._mean(loss), most=np.inf)

    def ece(self, probability: Floats, bins: int = 10) -> Statistic:
        """Expected calibration error on equal-mass bins.

        The mean over `bins` bins of equal size, cut by rank of the probability, of the absolute difference
        between mean probability and share of positive outcomes, weighted by the rows in each. It is above 0
        for perfect probabilities too: each bin's share is uncertain. Draws keep the bins of the sample.
        """
        self._check(probability)
        bin_sums = np.zeros((self.customers, bins))
        np.add.at(bin_sums, (self.customer, _bins(probability, bins)), probability - self.positive)
        rows = np.bincount(self.customer, minlength=self.customers).astype(np.float64)
        return Statistic(lambda counts: _divide(np.abs(counts @ bin_sums).sum(axis=1), counts @ rows))

    def ece_by_chance(
        self, probability: Floats, level: float, *, bins: int = 10, draws: int = 1000, seed: int = 0
    ) -> float:
        """The expected calibration error that true probabilities exceed once in `1 / (1 - level)` samples like this.

        The larger of two quantiles: of outcomes drawn from the probabilities themselves (Bröcker and Smith 2007,
        Increasing the Reliability of Reliability Diagrams, Weather and Forecasting 22), and of customers drawn with
        replacement about the biases of this sample, which know that a customer's rows depend on each other.

        Args:
            probability: Shape (n,).
            level: In (0, 1).
            bins: As for `ece`.
            draws: Samples of each kind.
            seed: Of the draws.

        Example:
            >>> probability = np.random.default_rng(0).uniform(0.1, 0.3, 2000)
            >>> outcomes = Outcomes.of(np.random.default_rng(1).random(2000) < probability, np.arange(2000))
            >>> outcomes.value(outcomes.ece(probability)) < outcomes.ece_by_chance(probability, 0.95) < 0.035
            True
        """
        self._check(probability)
        generator, of_bin = np.random.default_rng(seed), _bins(probability, bins)
        biases = np.zeros((self.customers, bins))
        np.add.at(biases, (self.customer, of_bin), probability - self.positive)
        again = [np.abs((counts - 1) @ biases).sum(axis=1) for counts in self._draws(draws, seed)]
        drawn = [
            np.abs(np.bincount(of_bin, probability - (generator.random(len(probability)) < probability), bins)).sum()
            for _ in range(draws)
        ]
        return float(max(np.quantile(np.concatenate(again), level), np.quantile(drawn, level)) / len(probability))

    def slope(self, probability: Floats) -> Statistic:
        """Slope of a logistic regression of the outcomes on the log-odds: below 1 where these are too far apart.

        Cox (1958), Two Further Applications of a Model for Binary Regression, Biometrika 45.
        """
        self._check(probability)
        inside = np.clip(probability, 1e-9, 1 - 1e-9)
        odds = np.log(inside / (1 - inside))
        return Statistic(lambda counts: _slope(odds, self.positive, counts[:, self.customer]), -np.inf, np.inf)

    def reliability(self, probability: Floats, bins: int = 10) -> Reliability:
        """The curve that `ece` sums up."""
        self._check(probability)
        of_bin = _bins(probability, bins)
        rows = np.bincount(of_bin, minlength=bins)
        predicted = np.bincount(of_bin, probability, minlength=bins)
        observed = np.bincount(of_bin, self.positive, minlength=bins)
        return Reliability(_divide(predicted, rows), _divide(observed, rows), rows)

    def value(self, statistic: Statistic) -> float:
        """A statistic of these rows, each customer counted once."""
        return float(statistic.of(np.ones((1, self.customers)))[0])

    def estimate(
        self, statistics: Mapping[Name, Statistic], *, draws: int = 1000, seed: int = 0
    ) -> dict[Name, Estimate]:
        """Values with 95 % intervals; all statistics see the same draws of customers.

        The intervals are basic bootstrap intervals (Davison and Hinkley 1997, section 5.2), which reflect the
        draws about the value. A draw's ECE exceeds the sample's about as much as the sample's exceeds the
        truth: percentiles would add that bias a second time, reflection takes it off.

        Args:
            statistics: By name.
            draws: Bootstrap samples.
            seed: Of the draws; the same seed gives the same intervals.

        Example:
            >>> outcomes = Outcomes.of([False, True, False, True], ["a", "b", "c", "d"])
            >>> score = np.array([0.1, 0.4, 0.5, 0.8])
            >>> outcomes.estimate({"auc": outcomes.auc(score)})["auc"].value
            0.75
        """
        drawn: dict[Name, list[Floats]] = {name: [] for name in statistics}
        for counts in self._draws(draws, seed):
            for name, statistic in statistics.items():
                drawn[name].append(statistic.of(counts))
        return {
            name: _estimate(statistic, self.value(statistic), np.concatenate(drawn[name]))
            for name, statistic in statistics.items()
        }

    def _check(self, score: Floats) -> None:
        if score.shape != self.positive.shape or not np.isfinite(score).all():
            got = f"{int((~np.isfinite(score)).sum())} no number, shape {score.shape}"
            raise ModelError("unfit scores", got=got, wanted=f"finite numbers, shape {self.positive.shape}")

    def _draws(self, draws: int, seed: int) -> Iterator[Floats]:
        generator = np.random.default_rng(seed)
        size = max(1, _CELLS // max(len(self.positive), self.customers))
        for start in range(0, draws, size):
            block = min(size, draws - start)
            drawn = generator.integers(self.customers, size=(block, self.customers))
            drawn += np.arange(block)[:, None] * self.customers
            counts = np.bincount(drawn.ravel(), minlength=block * self.customers)
            yield counts.reshape(block, self.customers).astype(np.float64)

    def _mean(self, values: Floats) -> Callable[[Floats], Floats]:
        sums = np.bincount(self.customer, values, minlength=self.customers)
        rows = np.bincount(self.customer, minlength=self.customers).astype(np.float64)
        return lambda counts: _divide(counts @ sums, counts @ rows)


def _slope(odds: Floats, positive: NDArray[np.bool_], weight: Floats) -> Floats:
    """The slope for each row of weights, by Newton's method."""
    intercept, slope = np.zeros(len(weight)), np.ones(len(weight))
    for _ in range(_NEWTON_STEPS):
        mean = expit(intercept[:, None] + slope[:, None] * odds)
        residual, curve = weight * (positive - mean), weight * mean * (1 - mean)
        flat, first, second = curve.sum(axis=1), curve @ odds, curve @ np.square(odds)
        determinant = flat * second - np.square(first)
        up, along = residual.sum(axis=1), residual @ odds
        intercept = np.clip(intercept + _divide(second * up - first * along, determinant), -_STEEPEST, _STEEPEST)
        slope = np.clip(slope + _divide(flat * along - first * up, determinant), -_STEEPEST, _STEEPEST)
    return slope


def _bins(probability: Floats, bins: int) -> NDArray[np.int64]:
    of_bin = np.empty(len(probability), dtype=np.int64)
    of_bin[np.argsort(probability, kind="stable")] = np.arange(len(probability)) * bins // max(1, len(probability))
    return of_bin


def _divide(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Their ratio, NaN over 0: a draw without a positive or a negative row has no AUC."""
    above, below = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    ratio = np.full(below.shape, np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


def _estimate(statistic: Statistic, value: float, drawn: Floats) -> Estimate:
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.clip(2 * value - np.quantile(known, [0.975, 0.025]), statistic.least, statistic.most)
    return Estimate(value, float(low), float(high))
