"""Trials whose truth is known: customers who buy at their own pace, before and after they enter."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from tactful.features.timestamps import DAY, EARLIEST, microseconds

START = datetime(2026, 5, 4, tzinfo=UTC)
BASKET = 30.0
"""Mean amount of a purchase, in currency."""
PACE = 0.9
"""Mean number of purchases in four weeks."""


@dataclass(frozen=True)
class Trial:
    """A trial and its events.

    Attributes:
        events: Canonical events.
        enrolled: Columns `customer`, `arm`, `entered` and `style`.
        until: Its end.
    """

    events: pd.DataFrame
    enrolled: pd.DataFrame
    until: datetime


def trial(
    seed: int, customers: int = 2_000, *, lift: float = 0.0, weeks: int = 4, share: float = 0.5, fades: float = 0.0
) -> Trial:
    """A trial in which the treatment multiplies the pace of purchases, by a coupon once in the first week.

    A third of the control gets a newsletter in that week.

    Args:
        seed: Another seed makes another.
        customers: How many.
        lift: By how much: 0.1 is a tenth more purchases, and so a tenth more revenue.
        weeks: How long it lasts.
        share: Share of the customers who are treated.
        fades: Share of the lift that is lost each week.
    """
    rng = np.random.default_rng(seed)
    treated = rng.random(customers) < share
    own = rng.gamma(2.0, PACE / 2 / 28, customers)
    begin = microseconds(START)
    customer, time = [], []
    for week in range(-4, weeks):
        now = np.where(treated & (week >= 0), 1 + lift * (1 - fades) ** max(week, 0), 1.0)
        counts = rng.poisson(own * 7 * now)
        who = np.repeat(np.arange(customers), counts)
        customer.append(who)
        time.append(begin + week * 7 * DAY + rng.integers(0, 7 * DAY, len(who)))
    who, when = np.concatenate(customer), np.concatenate(time)
    amount = BASKET * rng.lognormal(-0.18, 0.6, len(who))
    ids = np.array([f"c{i}" for i in range(customers)])
    events = pd.DataFrame(
        {
            "customer_id": ids[who],
            "time": pd.to_datetime(when, unit="us", utc=True),
            "type": "purchase",
            "event_id": [f"e{i}" for i in range(len(who))],
            "amount": amount,
            "subject": "",
        }
    )
    reached = np.flatnonzero(treated | (np.arange(customers) % 3 == 0))
    contacts = pd.DataFrame(
        {
            "customer_id": ids[reached],
            "time": pd.to_datetime(begin + reached % 7 * DAY, unit="us", utc=True),
            "type": "contact",
            "event_id": [f"contact {i}" for i in reached],
            "amount": 0.0,
            "subject": np.where(treated[reached], "coupon", "newsletter"),
        }
    )
    enrolled = pd.DataFrame(
        {
            "customer": ids,
            "arm": np.where(treated, "treatment", "control"),
            "entered": pd.Timestamp(START),
            "style": np.where(np.arange(customers) % 4 == 0, "calm", "lively"),
        }
    )
    return Trial(pd.concat([events, contacts], ignore_index=True), enrolled, START + timedelta(weeks=weeks))


def truth(lift: float, weeks: int = 4) -> float:
    """The true difference of revenue per customer, in currency."""
    return BASKET * PACE * weeks / 4 * lift


def moment(day: float) -> pd.Timestamp:
    """A moment so many days after the start."""
    return pd.Timestamp(EARLIEST + timedelta(microseconds=microseconds(START) + int(day * DAY)))
