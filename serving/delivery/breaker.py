"""A circuit breaker: a receiver that fails again and again is left alone for a while."""

import threading
from datetime import datetime, timedelta

MOST_FAILURES = 5
"""In a row; then the receiver is left alone."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
"""How long a receiver is left alone: doubled with each failure after the pause."""


class Breaker:
    """Says how many posts a receiver may get now; threads share it, and its state is two numbers.

    Example:
        >>> from datetime import UTC
        >>> breaker, now = Breaker(), datetime(2026, 5, 4, tzinfo=UTC)
        >>> for _ in range(MOST_FAILURES):
        ...     breaker.note(False, now)
        >>> breaker.allowed(8, now), breaker.allowed(8, now + FIRST_PAUSE)
        (0, 1)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._until: datetime | None = None

    def allowed(self, wanted: int, now: datetime) -> int:
        """How many of the wanted posts may be tried: all, none in a pause, one after a pause."""
        with self._lock:
            if self._until is None:
                return wanted
            return 0 if now < self._until else min(1, wanted)

    def note(self, answered: bool, now: datetime) -> None:
        """A post ended.

        Args:
            answered: Whether the receiver does its work.
            now: The moment.
        """
        with self._lock:
            self._failures = 0 if answered else self._failures + 1
            extra = self._failures - MOST_FAILURES
            self._until = None if extra < 0 else now + min(FIRST_PAUSE * 2 ** min(extra, 20), LONGEST_PAUSE)
