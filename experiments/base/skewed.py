"""Intervals of means of skewed quantities, such as rewards that few customers bring."""

import math

import numpy as np
from scipy.special import stdtrit

from tactful.features.array_types import Floats


def bounds(value: float, error: float, parts: Floats, level: float = 0.95) -> tuple[float, float]:
    """The interval of a mean over independent customers, right where few of them bring most of it.

    A mean of rare rewards has a skewed distribution: where it came out low, its standard error came out low too, so
    that the symmetric interval lies below the truth too often. Two corrections prevent it. The quantile is Student's
    t with `2C / (kurtosis − 1)` degrees of freedom, at most `C − 1`: the variance of few large parts is hardly known.
    And the interval is the smallest that holds the symmetric one and that of Hall's cubic transformation, which takes
    the skewness away. With parts like normal ones both corrections vanish.

    Source: Hall (1992), On the Removal of Skewness by Transformation; Satterthwaite (1946), An Approximate
    Distribution of Estimates of Variance Components, and O'Neill (2014), Some Useful Moment Results in Sampling
    Problems, for the degrees of freedom.

    Args:
        value: The mean.
        error: Its standard error, at least 0.
        parts: By how much each of C customers moves the mean, up to a common factor; they add up to 0. Shape (C,),
            C at least 2.
        level: Coverage, between 0 and 1.

    Example:
        >>> ten = np.repeat([0.0, 1.0], [9_990, 10])  # ten of ten thousand bought
        >>> low, high = bounds(10.0, 10**0.5, ten - ten.mean())  # exact for a Poisson count: 4.8 to 18.4
        >>> round(low, 1), round(high, 1)
        (3.4, 19.4)
    """
    customers = len(parts)
    scale = float(np.sqrt(np.mean(np.square(parts))))
    if not scale > 0 or not error > 0:
        return value, value
    scaled = parts / scale
    skewness, kurtosis = float(np.mean(scaled**3)), float(np.mean(scaled**4))
    freedom = 2 * customers / (kurtosis - 1) if kurtosis > 1 else math.inf
    quantile = float(stdtrit(min(customers - 1.0, max(1.0, freedom)), (1 + level) / 2))
    lean = skewness / math.sqrt(customers)
    low, high = max(quantile, _straightened(quantile, lean)), min(-quantile, _straightened(-quantile, lean))
    return value - low * error, value - high * error


def _straightened(quantile: float, lean: float) -> float:
    """The quantile of a studentised mean, from that of its transformation without skewness."""
    if abs(lean) < 1e-9:
        return quantile
    return 3 / lean * (float(np.cbrt(1 + lean * (quantile - lean / 6))) - 1)
