"""Who sends a key: looked up in the store, and remembered for a moment."""

import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from serving.errors import UnauthenticatedError
from serving.store.keys import ApiKey, parts

MEMORY = 2.0
"""Seconds for which a key is taken for what it was: a revoked one opens nothing after them."""
MOST_REMEMBERED = 10_000


class Keyring:
    """Recognises keys.

    Args:
        find: The key of an id, or None; may wait for the store.
        clock: Tells seconds that never go back.
    """

    def __init__(self, find: Callable[[str], ApiKey | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._remembered: dict[str, tuple[float, ApiKey | None]] = {}

    async def key(self, sent: str) -> ApiKey:
        """The key that reads as was sent.

        Raises:
            UnauthenticatedError: There is none, its secret is another, or it was revoked.
            StoreError: The store fails.
        """
        id_, secret = parts(sent) or ("", "")
        known = await self._known(id_) if id_ else None
        if known is None or not known.opened_by(secret):
            raise UnauthenticatedError("an unknown or revoked key", wanted="one that `tactful keys create` made")
        return known

    async def _known(self, id_: str) -> ApiKey | None:
        until, key = self._remembered.get(id_, (0.0, None))
        if until > self._clock():
            return key
        key = await run_in_threadpool(self._find, id_)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[id_] = (self._clock() + MEMORY, key)
        return key
