"""Counts, means, variances and covariances by which arms are compared, and whether they are enough to compare."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from tea_tasting.aggr import Aggregates  # type: ignore[import-untyped]

from tactful.experiments.base.metrics import Metric

FEWEST = 10
"""Effective customers below the line of a metric, such as those who ordered, that each arm needs to be judged."""
_ROUNDING = 1e-12


def aggregated(table: pd.DataFrame, columns: Sequence[str]) -> Aggregates:
    """Count, means, variances and covariances of some columns."""
    values = table[list(columns)].to_numpy(dtype=np.float64)
    spread = np.atleast_2d(np.cov(values, rowvar=False)) if len(values) > 1 else np.full((len(columns),) * 2, np.nan)
    means = values.mean(axis=0) if len(values) else np.full(len(columns), np.nan)
    pairs = [(i, j) for j in range(len(columns)) for i in range(j)]
    return Aggregates(
        count_=len(values),
        mean_={column: float(means[i]) for i, column in enumerate(columns)},
        var_={column: float(spread[i, i]) for i, column in enumerate(columns)},
        cov_={(columns[i], columns[j]): float(spread[i, j]) for i, j in pairs},
    )


def effective(arm: Aggregates, denominator: str | None) -> float:
    """How many customers an arm's metric rests on: `(Σd)² / Σd²` of the denominator, all customers where it has none.

    Of customers who ordered once each it is their number; a customer who ordered ten times among them lowers it.

    Source: Kish (1965), Survey Sampling.
    """
    n = arm.count()
    if denominator is None or n < 2:
        return float(n)
    total = n * arm.mean(denominator)
    squares = (n - 1) * arm.var(denominator) + total**2 / n
    return float(total**2 / squares) if squares else 0.0


def variances(arms: Sequence[Aggregates], metric: Metric) -> tuple[float, float]:
    """Variances of the difference of two arms: with a variance for each arm, and with one variance for both.

    The variance per effective customer has the divisor `e - 1` in place of the `n - 1` of all customers, of whom those
    without an order tell nothing of the value of orders.
    """
    counts = np.array([effective(arm, metric.denominator) for arm in arms])
    customers = np.array([arm.count() for arm in arms])
    spreads = np.array([arm.ratio_var(metric.numerator, metric.denominator) for arm in arms])
    each = spreads * (counts / customers) ** 2 * (customers - 1) / (counts - 1)
    pooled = float((each * (counts - 1)).sum() / (counts - 1).sum())
    return float((each / counts).sum()), pooled * float((1 / counts).sum())


def untold(arms: Sequence[Aggregates], metric: Metric) -> str:
    """Why a metric of some arms cannot be judged; empty where it can."""
    counted = [effective(arm, metric.denominator) for arm in arms]
    if min(counted) < FEWEST * (1 - _ROUNDING):
        of = f"customers with {metric.denominator}" if metric.denominator else "customers"
        found = " and ".join(f"{number:.3g}" for number in counted)
        return f"too few {of}: got {found} effective ones, wanted at least {FEWEST}"
    spread = sum(arm.with_zero_div().ratio_var(metric.numerator, metric.denominator) for arm in arms)
    if not spread > _ROUNDING * sum(level_of(arm, metric) ** 2 for arm in arms):
        where = "in any arm" if len(arms) > 1 else "from customer to customer"
        return f"{metric.name} does not vary {where}: it is {level_of(arms[0], metric):g}"
    return ""


def explained(both: Aggregates, metric: Metric) -> bool:
    """Whether the covariate explains the metric but for rounding: then nothing is left to compare."""
    if metric.covariate is None:
        return False
    spread, known = both.ratio_var(metric.numerator, metric.denominator), both.var(metric.covariate)
    shared = both.ratio_cov(metric.numerator, metric.denominator, metric.covariate, None)
    return bool(spread * known - shared**2 <= _ROUNDING * spread * known)


def level_of(arm: Aggregates, metric: Metric) -> float:
    """The metric in an arm, NaN where nothing stands below."""
    below = arm.mean(metric.denominator) if metric.denominator else 1.0
    return float(arm.mean(metric.numerator) / below) if below else math.nan
