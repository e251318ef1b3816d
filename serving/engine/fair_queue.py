"""A queue that is fair by tenant and customer: many requests of one delay only that one."""

import threading
from collections import deque
from collections.abc import Hashable
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items wait by tenant and customer; threads put them in and take them out.

    Example:
        >>> queue = FairQueue[int]()
        >>> for item, (tenant, customer) in enumerate([("a", "hot"), ("a", "hot"), ("a", "c2"), ("b", "c3")]):
        ...     queue.put(tenant, customer, item)
        >>> queue.take(8), queue.take(8)
        ([0, 3, 2], [1])
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, dict[Hashable, deque[T]]] = {}
        self._changed = threading.Condition()
        self._closed = False

    def put(self, tenant: Hashable, customer: Hashable, item: T) -> None:
        """Let an item wait behind those of its customer."""
        with self._changed:
            self._waiting.setdefault(tenant, {}).setdefault(customer, deque()).append(item)
            self._changed.notify()

    def close(self) -> None:
        """Let `take` come back empty once nothing waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, most: int) -> list[T]:
        """The next items, at most one of each customer, tenants in turn; waits for the first of them.

        Args:
            most: At most so many.

        Returns:
            The items; none once the queue is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            turns = {tenant: deque(islice(customers, most)) for tenant, customers in self._waiting.items()}
            taken: list[T] = []
            while turns and len(taken) < most:
                tenant = next(iter(turns))
                customers = turns.pop(tenant)
                taken.append(self._first(tenant, customers.popleft()))
                if customers:
                    turns[tenant] = customers
            return taken

    def _first(self, tenant: Hashable, customer: Hashable) -> T:
        """The customer's first item; the customer and the tenant go behind the others."""
        customers = self._waiting.pop(tenant)
        items = customers.pop(customer)
        item = items.popleft()
        if items:
            customers[customer] = items
        if customers:
            self._waiting[tenant] = customers
        return item
