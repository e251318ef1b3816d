"""The load: callers that ask for decisions over sockets kept alive, each as soon as it has its answer.

Runs as a process of its own, so that its CPU is not the server's. Reads a task a line from its input, a JSON object of
the arguments of `answered`, and writes its result as a line.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import uvloop

_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length: "


async def answered(
    port: int, callers: int, seconds: float, customers: Sequence[str], series: str, sample: int = 0, headers: str = ""
) -> dict[str, Any]:
    """Keeps callers asking for some seconds.

    Args:
        port: Where a server listens on loopback.
        callers: How many ask at once.
        seconds: How long.
        customers: Asked about in turn, each time with an id never used before.
        series: The beginning of these ids.
        sample: How many of the answers to return.
        headers: Lines of the head to send along, each with its end.

    Returns:
        `latencies` of the answers in microseconds, how many `seconds` they took, and the first `answers`.
    """
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    numbers = count()

    def request() -> bytes:
        number = next(numbers)
        body = f'{{"customer_id":"{customers[number % len(customers)]}","id":"{series}-{number}"}}'
        head = f"POST /v1/decisions HTTP/1.1\r\nHost: loopback\r\nContent-Type: application/json\r\n{headers}"
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    began = time.perf_counter()
    log = _Log(began + seconds, sample)
    caller_of = partial(_Caller, request, log, end)
    running = [(await loop.create_connection(caller_of, "127.0.0.1", port))[1] for _ in range(callers)]
    while any(caller.asks for caller in running):
        await end.wait()
        end.clear()
    took = time.perf_counter() - began
    for caller in running:
        if caller.refused:
            raise RuntimeError(f"not an answer: {caller.refused!r}")
    return {"latencies": log.latencies, "seconds": took, "answers": log.answers}


@dataclass(slots=True)
class _Log:
    """The callers' counts before the deadline."""

    deadline: float
    sample: int
    latencies: list[int] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def add(self, latency: float, body: bytes) -> None:
        self.latencies.append(round(latency * 1e6))
        if len(self.answers) < self.sample:
            self.answers.append(body.decode())


class _Caller(asyncio.Protocol):
    """One of the callers, on a connection of its own."""

    def __init__(self, request: Callable[[], bytes], log: _Log, end: asyncio.Event) -> None:
        self._request = request
        self._log = log
        self._end = end
        self._read = b""
        self._asked = 0.0
        self.asks = True
        self.refused = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(_END) + len(_END)
        if end < len(_END):
            return
        start = self._read.index(_LENGTH) + len(_LENGTH)
        if len(self._read) < end + int(self._read[start : self._read.index(b"\r\n", start)]):
            return
        now = time.perf_counter()
        if not self._read.startswith(b"HTTP/1.1 200 "):
            self._stop(self._read)
        elif now >= self._log.deadline:
            self._stop()
        else:
            self._log.add(now - self._asked, self._read[end:])
            self._read = b""
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if self.asks:
            self._stop(repr(error).encode())

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request())

    def _stop(self, refused: bytes = b"") -> None:
        self.asks, self.refused = False, refused
        self._transport.close()
        self._end.set()


def main() -> None:
    """Does the tasks, a line each, until there are no more."""
    for line in sys.stdin:
        print(json.dumps(uvloop.run(answered(**json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
