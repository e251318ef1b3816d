"""Which of a customer's stored events count: an order that came under two ids of one customer is one order."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.store.port import StoredEvent

ONCE = ("purchase", "refund")
"""Types of events that an order has once; `messages.properties.repeatable_id` makes their ids."""
_IDS = {EVENT_TYPES.index(name): re.compile(rf"{name}-[0-9a-f]{{24}}") for name in ONCE}
_TYPE, _SUBJECT, _ID = (StoredEvent._fields.index(name) for name in ("type", "subject", "id"))

Row = TypeVar("Row", bound=Sequence[Any])


def counted(events: Iterable[Row]) -> list[Row]:
    """One customer's events without the orders, and returns of orders, that came before under another id.

    A merge brings them together. The store keeps both, since a merge can be undone; the earlier one counts.

    Args:
        events: Fields as of `StoredEvent`, in time order.

    Example:
        >>> first = StoredEvent(1, 0, 0, 80.0, 0.0, 1.0, 0, "o1", f"purchase-{0:024x}")
        >>> len(counted([first, first._replace(time=2, id=f"purchase-{1:024x}")]))
        1
    """
    seen: set[tuple[int, str]] = set()
    found = []
    for event in events:
        if is_once(event):
            order = event[_TYPE], event[_SUBJECT]
            if order in seen:
                continue
            seen.add(order)
        found.append(event)
    return found


def is_once(event: Sequence[Any]) -> bool:
    """Whether an event is the purchase of an order, or the return of a whole one, which happen once."""
    once = _IDS.get(event[_TYPE])
    return bool(once is not None and event[_SUBJECT] and once.fullmatch(event[_ID]))
