"""How an effect goes: as it was known week by week, and as it wears off from a customer's first week on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from tactful.experiments.base.metrics import Metric
from tactful.experiments.readout.effects import Effect, compare
from tactful.experiments.readout.outcomes import outcomes
from tactful.experiments.readout.sequential import Sequential, always_valid

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Looks:
    """An effect as it was known at each look.

    Attributes:
        moments: When it was looked at.
        effects: The effect at one look alone.
        valid: The interval that holds at every look.
    """

    moments: tuple[datetime, ...]
    effects: tuple[Effect, ...]
    valid: Sequential


@dataclass(frozen=True, slots=True)
class Novelty:
    """An effect by weeks since a customer entered.

    Attributes:
        weeks: Number of the week, from 1, and the effect in it.
        trend: The later half of the weeks less the earlier half, in the metric's unit a week, or None.
    """

    weeks: tuple[tuple[int, Effect], ...]
    trend: Effect | None

    @property
    def wears_off(self) -> bool | None:
        """Whether the effect shrinks towards nothing, by a test at 5 %; None where it cannot be told."""
        if self.trend is None or not self.trend.known:
            return None
        first = self.weeks[0][1].difference
        return self.trend.pvalue < 0.05 and self.trend.difference * first < 0


def weekly(start: datetime, until: datetime) -> list[datetime]:
    """The ends of the weeks since a start, and the moment itself."""
    whole = (until - start) // WEEK
    moments = [start + n * WEEK for n in range(1, whole + 1)]
    return moments if moments and moments[-1] == until else [*moments, until]


def looks(
    events: pd.DataFrame,
    enrolled: pd.DataFrame,
    arms: tuple[str, str],
    metric: Metric,
    moments: Sequence[datetime],
    tuned: float,
    *,
    alpha: float = 0.05,
) -> Looks:
    """The effect at each of some looks; those before anything can be told are left out.

    Args:
        events: Canonical events.
        enrolled: Columns `customer`, `arm` and `entered`.
        arms: Control and treatment.
        metric: The metric.
        moments: The looks, in time order.
        tuned: The mixture, from `tactful.experiments.readout.sequential.tuned_to`.
        alpha: Probability that an interval ever misses the truth.
    """
    found = []
    for moment in moments:
        tables = _of_arms(outcomes(events, enrolled[enrolled["entered"] < moment], moment), arms)
        found.append((moment, compare(*tables, metric, alpha=alpha)))
    known = [(moment, effect) for moment, effect in found if effect.known]
    valid = always_valid([e.difference for _, e in known], [e.error for _, e in known], tuned, alpha=alpha)
    return Looks(tuple(moment for moment, _ in known), tuple(effect for _, effect in known), valid)


def novelty(
    events: pd.DataFrame, enrolled: pd.DataFrame, arms: tuple[str, str], metric: Metric, until: datetime
) -> Novelty:
    """The effect in each week after entering, of customers who entered long enough ago for all weeks.

    The trend compares, customer by customer, the later half of the weeks with the earlier, so that it is clustered.

    Source: Kohavi, Tang and Xu (2020), Trustworthy Online Controlled Experiments, chapter 23.
    """
    weeks = (pd.Timestamp(until) - enrolled["entered"].sort_values().iloc[len(enrolled) // 2]) // pd.Timedelta(WEEK)
    long = enrolled[enrolled["entered"] <= pd.Timestamp(until - weeks * WEEK)]
    tables = [outcomes(events, long, until, since=n * WEEK, lasts=WEEK) for n in range(weeks)]
    shown = [(n + 1, compare(*_of_arms(table, arms), metric)) for n, table in enumerate(tables)]
    known = tuple((n, effect) for n, effect in shown if effect.known)
    half = weeks // 2
    if half == 0 or metric.denominator is not None or not known:
        return Novelty(known, None)
    early, late = (sum(table[metric.numerator] for table in part) / half for part in (tables[:half], tables[-half:]))
    moved = tables[0].assign(**{metric.numerator: late - early})
    return Novelty(known, compare(*_of_arms(moved, arms), metric, covariate=False))


def _of_arms(table: pd.DataFrame, arms: tuple[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    control, treatment = (table[table["arm"] == arm] for arm in arms)
    return control, treatment
