"""Histories as arrays: what features are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tactful.features.errors import EventError
from tactful.features.timestamps import local_days
from tactful.features.vocabulary import EVENT_TYPES, LARGEST

_PURCHASE, _REFUND = EVENT_TYPES.index("purchase"), EVENT_TYPES.index("refund")
_SPENT = EVENT_TYPES.index("spent")
ARRAYS: dict[str, Any] = {
    "type": np.uint8,
    "channel": np.uint8,
    "amount": np.float64,
    "discount": np.float64,
    "quantity": np.float64,
    "categories": np.uint64,
}


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Histories as a struct of arrays, sorted by customer and time.

    The events of `customers[i]` are at `starts[i]:starts[i + 1]`. Events of one customer at one moment are
    ordered by their other fields, so that the order they arrived in leaves no trace.

    Attributes:
        customers: Ids, unique, shape (c,).
        zones: IANA zones of the customers; the first is that of customers whose zone is unknown.
        zone_of: The zone of each customer, an index into `zones`, int32, shape (c,).
        starts: Offsets, int64, shape (c + 1,).
        time: Microseconds since the epoch, UTC, int64, shape (n,) like all that follow.
        day: Day number since 1970-01-01 in the customer's zone, int32.
        type: Index into `EVENT_TYPES`, uint8.
        channel: Index into `CHANNELS`, uint8.
        amount: Currency received, float64.
        discount: Currency not asked for, float64.
        quantity: Units or points, float64.
        categories: Bit set, uint64.
        origin: When the order was bought that a refund returns, int64; of every other event its own time.
    """

    customers: NDArray[np.object_]
    zones: tuple[str, ...]
    zone_of: NDArray[np.int32]
    starts: NDArray[np.int64]
    time: NDArray[np.int64]
    day: NDArray[np.int32]
    type: NDArray[np.uint8]
    channel: NDArray[np.uint8]
    amount: NDArray[np.float64]
    discount: NDArray[np.float64]
    quantity: NDArray[np.float64]
    categories: NDArray[np.uint64]
    origin: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)


def history(
    zone: str,
    time: ArrayLike,
    type: ArrayLike,  # noqa: A002 - the column's name
    *,
    channel: ArrayLike = 0,
    amount: ArrayLike = 0.0,
    discount: ArrayLike = 0.0,
    quantity: ArrayLike = 0.0,
    categories: ArrayLike = 0,
    subject: Sequence[str] | None = None,
    customer_id: str = "",
) -> Events:
    """One customer's events from plain sequences, without pandas: what a decision is made on.

    Arrays of the right dtype, sorted by time, are taken as they are.

    Args:
        zone: The IANA zone of the customer, in which local days are counted.
        time: Microseconds since the epoch, shape (n,).
        type: Indices into `EVENT_TYPES`, shape (n,).
        channel: Indices into `CHANNELS`; this and the following of shape (n,) or one value for all.
        amount: Currency received.
        discount: Currency not asked for.
        quantity: Units or points.
        categories: Bit sets.
        subject: Subjects, shape (n,): the order of a purchase or a refund.
        customer_id: The customer of the events.

    Raises:
        EventError: Columns differ in length, or a number is none or too large.

    Example:
        >>> from tactful.features.timestamps import DAY
        >>> history("UTC", [3 * DAY, DAY], [0, 2], amount=[9.5, 0.0]).amount.tolist()
        [0.0, 9.5]
    """
    moments = np.ascontiguousarray(time, dtype=np.int64)
    given = (type, channel, amount, discount, quantity, categories)
    columns = {
        name: _column(values, dtype, len(moments)) for (name, dtype), values in zip(ARRAYS.items(), given, strict=True)
    }
    columns["quantity"] = spent(columns["type"], columns["quantity"])
    if np.any(moments[1:] <= moments[:-1]):
        order = np.lexsort((*reversed(columns.values()), moments))
        moments = moments[order]
        subject = None if subject is None else [subject[place] for place in order]
        columns = {name: values[order] for name, values in columns.items()}
    return Events(
        customers=np.array([customer_id], dtype=object),
        zones=(zone,),
        zone_of=_ONE_ZONE,
        starts=np.array([0, len(moments)], dtype=np.int64),
        time=moments,
        day=local_days(moments, zone),
        origin=origins(moments, columns["type"], np.zeros(len(moments), np.int64), subject),
        **columns,
    )


def spent(kind: NDArray[np.uint8], quantity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantities; points that were spent are spent, whatever sign an earlier release or a client gave them.

    Example:
        >>> code = EVENT_TYPES.index("spent")
        >>> spent(np.array([code], np.uint8), np.array([-40.0])).tolist()
        [40.0]
    """
    wrong = (kind == _SPENT) & (quantity < 0)
    return np.where(wrong, -quantity, quantity) if wrong.any() else quantity


def origins(
    time: NDArray[np.int64], kind: NDArray[np.uint8], customer: NDArray[np.int64], subject: Sequence[str] | None
) -> NDArray[np.int64]:
    """When the order of each refund was bought; the event's own time where it returns no known order.

    Args:
        time: Microseconds since the epoch, shape (n,) like all that follow; sorted by customer and time.
        kind: Indices into `EVENT_TYPES`.
        customer: The customer of each event, a number.
        subject: The order of a purchase or a refund, among other subjects; None where subjects are unknown.

    Example:
        >>> ones = np.zeros(2, np.int64)
        >>> origins(np.array([5, 9]), np.array([0, 1], np.uint8), ones, ["o1", "o1"]).tolist()
        [5, 5]
    """
    if subject is None or not np.any(kind == _REFUND):
        return time
    origin, bought = time.copy(), dict[tuple[int, str], int]()
    for row in np.flatnonzero((kind == _PURCHASE) | (kind == _REFUND)).tolist():
        order = (int(customer[row]), subject[row])
        if kind[row] == _PURCHASE:
            bought[order] = int(time[row])
        elif subject[row]:
            origin[row] = bought.get(order, origin[row])
    return origin


_ONE_ZONE = np.zeros(1, dtype=np.int32)


def _column(values: ArrayLike, dtype: Any, length: int) -> NDArray[Any]:
    array = np.ascontiguousarray(values, dtype=dtype)
    if dtype is np.float64 and array.size and not np.abs(array).max() <= LARGEST:
        raise EventError("not a number, or too large", got=array.tolist(), wanted=f"at most {LARGEST:g}")
    if array.shape == (length,):
        return array
    if array.size != 1:
        raise EventError("columns of different lengths", got=array.shape, wanted=f"({length},) or one value")
    return np.full(length, array.item(), dtype=dtype)
