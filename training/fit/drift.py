"""Whether numbers of now come from where numbers of then came from: stability index, two-sample test, many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import fisher_exact, ks_2samp, norm

from tactful.features.array_types import Floats
from tactful.training.data.errors import TrainingError

BINS = 10
LARGE = 0.2
"""A population stability index above this is called a large shift (Siddiqi 2006, Credit Risk Scorecards)."""
UNLIKELY = 0.01
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Drift:
    """How one number changed.

    Attributes:
        name: Of the number.
        psi: Population stability index: 0 for the same distribution.
        distance: Largest difference of the two distribution functions (Kolmogorov and Smirnov), missing values aside.
        missing_before: Share of missing values then.
        missing_after: The same now.
        p: How likely so large a distance, or such a change of the missing share, is where nothing changed.
        q: The same, corrected for how many numbers were looked at.
    """

    name: str
    psi: float
    distance: float
    missing_before: float
    missing_after: float
    p: float
    q: float

    @property
    def alert(self) -> bool:
        """Whether the change is both large and no accident."""
        return self.psi > LARGE and self.q < UNLIKELY


@dataclass(frozen=True, slots=True)
class RateDrift:
    """How a share changed.

    Attributes:
        name: Of what it is a share.
        before: Then.
        after: Now.
        low: Lower bound of the change.
        high: Upper bound of the change.
        q: How likely so large a change is where nothing changed, corrected for how many were looked at.
    """

    name: str
    before: float
    after: float
    low: float
    high: float
    q: float

    @property
    def alert(self) -> bool:
        """Whether the change is no accident."""
        return self.q < UNLIKELY


def psi(before: ArrayLike, after: ArrayLike, bins: int = BINS) -> float:
    """Population stability index: `Σ (a − b) · ln(a / b)` over bins that were of equal mass then, and missing values.

    The symmetrised relative entropy of the two binned distributions (Kullback and Leibler 1951, On information and
    sufficiency). Half a row is added to each bin, so that an empty one is no infinity.

    Args:
        before: Then; NaN is missing.
        after: Now.
        bins: How many; equal quantiles count once.

    Raises:
        TrainingError: No values, or infinite ones.

    Example:
        >>> then = np.arange(1000.0)
        >>> psi(then, then), round(psi(then, then + 300), 2)
        (0.0, 1.99)
    """
    then, now = _numbers(before), _numbers(after)
    known = then[~np.isnan(then)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.empty(0)
    shares = []
    for values in (then, now):
        missing = np.isnan(values)
        counts = np.bincount(np.searchsorted(edges, values[~missing], side="left"), minlength=len(edges) + 1)
        filled = np.append(counts, missing.sum()) + _HALF
        shares.append(filled / filled.sum())
    b, a = shares
    return float(((a - b) * np.log(a / b)).sum())


def drifts(before: Mapping[str, ArrayLike], after: Mapping[str, ArrayLike]) -> list[Drift]:
    """How each of many numbers changed, the largest shift first.

    Two tests are made of each: Kolmogorov's and Smirnov's of the values that are there, and Fisher's of the share that
    is missing; `p` is twice the smaller probability (Bonferroni). They take rows as independent: give one row a
    customer. The probabilities are corrected for the number of numbers by the procedure of Benjamini and Hochberg
    (1995), so that of what is called a change, at most the stated share is none.

    Args:
        before: By name, the values then; NaN is missing.
        after: The same names, the values now.

    Raises:
        TrainingError: Other names, no values, or infinite ones.
    """
    if set(before) != set(after):
        raise TrainingError("other numbers now than then", got=sorted(set(before) ^ set(after))[:5], wanted="the same")
    names = list(before)
    found = [(name, _numbers(before[name]), _numbers(after[name])) for name in names]
    gone = [(np.isnan(then).astype(np.float64), np.isnan(now).astype(np.float64)) for _, then, now in found]
    tests = [_distance(then, now) for _, then, now in found]
    unlikely = [min(1.0, 2 * min(p, _exact(*shares))) for (_, p), shares in zip(tests, gone, strict=True)]
    told = [
        Drift(name, psi(then, now), distance, float(lost.mean()), float(losing.mean()), p, q)
        for (name, then, now), (distance, _), (lost, losing), p, q in zip(
            found, tests, gone, unlikely, false_discovery(unlikely), strict=True
        )
    ]
    return sorted(told, key=lambda drift: (-drift.psi, drift.name))


def rate_drifts(rates: Mapping[str, tuple[ArrayLike, ArrayLike]], level: float = 0.95) -> list[RateDrift]:
    """How each of many shares changed, with intervals of the difference.

    The probability is of Fisher's exact test (Fisher 1935, The Logic of Inductive Inference), which no group is too
    small for; the interval is that of two score intervals (Newcombe 1998, Interval Estimation for the Difference
    Between Independent Proportions, method 10), which a group without an answer does not make certain. Both take each
    value as a yes or no. A mean by customer is no more spread than that, by convexity (Hoeffding 1963, Probability
    Inequalities for Sums of Bounded Random Variables), so that both err on the side of no alert.

    Args:
        rates: By name, outcomes of 0 and 1, or means by customer, then and now.
        level: Coverage of the intervals, between 0 and 1.

    Raises:
        TrainingError: No values, some outside [0, 1], or a level that is no coverage.

    Example:
        >>> (found,) = rate_drifts({"yes": (np.repeat([0, 1], [900, 100]), np.repeat([0, 1], [800, 200]))})
        >>> round(found.before, 2), round(found.after, 2), found.alert
        (0.1, 0.2, True)
    """
    if not 0 < level < 1:
        raise TrainingError("an impossible coverage", got=level, wanted="between 0 and 1", where="level")
    values = {name: (_share(name, then), _share(name, now)) for name, (then, now) in rates.items()}
    corrected = false_discovery([_exact(then, now) for then, now in values.values()])
    return [
        RateDrift(name, float(then.mean()), float(now.mean()), *_newcombe(then, now, level), q)
        for (name, (then, now)), q in zip(values.items(), corrected, strict=True)
    ]


def false_discovery(probabilities: Sequence[float]) -> list[float]:
    """Adjusted probabilities: `min over j ≥ i of p(j) · m / j` (Benjamini and Hochberg 1995, JRSS B 57).

    Example:
        >>> [round(q, 3) for q in false_discovery([0.01, 0.04, 0.03, 0.5])]
        [0.04, 0.053, 0.053, 0.5]
    """
    if not probabilities:
        return []
    values = np.asarray(probabilities, dtype=np.float64)
    order = np.argsort(values)
    stepped = values[order] * len(values) / np.arange(1, len(values) + 1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return [float(value) for value in adjusted]


def _numbers(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not len(numbers):
        raise TrainingError("no values to compare", got=numbers.shape, wanted="shape (n,), not empty")
    if np.isinf(numbers).any():
        raise TrainingError("infinite values", got=int(np.isinf(numbers).sum()), wanted="numbers, or NaN for missing")
    return numbers


def _distance(then: Floats, now: Floats) -> tuple[float, float]:
    known = [values[~np.isnan(values)] for values in (then, now)]
    if not all(len(values) for values in known):
        return 0.0, 1.0
    found = ks_2samp(*known, method="asymp")
    return float(found.statistic), float(found.pvalue)


def _share(name: str, values: ArrayLike) -> Floats:
    answers = _numbers(values)
    if not ((answers >= 0) & (answers <= 1)).all():
        raise TrainingError("no shares", got=[float(answers.min()), float(answers.max())], wanted="[0, 1]", where=name)
    return answers


def _exact(then: Floats, now: Floats) -> float:
    yes = [round(float(values.sum())) for values in (then, now)]
    table = [[one, len(values) - one] for one, values in zip(yes, (then, now), strict=True)]
    return float(fisher_exact(table).pvalue)


def _newcombe(then: Floats, now: Floats, level: float) -> tuple[float, float]:
    (before, below, above), (after, low, high) = (_wilson(values, level) for values in (then, now))
    change = after - before
    return change - float(np.hypot(after - low, above - before)), change + float(np.hypot(high - after, before - below))


def _wilson(values: Floats, level: float) -> tuple[float, float, float]:
    """A share and its score interval (Wilson 1927)."""
    share, count, reach = float(values.mean()), len(values), float(norm.ppf((1 + level) / 2))
    shrunk = 1 + reach**2 / count
    centre = (share + reach**2 / (2 * count)) / shrunk
    half = reach / shrunk * float(np.sqrt(share * (1 - share) / count + (reach / (2 * count)) ** 2))
    return share, centre - half, centre + half
