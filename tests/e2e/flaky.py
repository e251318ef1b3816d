"""A network that fails: a TCP proxy that cuts connections, drags, loses answers and answers in the server's place."""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

WEATHER = ("fair", "fair", "cut", "fair", "lost", "fair", "busy", "fair", "drag", "fair", "lost", "busy", "fair")
"""What befalls one request after the other, again and again."""
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


@dataclass
class Network:
    """A network between its address and the server's.

    Args:
        server: Where the server answers.
        weather: What befalls one request after the other, again and again.
        befell: How often each kind of weather was met.
    """

    server: str
    weather: tuple[str, ...] = WEATHER
    url: str = ""
    befell: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._weather = itertools.cycle(self.weather)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: request after request, until the weather ends it."""
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection outlives one exchange."""
        request = await _message(reader)
        weather = next(self._weather)
        self.befell[weather] += 1
        if weather == "busy":
            writer.write(_BUSY)
            await writer.drain()
            return True
        upstream = urlsplit(self.server)
        answers, sends = await asyncio.open_connection(upstream.hostname, upstream.port)
        try:
            if weather == "cut":
                sends.write(request[: len(request) // 2])
                await sends.drain()
                return False
            for start in range(0, len(request), 997 if weather == "drag" else len(request)):
                sends.write(request[start : start + (997 if weather == "drag" else len(request))])
                await sends.drain()
            answer = await _message(answers)
        finally:
            sends.close()
        if weather == "lost":
            return False
        writer.write(answer)
        await writer.drain()
        return True


@contextmanager
def flaky(server: str, weather: tuple[str, ...] = WEATHER) -> Iterator[Network]:
    """A flaky network to a server, while the block runs."""
    network, ready = Network(server, weather), threading.Event()
    end: list[Callable[[], object]] = []

    async def serve() -> None:
        over = asyncio.Event()
        end.append(partial(asyncio.get_running_loop().call_soon_threadsafe, over.set))
        listening = await asyncio.start_server(network.carry, "127.0.0.1", 0)
        network.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        ready.set()
        await over.wait()
        listening.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="network")
    thread.start()
    ready.wait()
    try:
        yield network
    finally:
        end[0]()
        thread.join()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """The head and body of one request or answer of a declared length."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + (await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"")
