"""Key figures: each a formula of means over customers, with an interval clustered by customer."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.base.metrics import METRICS, Unit
from tactful.experiments.base.skewed import bounds
from tactful.experiments.readout.effects import Effect, compare
from tactful.experiments.readout.logbook import Logbook, contacts_with_answers, period

YEAR = timedelta(days=365)
INTEREST = 0.1
"""A year, for the value of what customers are expected to bring later."""
_KEPT = 0.25
"""Held-out customers may get so many times the contacts of others: the mandatory ones."""
_STEP = 1e-6
_REACH = 1.959963984540054


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A key figure.

    Attributes:
        name: Its name.
        title: Its name for people.
        columns: The columns of `tactful.experiments.readout.logbook.period` whose means it is made of.
        unit: Its unit.
        meaning: Its definition, in words.
        formula: From the means, in the order of the columns, and the length of the period in years, to its value.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    unit: Unit
    meaning: str
    formula: Callable[..., float]


@dataclass(frozen=True, slots=True)
class Figure:
    """The value of a key figure.

    Attributes:
        value: The value.
        low: Lower bound of the 95 % interval.
        high: Upper bound.
        n: Customers who count, by the column that is divided by.
    """

    value: float
    low: float
    high: float
    n: int


def _quotient(above: float, below: float, years: float) -> float:  # noqa: ARG001
    return above / below


def _remainder(above: float, below: float, years: float) -> float:  # noqa: ARG001
    return 1 - above / below


def _lifetime(revenue: float, retained: float, active: float, customers: float, years: float) -> float:
    """Gupta and Lehmann (2003), Customers as Assets: `m · r / (1 + i − r)`, all of one period."""
    retention, interest = retained / active, math.expm1(years * math.log1p(INTEREST))
    return revenue / customers * retention / (1 + interest - retention)


KEY_FIGURES: Mapping[str, KeyFigure] = {
    figure.name: figure
    for figure in (
        KeyFigure("retention_rate", "Retention rate", ("retained", "active"), "share",
                  "of the customers who bought in as long a time before the period, those who bought in it", _quotient),
        KeyFigure("churn_rate", "Churn rate", ("retained", "active"), "share",
                  "of the same customers, those who bought nothing in it", _remainder),
        KeyFigure("repeat_purchase_rate", "Repeat purchase rate", ("repeated", "converted"), "share",
                  "of the customers who bought in the period, those who bought at least twice", _quotient),
        KeyFigure("average_order_value", "Average order value", ("sales", "orders"), "currency",
                  "purchases in currency, over purchases in number", _quotient),
        KeyFigure("revenue_per_customer", "Revenue per customer", ("revenue", "customers"), "currency",
                  "purchases less refunds, over all known customers", _quotient),
        KeyFigure("customer_lifetime_value", "Customer lifetime value", ("revenue", "retained", "active", "customers"),
                  "currency", "revenue per customer and period times r / (1 + i − r), r the retention rate and i "
                  "interest of 10 % a year: expected from the next period on, in revenue, not margin", _lifetime),
        KeyFigure("contacts_per_customer_week", "Contacts per customer and week", ("contacts", "weeks"), "count",
                  "contacts made, over weeks that customers were known in the period", _quotient),
        KeyFigure("response_rate", "Response rate", ("answered", "contacts"), "share",
                  "contacts followed by a click, a conversion or a redemption in 28 days, over contacts", _quotient),
        KeyFigure("unsubscribe_rate", "Unsubscribe rate", ("unsubscribed", "customers"), "share",
                  "customers who unsubscribed in the period, over all known customers", _quotient),
        KeyFigure("share_of_silence", "Share of silence", ("silences", "decisions"), "share",
                  "decisions to leave the customer alone, over all decisions", _quotient),
        KeyFigure("satisfaction", "Satisfaction", ("survey_points", "surveys"), "points",
                  "net promoter score: promoters 100, passives 0, detractors −100, over answers", _quotient),
    )
}  # fmt: skip
"""Every key figure by name."""


def key_figures(table: pd.DataFrame, length: timedelta) -> dict[str, Figure]:
    """Every key figure that can be told of some customers.

    Args:
        table: From `tactful.experiments.readout.logbook.period`, or some of its rows.
        length: Of the period.
    """
    found = {name: estimate(table, figure, length / YEAR) for name, figure in KEY_FIGURES.items()}
    return {name: figure for name, figure in found.items() if figure is not None}


def estimate(table: pd.DataFrame, figure: KeyFigure, years: float) -> Figure | None:
    """A key figure with its interval, clustered by customer; None where it cannot be told.

    Where few customers bring most of a figure the interval is longer on their side, see
    `tactful.experiments.base.skewed`. A figure in another unit than a share needs two customers who count.

    Source: Deng, Knoblich and Lu (2018), Applying the Delta Method in Metric Analytics.
    """
    values = table[list(figure.columns)].to_numpy(dtype=np.float64)
    n = len(values)
    means = values.mean(axis=0) if n else np.zeros(len(figure.columns))
    if n < 2 or not all(means[i] > 0 for i in range(1, len(means))):
        return None
    value = figure.formula(*means, years)
    steps = _STEP * np.maximum(np.abs(means), _STEP)
    slope = np.array(
        [
            (figure.formula(*(means + step), years) - figure.formula(*(means - step), years)) / (2 * step[i])
            for i, step in enumerate(np.diag(steps))
        ]
    )
    parts = (values - means) @ slope
    variance = float(np.square(parts).sum()) / (n - 1) / n
    counting = int((values[:, -1 if len(figure.columns) == 2 else figure.columns.index("active")] > 0).sum())
    if figure.unit == "share":
        return Figure(float(value), *_of_share(float(value), variance, counting), counting)
    if counting < 2:
        return None
    return Figure(float(value), *bounds(float(value), math.sqrt(variance), parts), counting)


def _of_share(share: float, variance: float, customers: int) -> tuple[float, float]:
    """The interval of a share, which stays between 0 and 1 and has a width even where nobody, or everybody, did it.

    Source: Wilson (1927), Probable Inference; with the number of independent observations that the variance tells of,
    as Korn and Graubard (1998) do for clustered ones.
    """
    n = share * (1 - share) / variance if variance > 0 and 0 < share < 1 else float(customers)
    squared = _REACH**2 / n
    centre = (share + squared / 2) / (1 + squared)
    reach = math.sqrt(share * (1 - share) * squared + squared**2 / 4) / (1 + squared)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def by(table: pd.DataFrame, cut: str, length: timedelta) -> dict[str, dict[str, Figure]]:
    """The key figures of each group of customers, by the name of the group.

    Args:
        table: From `tactful.experiments.readout.logbook.period`.
        cut: Column that names each customer's group, such as `cohort`.
        length: Of the period.
    """
    return {str(name): key_figures(rows, length) for name, rows in table.groupby(cut)}


def over_time(log: Logbook, since: datetime, until: datetime, every: timedelta) -> dict[datetime, dict[str, Figure]]:
    """The key figures of one whole period after another, by the first moment of each."""
    periods = int((until - since) / every) if every > timedelta() else 0
    if periods < 1:
        raise ReadoutError("no whole period", got=f"{until - since} by {every}", wanted="a period above 0, no longer")
    starts = [since + n * every for n in range(periods)]
    return {start: key_figures(period(log, start, start + every), every) for start in starts}


def of_programmes(log: Logbook, since: datetime, until: datetime) -> dict[tuple[str, str], dict[str, Figure]]:
    """Response and unsubscribe rate over contacts, by programme and channel."""
    figures = {
        "response_rate": KeyFigure("response_rate", "", ("answered", "contacts"), "share", "", _quotient),
        "unsubscribe_rate": KeyFigure("unsubscribe_rate", "", ("left", "contacts"), "share", "", _quotient),
    }
    keys = ["customer", "programme", "channel"]
    rows = contacts_with_answers(log, since, until).groupby(keys, as_index=False).sum()
    found: dict[tuple[str, str], dict[str, Figure]] = {}
    for (programme, channel), part in rows.groupby(["programme", "channel"]):
        told = {name: estimate(part, figure, 1.0) for name, figure in figures.items()}
        found[str(programme), str(channel)] = {name: figure for name, figure in told.items() if figure is not None}
    return found


@dataclass(frozen=True, slots=True)
class Incremental:
    """The gain from all contacts together, against customers whom nobody contacted.

    Attributes:
        effect: On revenue per customer, contacted less held out.
        customers: Customers who could be contacted.
    """

    effect: Effect
    customers: int

    @property
    def total(self) -> tuple[float, float, float]:
        """Value, lower and upper bound over all customers who could be contacted, in currency."""
        effect = self.effect
        return tuple(self.customers * part for part in (effect.difference, effect.low, effect.high))  # type: ignore[return-value]


def incremental(table: pd.DataFrame, held_out: Sequence[bool]) -> Incremental:
    """The value of contacting at all, by the global hold-out.

    No covariate is used: who is left alone now was most likely left alone before, so that what the customers spent
    before the period is itself what contacts bring, and adjusting for it would hide that.

    Source: Rosenbaum (1984), The Consequences of Adjustment for a Concomitant Variable That Has Been Affected by the
    Treatment.

    Args:
        table: From `tactful.experiments.readout.logbook.period`.
        held_out: Whether each row's customer was left alone.

    Raises:
        ReadoutError: Nobody was held out, or everybody; nobody was contacted; who was to be held out was contacted like
            the others; or there are too few customers or purchases to compare.
    """
    alone = np.asarray(held_out, dtype=bool)
    if min(alone.sum(), (~alone).sum()) < 2:
        raise ReadoutError("no hold-out to compare with", got=int(alone.sum()), wanted="customers in and out of it")
    contacts = table["contacts"].to_numpy(dtype=np.float64)
    if not contacts.any():
        raise ReadoutError("no contact to tell the value of", got=0, wanted="contacts in the period")
    if contacts[alone].mean() > _KEPT * contacts[~alone].mean():
        got = f"{contacts[alone].mean():.2f} contacts a customer held out, {contacts[~alone].mean():.2f} of the others"
        wanted = "few contacts of them, also by others than Tactful"
        raise ReadoutError("a hold-out that was not kept", got=got, wanted=wanted)
    effect = compare(table[alone], table[~alone], METRICS["revenue_per_customer"], covariate=False)
    if not effect.known:
        raise ReadoutError("no incremental value", got=effect.refusal, wanted="more customers and purchases")
    return Incremental(effect, int((~alone).sum()))
