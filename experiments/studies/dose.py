"""The effect of one more contact, by the contacts before it, from a log of contacts drawn at random each day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.experiments.base.errors import ReadoutError
from tactful.features.array_types import Bools, Floats
from tactful.features.timestamps import DAY, microseconds
from tactful.models.base.metrics import Estimate

WEEK = 7
_REACH = 1.959963984540054


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """The days of customers, arrays of shape (customers, days).

    Attributes:
        contacted: Whether there was a contact.
        bought: Purchases.
        left: Whether the customer unsubscribed.
        reachable: Whether the customer could be contacted in the morning.
        recent: Contacts in the seven days before.
        known: The days for which `recent` is known and what follows too.
    """

    contacted: Bools
    bought: Floats
    left: Bools
    reachable: Bools
    recent: NDArray[np.int64]
    known: slice


@dataclass(frozen=True, slots=True)
class Dose:
    """A contact after some others.

    Attributes:
        recent: Contacts in the seven days before.
        contacts: How many such contacts there were.
        customers: The customer of each row.
        risk: Share of them after which the customer unsubscribed on the day.
        effect: Purchases that the contact added in the days after it, a contact.
    """

    recent: int
    contacts: int
    customers: int
    risk: Estimate
    effect: Estimate


def days_of(events: pd.DataFrame, customers: Sequence[str], since: datetime, until: datetime, follows: int = 3) -> Days:
    """Contacts, purchases and unsubscribes day by day.

    Args:
        events: Canonical events.
        customers: Ids.
        since: The first day; its week is only looked back at.
        until: The end of the last day.
        follows: How many days after a contact are looked at, its own day included.
    """
    length = (microseconds(until) - microseconds(since)) // DAY
    if length <= WEEK + follows:
        raise ReadoutError("too short a log", got=f"{length} days", wanted=f"more than {WEEK + follows}")
    row = pd.Index(list(customers)).get_indexer(pd.Index(events["customer_id"]))
    times = events["time"].dt.as_unit("us").astype("int64").to_numpy()
    day = (times - microseconds(since)) // DAY
    inside = (row >= 0) & (day >= 0) & (day < length)
    kind = events["type"].to_numpy()

    def counted(type_: str) -> Floats:
        chosen = inside & (kind == type_)
        cells = row[chosen] * length + day[chosen]
        return np.bincount(cells, minlength=len(customers) * length).reshape(len(customers), length).astype(np.float64)

    contacts, left = counted("contact"), counted("unsubscribed") > 0
    gone = np.isin(
        np.arange(len(customers)), row[(kind == "unsubscribed") & (times < microseconds(since)) & (row >= 0)]
    )
    before: Floats = np.cumsum(left, axis=1) - left
    sums = np.concatenate([np.zeros((len(customers), 1)), np.cumsum(contacts, axis=1)], axis=1)
    recent = sums[:, :-1] - sums[:, np.maximum(np.arange(length) - WEEK, 0)]
    return Days(
        contacts > 0,
        counted("purchase"),
        left,
        (before == 0) & ~gone[:, None],
        recent.astype(np.int64),
        slice(WEEK, int(length) - follows + 1),
    )


def by_recent(days: Days, most: int = 4, follows: int = 3) -> list[Dose]:
    """The risk and the effect of a contact by the contacts before it; `most` includes all higher numbers.

    On each day customers with as many recent contacts who were contacted are compared with those who were not: a draw
    decided. Intervals of 95 % are clustered by customer, who is in both groups on different days.

    Customers who unsubscribe are missing later, so those with many contacts are a little more patient than others.

    Source: Liang and Zeger (1986), for the clustered error.
    """
    followed = sum(np.roll(days.bought, -n, axis=1) for n in range(follows))
    window = (slice(None), days.known)
    recent, reachable, contacted = days.recent[window], days.reachable[window], days.contacted[window]
    after, left = np.asarray(followed)[window], days.left[window].astype(np.float64)
    found = []
    for count in range(most + 1):
        within = reachable & (recent == count if count < most else recent >= count)
        treated, others = within & contacted, within & ~contacted
        if min(treated.sum(), others.sum()) < 2:
            continue
        risk = _mean(left, treated)
        effect = _less(_mean(after, treated), _mean(after, others))
        found.append(Dose(count, int(treated.sum()), int(treated.any(axis=1).sum()), _told(*risk), _told(*effect)))
    return found


def pressed(days: Days) -> tuple[Floats, Bools]:
    """Every contact's recent contacts, shape (n, 1), and whether the customer unsubscribed on the day, shape (n,)."""
    window = (slice(None), days.known)
    made = (days.reachable & days.contacted)[window]
    return days.recent[window][made][:, None].astype(np.float64), days.left[window][made]


def _mean(values: Floats, where: Bools) -> tuple[float, Floats]:
    """A mean, and what each customer adds to its error."""
    n = int(where.sum())
    mean = float((values * where).sum() / n)
    return mean, np.asarray(((values - mean) * where).sum(axis=1) / n)


def _less(one: tuple[float, Floats], other: tuple[float, Floats]) -> tuple[float, Floats]:
    return one[0] - other[0], one[1] - other[1]


def _told(value: float, parts: Floats) -> Estimate:
    reach = _REACH * math.sqrt(float(np.square(parts).sum()) * len(parts) / (len(parts) - 1))
    return Estimate(value, value - reach, value + reach)
