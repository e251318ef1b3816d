"""Rules for sending a request again after a lost connection, and after an answer that asks the caller to wait."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from tactful.serving.client.errors import problem_of

FIRST, LONGEST = 0.1, 5.0
"""Seconds of the first pause, and of the longest where the service names none; each is up to twice the one before."""
TRANSIENT = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may succeed."""
IN_FLIGHT = "urn:tactful:problem:request-in-flight"
"""The first attempt is still being carried out."""


class Attempts:
    """The attempts at one request: how long to pause before the next one, while there is time for one.

    Args:
        patience: Seconds from now in which the last attempt begins.
        clock: Tells seconds that never go back.
        draw: Draws between two numbers, so that callers do not come back all at once.

    Example:
        >>> attempts = Attempts(1.0, clock=lambda: 0.0, draw=lambda low, high: high)
        >>> [attempts.pause() for _ in range(3)], attempts.pause(retry_after=0.9), attempts.pause(retry_after=60.0)
        ([0.1, 0.2, 0.4], 0.9, None)
    """

    def __init__(
        self,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock = clock
        self._draw = draw
        self._until = clock() + patience
        self._next = FIRST

    def pause(self, retry_after: float | None = None) -> float | None:
        """Seconds to wait before the next attempt; None where it would begin too late.

        Args:
            retry_after: The least seconds, where the service named them.
        """
        pause = max(self._draw(self._next / 2, self._next), retry_after or 0.0)
        self._next = min(2 * self._next, LONGEST)
        return pause if self._clock() + pause <= self._until else None


def is_transient(response: httpx.Response) -> bool:
    """Whether the same request may succeed later."""
    if response.status_code == httpx.codes.CONFLICT:
        return problem_of(response).type == IN_FLIGHT
    return response.status_code in TRANSIENT


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that an answer says to wait, as a number or as a date; None where it says nothing usable.

    Example:
        >>> retry_after(httpx.Response(429, headers={"Retry-After": "2"}))
        2.0
    """
    named = response.headers.get("retry-after", "")
    if named.isdecimal():
        return float(named)
    try:
        moment = parsedate_to_datetime(named)
    except ValueError:
        return None
    return max((moment.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)
