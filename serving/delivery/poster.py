"""Posts to receivers; each post ends within a deadline, however slowly the receiver answers."""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError

import httpx


class Poster:
    """Posts on an event loop of its own, which can break a post off at any moment; threads call it.

    The body of an answer is not read, whatever its length.

    Args:
        patience: Seconds that a whole exchange may take: connecting, sending, and the head of the answer.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._client = httpx.AsyncClient(timeout=patience, follow_redirects=False)
        self._loop = asyncio.new_event_loop()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="poster", daemon=True)
        self._thread.start()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer.

        Raises:
            HTTPError: There is no connection, no answer in time, or the poster is closed.
        """
        if self._closed:
            raise httpx.CloseError("the service is stopping")
        try:
            return asyncio.run_coroutine_threadsafe(self._post(url, content, headers), self._loop).result()
        except CancelledError:
            raise httpx.CloseError("the service is stopping") from None

    def close(self) -> None:
        """Break off whatever is under way; its callers get a `CloseError`."""
        if not self._closed:
            self._closed = True
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(self._patience)

    async def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        try:
            async with asyncio.timeout(self._patience):
                async with self._client.stream("POST", url, content=content, headers=headers) as answer:
                    return answer.status_code
        except TimeoutError:
            raise httpx.ReadTimeout(f"no answer within {self._patience:g} seconds") from None

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()
            runner.run(self._client.aclose())
