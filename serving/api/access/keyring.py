"""Keys: looked up in the store, and remembered for a moment."""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool

from tactful.serving.errors import StoreError, UnauthenticatedError
from tactful.serving.store.queries.keys import ApiKey, parts

MEMORY = 2.0
"""Seconds for which a key is taken for what it was: a revoked one opens nothing after them."""
MOST_REMEMBERED = 10_000
NOTED = 60.0
"""Seconds for which the last use of a key is not noted again."""


class Keyring:
    """Recognises keys.

    Args:
        find: The key of an id, or None; may wait for the store.
        clock: Tells seconds that never go back.
        now: Tells the moment, by which keys expire.
        note: Notes that the key of an id was used; may wait for the store, for which no request waits.
    """

    def __init__(
        self,
        find: Callable[[str], ApiKey | None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        note: Callable[[str, datetime], None] = lambda _id, _when: None,
    ) -> None:
        self._find = find
        self._clock = clock
        self._now = now
        self._note = note
        self._remembered: dict[str, tuple[float, ApiKey | None]] = {}
        self._noted: dict[str, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def key(self, sent: str) -> ApiKey:
        """The key that reads as was sent.

        Raises:
            UnauthenticatedError: There is none, its secret is another, it was revoked, or it has expired.
            StoreError: The store fails.
        """
        id_, secret = parts(sent) or ("", "")
        known = await self._known(id_) if id_ else None
        if known is None or not known.opened_by(secret):
            raise UnauthenticatedError("an unknown or revoked key", wanted="one that `tactful keys create` made")
        if known.has_expired(self._now()):
            raise UnauthenticatedError("a key that has expired", wanted="one that `tactful keys rotate` made")
        self._note_use(known.id)
        return known

    def _note_use(self, id_: str) -> None:
        """Have the use of a key noted, once in a while, beside the request."""
        if self._clock() < self._noted.get(id_, -math.inf) + NOTED:
            return
        self._noted[id_] = self._clock()
        task = asyncio.create_task(self._noting(id_))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _noting(self, id_: str) -> None:
        with suppress(StoreError):
            await run_in_threadpool(self._note, id_, self._now())

    async def _known(self, id_: str) -> ApiKey | None:
        until, key = self._remembered.get(id_, (0.0, None))
        if until > self._clock():
            return key
        key = await run_in_threadpool(self._find, id_)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[id_] = (self._clock() + MEMORY, key)
        return key
