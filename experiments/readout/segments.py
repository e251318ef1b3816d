"""Effects within segments, drawn towards each other as far as the data do not tell them apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from tactful.experiments.base.metrics import Metric
from tactful.experiments.readout.effects import Effect, adjusted, compare


@dataclass(frozen=True, slots=True)
class SegmentEffect:
    """The effect in one segment.

    Attributes:
        name: Of the segment.
        effect: From its own customers alone.
        shrunk: The difference, drawn towards that of all segments.
        low: Lower bound of the shrunk one's 95 % interval.
        high: Upper bound.
        pvalue: Of its own difference, adjusted by Holm for all segments.
    """

    name: str
    effect: Effect
    shrunk: float
    low: float
    high: float
    pvalue: float


@dataclass(frozen=True, slots=True)
class Segments:
    """The effect in every segment of a cut.

    Attributes:
        cut: The property that divides the customers.
        segments: The segments that can be told.
        spread: Standard deviation of the true differences between segments; 0 where the data show none.
        pvalue: Of Cochran's test that all are one.
    """

    cut: str
    segments: tuple[SegmentEffect, ...]
    spread: float
    pvalue: float

    @property
    def warning(self) -> str:
        """A warning before anybody chooses a segment for its effect."""
        n = len(self.segments)
        if n == 1:
            return "Everybody is in one segment: there is nothing to compare."
        chance = 1 - 0.95**n
        told = f"Looking at {n} segments finds one that is 'significant' by chance alone with probability {chance:.0%}."
        if self.pvalue >= 0.05:
            return f"{told} These differ no more than chance would have them (p = {self.pvalue:.2f}): act on the whole."
        return f"{told} These differ (p = {self.pvalue:.3f}); confirm the one you act on in an experiment of its own."


def by_segment(
    control: pd.DataFrame, treatment: pd.DataFrame, metric: Metric, cut: str, *, alpha: float = 0.05
) -> Segments:
    """The effect in each segment, shrunk by empirical Bayes, with Cochran's test of whether they differ.

    Source: DerSimonian and Laird (1986), Meta-analysis in Clinical Trials, for the spread and the test; Morris (1983),
    Parametric Empirical Bayes Inference, for the shrinking.

    Args:
        control: One row a customer, with the metric's columns and the cut's.
        treatment: The same.
        metric: The metric.
        cut: Column that names each customer's segment.
        alpha: One less the level of the segments' own intervals.
    """
    names = sorted(set(control[cut].dropna()) & set(treatment[cut].dropna()), key=str)
    own = {
        str(n): compare(control[control[cut] == n], treatment[treatment[cut] == n], metric, alpha=alpha) for n in names
    }
    known = {name: effect for name, effect in own.items() if effect.known}
    found = shrink([e.difference for e in known.values()], [e.error for e in known.values()])
    holm = adjusted({name: effect.pvalue for name, effect in known.items()}, alpha=alpha)
    reach = 1.959963984540054
    return Segments(
        cut,
        tuple(
            SegmentEffect(name, effect, value, value - reach * error, value + reach * error, holm[name])
            for (name, effect), value, error in zip(known.items(), found.values, found.errors, strict=True)
        ),
        found.spread,
        found.pvalue,
    )


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Estimates drawn towards their common mean.

    Attributes:
        values: The shrunk estimates.
        errors: Their posterior standard deviations.
        spread: Standard deviation of the truths.
        pvalue: Of the test that all truths are one.
    """

    values: tuple[float, ...]
    errors: tuple[float, ...]
    spread: float
    pvalue: float


def shrink(differences: Sequence[float], errors: Sequence[float]) -> Shrunk:
    """Normal estimates of several truths, shrunk by as much as their differences look like noise.

    That amount is estimated too, and the posterior deviations include its error. Fewer than four estimates cannot show
    it, and stay unchanged.

    Example:
        >>> [round(value, 2) for value in shrink([1.0, 1.2, 0.9, 3.0], [0.5] * 4).values]
        [1.04, 1.23, 0.95, 2.87]
    """
    d, variance = np.asarray(differences, dtype=np.float64), np.square(np.asarray(errors, dtype=np.float64))
    k = len(d)
    if k < 2:
        return Shrunk(tuple(d.tolist()), tuple(np.sqrt(variance).tolist()), 0.0, 1.0)
    weight = 1 / variance
    heterogeneity = float((weight * np.square(d - (weight * d).sum() / weight.sum())).sum())
    scale = float(weight.sum() - np.square(weight).sum() / weight.sum())
    between = max(0.0, (heterogeneity - (k - 1)) / scale)
    total = variance + between
    centre = float((d / total).sum() / (1 / total).sum())
    towards = max(k - 3, 0) / (k - 1) * variance / total
    unsure = 2 / (k - 3) * np.square(towards) * total.mean() / total if k > 3 else 0.0
    posterior = variance * (1 - (k - 1) / k * towards) + unsure * np.square(d - centre)
    return Shrunk(
        tuple(((1 - towards) * d + towards * centre).tolist()),
        tuple(np.sqrt(posterior).tolist()),
        math.sqrt(between),
        float(stats.chi2.sf(heterogeneity, k - 1)),
    )
