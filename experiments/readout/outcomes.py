"""The outcomes of customers after they entered an experiment: events to one row a customer."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.base.metrics import RETENTION
from tactful.features.array_types import Floats
from tactful.features.timestamps import DAY, microseconds

BEFORE = timedelta(days=28)
"""How long before entering the covariates look."""
_WINDOW = 28 * DAY
_MICROSECOND = timedelta(microseconds=1)
_ANSWERS = {"promoter": 100.0, "passive": 0.0, "detractor": -100.0}
_RESPONSES = ("clicked", "converted", "redeemed")


def outcomes(
    events: pd.DataFrame,
    enrolled: pd.DataFrame,
    until: datetime,
    *,
    since: timedelta = timedelta(),
    lasts: timedelta | None = None,
    before: timedelta = BEFORE,
) -> pd.DataFrame:
    """The columns that metrics read, of each customer, from entering to a moment.

    Args:
        events: Canonical events, as `tactful.features.events.schema.validate` gives them.
        enrolled: Columns `customer` and `entered`, aware; any others are kept, such as `arm`. One row a customer.
        until: Events at or after it are not looked at.
        since: Look only from so long after entering, as for an effect that comes late.
        lasts: Look only for so long from then on; to the end where None.
        before: How long before entering the covariates look.

    Returns:
        One row for each of `enrolled`, in its order: `revenue`, `sales` and `orders`; `converted`, `unsubscribed` and
        `complained` (0 or 1); `contacts`, `responses`, `surveys`, `survey_points`; `retained_D` and `matured_D`; and
        `before_revenue`, `before_orders`, `before_converted`, `before_contacts`.

    Raises:
        ReadoutError: A customer is there twice.
    """
    if enrolled["customer"].duplicated().any():
        twice = enrolled["customer"][enrolled["customer"].duplicated()].iloc[0]
        raise ReadoutError("a customer twice", got=twice, wanted="one row a customer", where="enrolled")
    entered = _micros(enrolled["entered"])
    end = microseconds(until)
    row = pd.Index(enrolled["customer"]).get_indexer(pd.Index(events["customer_id"]))
    known = events[row >= 0]
    counted = _Counted(known, row[row >= 0], _micros(known["time"]), len(enrolled))
    lapse = counted.time - entered[counted.row]
    first = since // _MICROSECOND
    after = (lapse >= first) & (counted.time < end)
    if lasts is not None:
        after &= lapse < first + lasts // _MICROSECOND
    earlier = (lapse < 0) & (lapse >= -(before // _MICROSECOND))
    columns = {**_after(counted, after), **_retained(counted, lapse, entered, end), **_before(counted, earlier)}
    return pd.concat([enrolled.reset_index(drop=True), pd.DataFrame(columns)], axis=1)


class _Counted:
    """Events of enrolled customers, to be summed by customer."""

    def __init__(self, events: pd.DataFrame, row: NDArray[np.int64], time: NDArray[np.int64], n: int) -> None:
        self.row, self.time, self._n = row, time, n
        self.kind = events["type"].to_numpy()
        self.amount = _numbers(events["amount"])
        self.points = _numbers(events["subject"].map(_ANSWERS))

    def of(self, kinds: Collection[str], where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which events are of some types."""
        chosen: NDArray[np.bool_] = np.isin(self.kind, list(kinds)) & where
        return chosen

    def count(self, kinds: Collection[str], where: NDArray[np.bool_]) -> Floats:
        """How many events of some types, by customer."""
        return self.total(self.of(kinds, where))

    def total(self, chosen: NDArray[np.bool_], values: Floats | None = None) -> Floats:
        """The sum of values over chosen events, by customer; their number where None."""
        weights = None if values is None else values[chosen]
        return np.asarray(np.bincount(self.row[chosen], weights, self._n), dtype=np.float64)


def _after(counted: _Counted, after: NDArray[np.bool_]) -> dict[str, Floats]:
    orders = counted.count(("purchase",), after)
    answered = counted.of(("survey",), after) & np.isfinite(counted.points)
    return {
        "revenue": counted.total(counted.of(("purchase", "refund"), after), counted.amount),
        "sales": counted.total(counted.of(("purchase",), after), counted.amount),
        "orders": orders,
        "converted": _any(orders),
        "contacts": counted.count(("contact",), after),
        "responses": counted.count(_RESPONSES, after),
        "unsubscribed": _any(counted.count(("unsubscribed",), after)),
        "complained": _any(counted.count(("complained",), after)),
        "surveys": counted.total(answered),
        "survey_points": counted.total(answered, counted.points),
    }


def _retained(counted: _Counted, lapse: NDArray[np.int64], entered: NDArray[np.int64], end: int) -> dict[str, Floats]:
    columns: dict[str, Floats] = {}
    for days in RETENTION.values():
        within = (lapse < days * DAY) & (lapse >= days * DAY - _WINDOW)
        matured = (entered + days * DAY <= end).astype(np.float64)
        columns[f"retained_{days}"] = _any(counted.count(("purchase",), within)) * matured
        columns[f"matured_{days}"] = matured
    return columns


def _before(counted: _Counted, earlier: NDArray[np.bool_]) -> dict[str, Floats]:
    orders = counted.count(("purchase",), earlier)
    return {
        "before_revenue": counted.total(counted.of(("purchase", "refund"), earlier), counted.amount),
        "before_orders": orders,
        "before_converted": _any(orders),
        "before_contacts": counted.count(("contact",), earlier),
    }


def _any(counts: Floats) -> Floats:
    return (counts > 0).astype(np.float64)


def _numbers(column: "pd.Series[Any]") -> Floats:
    return np.asarray(column, dtype=np.float64)


def _micros(moments: "pd.Series[Any]") -> NDArray[np.int64]:
    times: NDArray[np.int64] = moments.dt.tz_convert("UTC").dt.as_unit("us").astype("int64").to_numpy()
    return times
