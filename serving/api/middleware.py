"""The outermost layer of every request: request id, limit of the body, security headers; log, metrics and trace."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPMethod, HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from tactful.serving.api.problems import KINDS, TOO_LARGE
from tactful.serving.api.tracking.clients import canonical
from tactful.serving.api.tracking.matching import as_routed
from tactful.serving.errors import DeadlineError
from tactful.serving.telemetry import tracing
from tactful.serving.telemetry.metrics import METRICS

SECURITY_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
BODY_LIMITS = {
    "/v1/batch": 4 * 1024 * 1024,
    "/v1/catalogue": 1024 * 1024,
    "/v1/decisions/batch": 512 * 1024,
    **dict.fromkeys(("/v1/track", "/v1/identify", "/v1/page", "/v1/screen", "/v1/group", "/v1/alias"), 512 * 1024),
}
"""Bytes that a route takes where that is not the setting's number; `/v1/batch` is RudderStack's limit.

A message that is larger than a message may be is read all the same, since it may be a refusal.
"""
METHODS = frozenset(HTTPMethod)
"""Methods that are counted by name; a caller may make up any number of others."""
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_log = logging.getLogger(__name__)


class RequestMiddleware:
    """Wraps an application, outside everything else.

    A body is refused by its declared length before a byte is read, and while it streams in once it is too long.

    Args:
        app: The application.
        body_limit: Largest body, in bytes, of a route without a limit of its own.
        deadline: How long a request may take.
    """

    def __init__(self, app: ASGIApp, body_limit: int, deadline: timedelta) -> None:
        self._app = app
        self._body_limit = body_limit
        self._deadline = deadline.total_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = canonical(scope["path"])
        headers = dict(scope["headers"])
        scope.setdefault("state", {})
        inner = as_routed(scope)
        limit = BODY_LIMITS.get(inner["path"], self._body_limit)
        exchange = _RequestState(_request_id(headers), limit, receive, send)
        scope["state"]["request_id"] = exchange.request_id
        bind_contextvars(request_id=exchange.request_id)
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        with tracing.request(method, headers) as span:
            try:
                await self._answer(inner, headers, exchange)
            finally:
                told = exchange.told(method, inner.get("route"))
                tracing.tell(span, _attributes(told), name=_span_name(told), failed=exchange.failed)

    async def _answer(self, scope: Scope, headers: Mapping[bytes, bytes], exchange: "_RequestState") -> None:
        if _declared(headers) > exchange.most:
            refusal = TOO_LARGE.response(exchange.limit, scope)
            await refusal(scope, exchange.receive, exchange.send)
            return
        try:
            async with asyncio.timeout(self._deadline) as limit:
                await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            if not exchange.answered and not limit.expired():
                raise
        if limit.expired() and not exchange.answered:
            kind, longest = KINDS[DeadlineError], f"at most {self._deadline:g} seconds"
            late = DeadlineError("the request took too long", wanted=longest)
            await kind.response(str(late), scope)(scope, exchange.receive, exchange.send)


class _RequestState:
    """One request and its response."""

    def __init__(self, request_id: str, most: int, receive: Receive, send: Send) -> None:
        self.request_id = request_id
        self.most = most
        self.limit = f"at most {most} bytes"
        self._left = most
        self._receive = receive
        self._send = send
        self._status = 0
        self._began = time.perf_counter()

    @property
    def answered(self) -> bool:
        """Whether an answer has begun: a later error can only be logged."""
        return self._status > 0

    @property
    def failed(self) -> bool:
        return not self.answered or self._status >= HTTPStatus.INTERNAL_SERVER_ERROR

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self.limit)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            given = {name for name, _ in message["headers"]}
            own = [(b"x-request-id", self.request_id.encode()), *(h for h in _HEADERS if h[0] not in given)]
            message = {**message, "headers": [*message["headers"], *own]}
        await self._send(message)

    def told(self, method: str, matched: Any) -> dict[str, str | int | float | None]:
        """Counts and logs the exchange, and says what was logged."""
        route, seconds = getattr(matched, "path", None), time.perf_counter() - self._began
        METRICS.requests(method, route or "none", self._status).inc()
        METRICS.seconds(route or "none").observe(seconds)
        told = {
            "method": method,
            "route": route,
            "status": self._status,
            "milliseconds": round(seconds * 1e3, 2),
        }
        _log.log(logging.INFO if self._status >= HTTPStatus.BAD_REQUEST else logging.DEBUG, "request", extra=told)
        return told


def _attributes(told: Mapping[str, str | int | float | None]) -> dict[str, str | int | float]:
    """The attributes of a request's span, by OpenTelemetry's conventions."""
    return {
        "http.request.method": told["method"] or "",
        "http.route": told["route"] or "",
        "http.response.status_code": told["status"] or 0,
    }


def _span_name(told: Mapping[str, str | int | float | None]) -> str:
    """The name of a span of a server, as OpenTelemetry's conventions for HTTP have it."""
    method = "HTTP" if told["method"] == "_OTHER" else told["method"]
    return f"{method} {told['route']}" if told["route"] else f"{method}"


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _ID.fullmatch(given) else uuid.uuid4().hex


def _declared(headers: Mapping[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() else 0
