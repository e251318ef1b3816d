"""Effects of arms on metrics, on tea-tasting: means and ratios with covariates, quantiles, sample ratios, many tests.

A row is a customer, so every interval is clustered by customer: what a customer did ten times is one row's sum.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import tea_tasting as tt  # type: ignore[import-untyped]
from scipy import stats
from tea_tasting.aggr import Aggregates  # type: ignore[import-untyped]
from tea_tasting.experiment import ExperimentResult  # type: ignore[import-untyped]

from tactful.experiments.base.aggregates import aggregated, effective, explained, level_of, untold, variances
from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.base.metrics import Metric

_HARDLY = 1e-6
_SURE = 1 - 1e-12
_RESAMPLES = 1_000
_BATCH = 50
SUSPICIOUS = 0.001
"""A sample ratio less likely than this is a fault, not chance."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference between two arms, treatment less control; NaN where there is none to tell.

    Attributes:
        control: The metric in the control, as it is.
        treatment: The metric in the treatment, had its customers the past of the control's: control plus difference.
        difference: Treatment less control, in the metric's unit.
        low: Lower bound of its interval for one look.
        high: Upper bound.
        relative: Difference over control; NaN, like its bounds, where the control may be nothing.
        relative_low: Lower bound of that.
        relative_high: Upper bound.
        error: Standard error of the difference, as a normal interval needs it: Student's t has widened it.
        pvalue: Two-sided, for one look.
        customers: In control and treatment.
        refusal: Why the effect is unknown; empty where it is known.
    """

    control: float
    treatment: float
    difference: float
    low: float
    high: float
    relative: float
    relative_low: float
    relative_high: float
    error: float
    pvalue: float
    customers: tuple[int, int]
    refusal: str = ""

    @property
    def known(self) -> bool:
        """Whether anything can be said."""
        return math.isfinite(self.difference) and math.isfinite(self.error) and self.error > 0


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Whether as many customers came into each arm as should have.

    Attributes:
        counts: Customers by arm.
        expected: How many there should be, by arm.
        pvalue: Probability of a ratio so far off by chance alone.
    """

    counts: Mapping[str, int]
    expected: Mapping[str, float]
    pvalue: float

    @property
    def passed(self) -> bool:
        """Whether chance explains it."""
        return self.pvalue >= SUSPICIOUS


def sample_ratio(counts: Mapping[str, int], shares: Mapping[str, float]) -> SampleRatio:
    """The sample ratio check: binomial or normal for two arms, chi-squared for more.

    Source: Fabijan and others (2019), Diagnosing Sample Ratio Mismatch in Online Controlled Experiments.

    Args:
        counts: Customers by arm.
        shares: Declared shares by arm.

    Example:
        >>> sample_ratio({"a": 5_000, "b": 5_400}, {"a": 0.5, "b": 0.5}).passed
        False
    """
    total, whole = sum(counts.values()), sum(shares.values())
    expected = {arm: total * shares[arm] / whole for arm in counts}
    if not total:
        raise ReadoutError("nobody took part", wanted="customers in the arms")
    arms = list(counts)
    if len(arms) == 2:
        both = {arm: Aggregates(count_=counts[arm]) for arm in arms}
        ratio = tt.SampleRatio({arm: shares[arm] for arm in arms}, correction=False)
        pvalue = ratio.analyze(both, control=arms[0], treatment=arms[1]).pvalue
    else:
        pvalue = stats.chisquare([counts[arm] for arm in arms], [expected[arm] for arm in arms]).pvalue
    return SampleRatio(counts, expected, float(pvalue))


def compare(
    control: pd.DataFrame, treatment: pd.DataFrame, metric: Metric, *, alpha: float = 0.05, covariate: bool = True
) -> Effect:
    """The effect on a mean or a ratio of means, less what a covariate from before explains (CUPED).

    Three safeguards hold false claims down where little happened. Below `FEWEST` effective customers in an arm the
    effect is unknown. The error is the larger of two: with a variance for each arm, and with one variance for both,
    since an arm in which next to nothing happened shows no variance; both are variances per effective customer. The
    interval takes Student's t with the smaller arm's effective customers less one, the lower bound of Welch's degrees
    of freedom.

    Source: Deng, Knoblich and Lu (2018), Applying the Delta Method in Metric Analytics; Deng, Xu, Kohavi and Walker
    (2013), Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data; Kish (1965),
    Survey Sampling, for effective numbers; Welch (1947), The Generalization of Student's Problem.

    Args:
        control: One row a customer, with the metric's columns.
        treatment: The same.
        metric: The metric.
        alpha: One less the level of the intervals.
        covariate: Whether to use the metric's covariate, where it has one.
    """
    columns = metric.columns if covariate else tuple(c for c in metric.columns if c != metric.covariate)
    return of_aggregates(
        aggregated(control, columns), aggregated(treatment, columns), metric, alpha=alpha, covariate=covariate
    )


def of_aggregates(
    control: Aggregates, treatment: Aggregates, metric: Metric, *, alpha: float = 0.05, covariate: bool = True
) -> Effect:
    """As `compare`, from counts, means, variances and covariances."""
    customers = (int(control.count()), int(treatment.count()))
    before = level_of(control, metric)
    refusal = untold((control, treatment), metric)
    if refusal:
        return Effect(before, level_of(treatment, metric), *(math.nan,) * 8, customers, refusal)
    student = stats.t(min(effective(arm, metric.denominator) for arm in (control, treatment)) - 1)
    wider = _widening((control, treatment), metric)
    level = min(float(2 * stats.norm.cdf(wider * student.ppf(1 - alpha / 2)) - 1), _SURE)
    found, shown = _analyzed(control, treatment, metric, level, covariate=covariate)
    plain = wider * _error(found, shown)
    reach = float(student.ppf(1 - alpha / 2)) * plain
    relative = shown == level
    difference = float(found.effect_size)
    return Effect(
        control=before,
        treatment=before + difference,
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        relative=difference / before if relative and before else math.nan,
        relative_low=float(found.rel_effect_size_ci_lower) if relative else math.nan,
        relative_high=float(found.rel_effect_size_ci_upper) if relative else math.nan,
        error=reach / float(stats.norm.ppf(1 - alpha / 2)),
        pvalue=float(2 * student.sf(abs(difference) / plain)),
        customers=customers,
    )


def _analyzed(
    control: Aggregates, treatment: Aggregates, metric: Metric, level: float, *, covariate: bool
) -> tuple[Any, float]:
    """The answer of tea-tasting, and its level.

    A relative interval is none where the control may be nothing: then only a level that has none is asked for.
    """
    before = metric.covariate if covariate and not explained(control + treatment, metric) else None
    for asked in (level, _HARDLY):
        ratio = tt.RatioOfMeans(
            metric.numerator, metric.denominator, before, use_t=False, equal_var=False, confidence_level=asked
        )
        with np.errstate(invalid="ignore", divide="ignore"), suppress(OverflowError):
            return ratio.analyze_aggregates(control, treatment), asked
    raise ReadoutError("a metric that is nothing in the control", got=0.0, wanted="more", where=metric.name)


def _widening(arms: tuple[Aggregates, Aggregates], metric: Metric) -> float:
    """By how much the error of the delta method is widened for few effective customers; at least 1."""
    plain = sum(arm.ratio_var(metric.numerator, metric.denominator) / arm.count() for arm in arms)
    return max(1.0, math.sqrt(max(variances(arms, metric)) / plain))


def _error(answer: Any, level: float) -> float:
    return float((answer.effect_size_ci_upper - answer.effect_size) / stats.norm.ppf((1 + level) / 2))


def variance_saved(control: pd.DataFrame, treatment: pd.DataFrame, metric: Metric) -> float:
    """Share of the variance of an effect that the covariate takes away, at most 1.

    It is measured, never promised: where customers do not repeat themselves there is nothing to save.
    """
    plain = compare(control, treatment, metric, covariate=False).error
    return 1 - (compare(control, treatment, metric).error / plain) ** 2 if plain > 0 else 0.0


def quantile(
    control: pd.DataFrame, treatment: pd.DataFrame, column: str, q: float, *, alpha: float = 0.05, seed: int = 0
) -> Effect:
    """The effect on a quantile over customers, by the basic bootstrap; it has no p-value.

    Source: Davison and Hinkley (1997), Bootstrap Methods and their Application, section 5.2.

    Args:
        control: One row a customer.
        treatment: The same.
        column: The column of the quantile.
        q: Which, between 0 and 1.
        alpha: One less the level of the interval.
        seed: Another seed resamples otherwise.
    """
    customers = (len(control), len(treatment))
    metric = tt.Quantile(
        column, q, confidence_level=1 - alpha, n_resamples=_RESAMPLES, batch=_BATCH, rng=np.random.default_rng(seed)
    )
    tables = [pa.table({column: rows[column].to_numpy(dtype=np.float64)}) for rows in (control, treatment)]
    found = metric.analyze_granular(*tables)
    error = (found.effect_size_ci_upper - found.effect_size_ci_lower) / (2 * stats.norm.ppf(1 - alpha / 2))
    return Effect(
        found.control,
        found.treatment,
        found.effect_size,
        found.effect_size_ci_lower,
        found.effect_size_ci_upper,
        found.rel_effect_size,
        found.rel_effect_size_ci_lower,
        found.rel_effect_size_ci_upper,
        float(error),
        math.nan,
        customers,
    )


def adjusted(
    pvalues: Mapping[str, float], method: Literal["holm", "benjamini_hochberg"] = "holm", *, alpha: float = 0.05
) -> dict[str, float]:
    """P-values of many tests, each to be held against the alpha of all.

    Source: Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure: no false claim among all, at whatever
    dependence; Benjamini and Hochberg (1995), Controlling the False Discovery Rate: few false among the claims.

    Example:
        >>> adjusted({"one": 0.01, "two": 0.04, "three": 0.5})
        {'one': 0.03, 'two': 0.08, 'three': 0.5}
    """
    if not pvalues:
        return {}
    results = ExperimentResult({name: {"pvalue": pvalue} for name, pvalue in pvalues.items()})
    if method == "holm":
        told = tt.adjust_fwer(results, alpha=alpha, arbitrary_dependence=True, method="bonferroni")
    else:
        told = tt.adjust_fdr(results, alpha=alpha)
    return {str(row["metric"]): min(1.0, float(row["pvalue_adj"])) for row in told.to_dicts()}


def by_customer(rows: pd.DataFrame, customer: str, columns: Sequence[str]) -> pd.DataFrame:
    """Rows of which a customer has several, as sums with one row a customer, and how many they were in `rows`.

    A mean over rows is then the ratio of a column to `rows`, whose error is right whatever ties a customer's rows.
    """
    grouped = rows.groupby(customer, sort=False)[list(columns)]
    return grouped.sum().assign(rows=grouped.size()).reset_index()
