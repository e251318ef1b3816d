"""HTTP/1.1 with bounds on what a client may send before its request reaches the application, and on how slowly."""

import asyncio
from datetime import timedelta
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_URL = 8 * 1024
LARGEST_HEAD = 32 * 1024
MOST_HEADERS = 100
MOST_IGNORED = 8 * 1024 * 1024
"""Bytes of a body that are read, and thrown away, after the answer to its request."""
_REFUSALS = {408: b"Request Timeout", 414: b"URI Too Long", 431: b"Request Header Fields Too Large"}


class BoundedProtocol(HttpToolsProtocol):
    """Refuses long URLs and large heads, and clients that let it wait; a connection that was refused is closed.

    The parser holds a header back until it is whole, so what it takes in without a word is counted too.
    """

    patience: timedelta
    """For a head, for the next piece of a body, and for a client to read on."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._head = self._unheard = self._ignored = 0
        self._reads: asyncio.TimerHandle | None = None
        self._writes: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: its first head is awaited."""
        super().connection_made(transport)
        self._await_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._reads = _cancelled(self._reads)
        self._writes = _cancelled(self._writes)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request has come."""
        if self.transport.is_closing():
            return
        if self._reads is None:
            self._await_more()
        self._unheard += len(data)
        super().data_received(data)
        if self._unheard > LARGEST_HEAD:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._head = self._ignored = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the URL."""
        self._unheard = 0
        super().on_url(url)
        if len(self.url) > LONGEST_URL:
            self._refuse(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._unheard = 0
        super().on_header(name, value)
        self._head += len(name) + len(value)
        if self._head > LARGEST_HEAD or len(self.headers) > MOST_HEADERS:
            self._refuse(431)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._unheard = 0
        if not self.transport.is_closing():
            super().on_headers_complete()
            self._await_more()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unheard = 0
        if self.transport.is_closing():
            return
        super().on_body(body)
        if not self.cycle.response_complete:
            self._await_more()
            return
        self._ignored += len(body)
        if self._ignored > MOST_IGNORED:
            self.transport.close()

    def on_message_complete(self) -> None:
        """The request is whole: what takes time from now on is its answer."""
        self._unheard = 0
        self._reads = _cancelled(self._reads)
        if not self.transport.is_closing():
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read what it is sent."""
        super().pause_writing()
        self._writes = self.loop.call_later(self.patience.total_seconds(), self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads on."""
        self._writes = _cancelled(self._writes)
        super().resume_writing()

    def _await_more(self) -> None:
        _cancelled(self._reads)
        self._reads = self.loop.call_later(self.patience.total_seconds(), self._refuse, 408)

    def _refuse(self, status: int) -> None:
        self._reads = _cancelled(self._reads)
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            told = b"HTTP/1.1 %d %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(told % (status, _REFUSALS[status]))
        self.transport.close()


def bounded(patience: timedelta) -> type[BoundedProtocol]:
    """The protocol with a patience of its own."""
    return type("PatientProtocol", (BoundedProtocol,), {"patience": patience})


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """No timer any more."""
    if timer is not None:
        timer.cancel()
    return None
