"""How active the customers of a log are, week by week."""

import pandas as pd
from scipy.stats import binomtest

from tactful.models.base.metrics import Estimate


def summary(events: pd.DataFrame, zone: str) -> pd.DataFrame:
    """How many events of each kind there are, whose, and from which local day to which; the most frequent first.

    Args:
        events: Canonical events, see `tactful.features.events.schema`.
        zone: The IANA zone days are counted in.
    """
    day = events["time"].dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
    by_kind = events.assign(day=day).groupby("type", observed=True)
    counted = by_kind.agg(
        events=("day", "size"), customers=("customer_id", "nunique"), first=("day", "min"), last=("day", "max")
    )
    return counted.sort_values("events", ascending=False)


def weekly_shares(events: pd.DataFrame, kind: str, zone: str) -> dict[pd.Timestamp, Estimate]:
    """The share of all customers with an event of a kind in each whole week, Monday to Sunday local time.

    Args:
        events: Canonical events, see `tactful.features.events.schema`.
        kind: The type of event.
        zone: The IANA zone days are counted in.

    Returns:
        By Monday, with 95 % intervals (Wilson 1927) that treat the customers as a sample of those who might be.
    """
    local = events["time"].dt.tz_convert(zone).dt.tz_localize(None)
    monday = local.dt.normalize() - pd.to_timedelta(local.dt.day_of_week, unit="D")
    bought = local[events["type"] == "purchase"]
    mondays = pd.date_range(bought.min().normalize(), bought.max().normalize() - pd.Timedelta(days=6), freq="W-MON")
    active = events["customer_id"][events["type"] == kind].groupby(monday).nunique().reindex(mondays, fill_value=0)
    customers = events["customer_id"].nunique()
    return {day: _share(int(number), customers) for day, number in zip(mondays, active, strict=True)}


def _share(number: int, of: int) -> Estimate:
    interval = binomtest(number, of).proportion_ci(method="wilson")
    return Estimate(number / of, float(interval.low), float(interval.high))
