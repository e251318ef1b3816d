"""What goes around every exchange: a request id, the limit of the body, security headers, the log."""

import logging
import re
import time
import uuid
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from serving.api.problem import TOO_LARGE

SECURITY_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_log = logging.getLogger(__name__)


class Envelope:
    """Wraps an application, outside everything else.

    A body is refused by its declared length before a byte is read, and while it streams in once it is too long.

    Args:
        app: The application.
        body_limit: Largest body, in bytes.
    """

    def __init__(self, app: ASGIApp, body_limit: int) -> None:
        self._app = app
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        exchange = _Exchange(_request_id(headers), self._body_limit, receive, send)
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        with bound_contextvars(request_id=exchange.request_id):
            try:
                if _declared(headers) > self._body_limit:
                    refusal = TOO_LARGE.response(exchange.limit, exchange.request_id)
                    await refusal(scope, receive, exchange.send)
                else:
                    await self._app(scope, exchange.receive, exchange.send)
            finally:
                exchange.log(scope)


class _Exchange:
    """One request and its response."""

    def __init__(self, request_id: str, body_limit: int, receive: Receive, send: Send) -> None:
        self.request_id = request_id
        self.limit = f"at most {body_limit} bytes"
        self._left = body_limit
        self._receive = receive
        self._send = send
        self._status = 0
        self._began = time.perf_counter()

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self.limit)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            own = [(b"x-request-id", self.request_id.encode()), *_HEADERS]
            message = {**message, "headers": [*message["headers"], *own]}
        await self._send(message)

    def log(self, scope: Scope) -> None:
        level = logging.INFO if self._status >= HTTPStatus.BAD_REQUEST else logging.DEBUG
        if _log.isEnabledFor(level):
            route = getattr(scope.get("route"), "path", None)
            took = round((time.perf_counter() - self._began) * 1000, 2)
            told = {"method": scope["method"], "route": route, "status": self._status, "milliseconds": took}
            _log.log(level, "request", extra=told)


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _ID.fullmatch(given) else uuid.uuid4().hex


def _declared(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() else 0
