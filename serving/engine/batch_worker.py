"""Threads that take waiting items in fair batches, so that one commit serves many and no flood delays the others."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from tactful.serving.engine.fair_queue import FairQueue

T = TypeVar("T")
LARGEST_BATCH = 64

_log = logging.getLogger(__name__)


class BatchWorker(Generic[T]):
    """Works on the items that wait, on threads of its own.

    Items that arrive while a batch is worked on wait for the next one.

    Args:
        name: Of the threads.
        work: Carries out a batch; it must not raise.
        give_up: Answers an item that is still waiting when `close` runs out of time.
        threads: How many batches are worked on at once.
        each: How many items of one lane a batch holds at most.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[T]], None],
        give_up: Callable[[T], None],
        *,
        threads: int = 1,
        each: int = 1,
    ) -> None:
        self._work = work
        self._give_up = give_up
        self._each = each
        self._waiting = FairQueue[T]()
        self._began: dict[int, float] = {}
        self._threads = [threading.Thread(target=self._serve, name=name, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, tenant: Hashable, lane: Hashable, item: T) -> bool:
        """Let an item wait; False, and it does not, once the worker is closed."""
        return self._waiting.put(tenant, lane, item)

    @property
    def busy(self) -> float:
        """Seconds since the oldest batch in work was begun; 0 where none is."""
        began = list(self._began.values())
        return time.monotonic() - min(began) if began else 0.0

    def close(self, timeout: float | None = None) -> None:
        """Work on everything that waits, then stop.

        Args:
            timeout: Seconds after which items that still wait are given up, and batches in work are left behind; no
                limit where None.
        """
        self._waiting.close()
        end = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))
        for item in self._waiting.drain():
            self._give_up(item)
        if any(thread.is_alive() for thread in self._threads):
            _log.error("work left behind", extra={"worker": self._threads[0].name, "seconds": round(self.busy, 1)})

    def _serve(self) -> None:
        own = threading.get_ident()
        while batch := self._waiting.take(LARGEST_BATCH, self._each):
            self._began[own] = time.monotonic()
            self._work(batch)
            self._began.pop(own)
