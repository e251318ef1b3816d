"""Intervals and p-values that hold however often, and whenever, somebody looks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from tactful.features.array_types import Floats


@dataclass(frozen=True, slots=True)
class Sequential:
    """The result of the mixture test at each look.

    Attributes:
        low: Lower bounds, shape (looks,); all of them hold at once with the level's probability.
        high: Upper bounds.
        pvalue: Always-valid p-values, shape (looks,), none larger than one before it.
    """

    low: Floats
    high: Floats
    pvalue: Floats


def always_valid(difference: ArrayLike, error: ArrayLike, tuned: float, *, alpha: float = 0.05) -> Sequential:
    """The normal mixture sequential probability ratio test, and the confidence sequence that inverts it.

    With `V = error²` and a mixing variance `T = tuned²`, the likelihood ratio against no difference is
    `√(V / (V + T)) · exp(T d² / (2 V (V + T)))`; the interval is what it would not reject at `1 / alpha`. It is
    asymptotic as any z test is: the first look should rest on some hundred customers an arm.

    Source: Robbins (1970), Statistical Methods Related to the Law of the Iterated Logarithm; Johari, Koomen, Pekelis
    and Walsh (2022), Always Valid Inference: Continuous Monitoring of A/B Tests; for estimated variances,
    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Time-Uniform Central Limit Theory and Asymptotic
    Confidence Sequences.

    Args:
        difference: Treatment less control at each look, in time order along the last axis.
        error: Its standard error at each look, above 0.
        tuned: Standard deviation of the mixture, from `tuned_to`; it must not depend on the differences seen.
        alpha: Probability that any of the intervals ever misses the truth.

    Example:
        >>> found = always_valid([0.30, 0.25, 0.21], [0.12, 0.08, 0.05], tuned=0.15)
        >>> found.low.round(3).tolist(), found.pvalue.round(3).tolist()
        ([-0.105, 0.002, 0.058], [0.238, 0.047, 0.001])
    """
    d, variance = np.asarray(difference, dtype=np.float64), np.square(np.asarray(error, dtype=np.float64))
    mixture = tuned**2
    growth = np.log1p(mixture / variance)
    reach = np.sqrt(variance * (variance + mixture) / mixture * (growth - 2 * np.log(alpha)))
    evidence = np.square(d) * mixture / (2 * variance * (variance + mixture)) - growth / 2
    pvalue = np.minimum.accumulate(np.exp(-np.maximum(evidence, 0.0)), axis=-1)
    return Sequential(d - reach, d + reach, pvalue)


def tuned_to(error: float, *, alpha: float = 0.05) -> float:
    """The mixture whose interval is shortest when the standard error has come down to a planned one.

    Source: Waudby-Smith and others (2024), appendix on the choice of ρ: `ρ² n = −2 log α + log(1 − 2 log α)`.

    Args:
        error: Standard error that is planned for, above 0.
        alpha: As for `always_valid`.

    Example:
        >>> round(tuned_to(0.05), 3)
        0.141
    """
    return float(error * np.sqrt(-2 * np.log(alpha) + np.log1p(-2 * np.log(alpha))))


def widening(*, alpha: float = 0.05, power: float = 0.8) -> float:
    """How many times the customers of a test at one look an always-valid test needs for the same power.

    The price of looking whenever one likes, where it runs to the end it was tuned to; it may well stop earlier.

    Example:
        >>> round(widening(), 2)
        1.91
    """
    tuned = tuned_to(1.0, alpha=alpha)
    reach = float(np.sqrt((1 + tuned**2) / tuned**2 * (np.log1p(tuned**2) - 2 * np.log(alpha))))
    fixed = ndtri(1 - alpha / 2) + ndtri(power)
    return float(((reach + ndtri(power)) / fixed) ** 2)
