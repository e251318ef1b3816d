"""Limits of what one caller may send and how often."""

import time
from collections.abc import Callable

MOST_CALLERS = 100_000
"""Callers that are remembered; beyond them, everybody begins anew."""


DECISION, MESSAGE, PIECE = 1.0, 0.1, 1.0
"""Tokens of a decision, of a message and of a piece of a body."""
PIECE_BYTES = 64 * 1024


class Buckets:
    """Token buckets, one a caller: a steady rate, and what was saved up in a second at once.

    A request takes one token. Work that it brings besides is charged afterwards: `DECISION` for each further decision,
    `MESSAGE` for each further message, `PIECE` for each further `PIECE_BYTES` of its body as inflated.

    Each worker process has its own; with several, each gives its share of the rate. So a caller whose connections all
    lead to one worker gets that worker's share, and nobody gets more than the rate.

    Args:
        workers: How many processes share the rate.
        clock: Tells seconds that never go back.

    Example:
        >>> moments = iter([0.0, 0.0, 0.0, 0.6])
        >>> buckets = Buckets(clock=lambda: next(moments))
        >>> [buckets.wait("k1", 2.0) for _ in range(4)]
        [0.0, 0.0, 0.5, 0.0]
    """

    def __init__(self, workers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._clock = clock
        self._filled: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str, rate: float) -> float:
        """Take a token.

        Args:
            caller: Who.
            rate: Tokens a second, of all workers together.

        Returns:
            Seconds until there will be one; 0 if one was taken.
        """
        share, now = rate / self._workers, self._clock()
        most = max(1.0, share)
        if len(self._filled) >= MOST_CALLERS:
            self._filled.clear()
        tokens, filled = self._filled.get(caller, (most, now))
        tokens = min(most, tokens + (now - filled) * share)
        taken = tokens >= 1
        self._filled[caller] = (tokens - taken, now)
        return 0.0 if taken else (1 - tokens) / share

    def charge(self, caller: str, tokens: float) -> None:
        """Take tokens for work that a request turned out to be, although they are not there yet.

        The caller waits until the debt is paid off at its rate, so one large request costs what many small ones do.

        Args:
            caller: A caller who has just taken a token.
            tokens: How many, besides that one.
        """
        left, filled = self._filled.get(caller, (0.0, self._clock()))
        self._filled[caller] = (left - tokens, filled)
