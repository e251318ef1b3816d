"""A queue that is fair by tenant and lane: many items of one lane delay only that lane."""

import threading
from collections import deque
from collections.abc import Hashable
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items wait by tenant and lane, such as a customer or a sender; threads put them in and take them out.

    Example:
        >>> queue = FairQueue[int]()
        >>> for item, (tenant, lane) in enumerate([("a", "hot"), ("a", "hot"), ("a", "c2"), ("b", "c3")]):
        ...     _ = queue.put(tenant, lane, item)
        >>> queue.take(8), queue.take(8)
        ([0, 3, 2], [1])
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, dict[Hashable, deque[T]]] = {}
        self._changed = threading.Condition()
        self._closed = False

    def put(self, tenant: Hashable, lane: Hashable, item: T) -> bool:
        """Let an item wait behind those of its lane; whether it may, since the queue is open."""
        with self._changed:
            if not self._closed:
                self._waiting.setdefault(tenant, {}).setdefault(lane, deque()).append(item)
                self._changed.notify()
            return not self._closed

    def close(self) -> None:
        """Let `take` come back empty once nothing waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def drain(self) -> list[T]:
        """All items that wait; nothing waits afterwards."""
        with self._changed:
            left = [item for lanes in self._waiting.values() for items in lanes.values() for item in items]
            self._waiting.clear()
            return left

    def take(self, most: int, each: int = 1) -> list[T]:
        """The next items, tenants and lanes in turn; waits for the first of them.

        Args:
            most: At most so many.
            each: At most so many of one lane.

        Returns:
            The items; none once the queue is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            turns = {tenant: dict.fromkeys(islice(lanes, most), each) for tenant, lanes in self._waiting.items()}
            taken: list[T] = []
            while turns and len(taken) < most:
                tenant = next(iter(turns))
                lanes = turns.pop(tenant)
                lane = next(iter(lanes))
                left = lanes.pop(lane) - 1
                item, waits = self._first(tenant, lane)
                taken.append(item)
                if waits and left:
                    lanes[lane] = left
                if lanes:
                    turns[tenant] = lanes
            return taken

    def _first(self, tenant: Hashable, lane: Hashable) -> tuple[T, bool]:
        """The lane's first item, and whether more wait; the lane and the tenant go behind the others."""
        lanes = self._waiting.pop(tenant)
        items = lanes.pop(lane)
        item = items.popleft()
        if items:
            lanes[lane] = items
        if lanes:
            self._waiting[tenant] = lanes
        return item, bool(items)
