"""Requests that Segment's and RudderStack's clients send in a way of their own: short paths, write keys in the body.

Sources: analytics-next 1.84 (`/v1/t`, `/v1/b`), the Kotlin, Swift and React Native clients (`/v1/b`, the write key in
the body), the Ruby client (`/v1/import`), RudderStack's JavaScript 3.34 (`/beacon/v1/batch?writeKey=…`).
"""

import re
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from tactful.serving.errors import UnauthenticatedError
from tactful.serving.ingestion.bodies import inflated
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError

PATHS = {
    "/v1/t": "/v1/track",
    "/v1/i": "/v1/identify",
    "/v1/p": "/v1/page",
    "/v1/s": "/v1/screen",
    "/v1/g": "/v1/group",
    "/v1/a": "/v1/alias",
    "/v1/b": "/v1/batch",
    "/v1/import": "/v1/batch",
    "/beacon/v1/batch": "/v1/batch",
}
"""The paths of some clients, and the paths of this API that they mean."""
MEASUREMENTS = "/v1/m"
"""Where Segment's clients send measurements of themselves, without a key."""
SETTINGS = re.compile(r"/v1/projects/([^/]+)/settings")
SOURCE_CONFIG = "/sourceConfig"

_TAKES_WRITE_KEYS = frozenset({*PATHS.values(), SOURCE_CONFIG})
_IN_BODY = re.compile(rb'"writeKey"\s*:\s*"([A-Za-z0-9_]{1,200})"')


def canonical(path: str) -> str:
    """The path of this API that a client's path means; any other path as it is.

    Example:
        >>> canonical("/v1/t"), canonical("/v1/import/"), canonical("/v1/decisions")
        ('/v1/track', '/v1/batch', '/v1/decisions')
    """
    trimmed = path.rstrip("/")
    return PATHS.get(trimmed, SOURCE_CONFIG if trimmed == SOURCE_CONFIG else path)


async def authorization(exchange: Scope, receive: Receive) -> tuple[bytes, Receive]:
    """The `Authorization` header of a request, made from the write key where a tracking client sends that instead.

    A header goes before a key in the path or the query, and these before one in the body. The body is read only where
    there is no other key; it is bounded and inflated, and never parsed.

    Args:
        exchange: The request.
        receive: Gives its body.

    Returns:
        The header, empty where there is no key at all, and what gives the body from now on.

    Raises:
        HTTPException: The body is larger than a body may be.
        UnauthenticatedError: The body holds several write keys.
    """
    headers = dict(exchange["headers"])
    if given := headers.get(b"authorization", b""):
        return given, receive
    if found := SETTINGS.fullmatch(exchange["path"]):
        return _bearer(found[1]), receive
    if exchange["path"] not in _TAKES_WRITE_KEYS:
        return b"", receive
    if keys := parse_qs(exchange["query_string"].decode("latin-1")).get("writeKey"):
        return _bearer(keys[0]), receive
    if exchange["method"] != "POST":
        return b"", receive
    body = await whole(receive)
    encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
    key = await run_in_threadpool(_write_key, body, encoding)
    return (_bearer(key) if key else b""), Again(body, receive)


class Again:
    """Gives a body that was read already, then what comes after it.

    Args:
        body: The body.
        receive: The rest of the body.
    """

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        self._receive = receive

    async def __call__(self) -> Message:
        """The next message."""
        return self._messages.pop() if self._messages else await self._receive()


async def whole(receive: Receive) -> bytes:
    """The whole body of a request.

    Raises:
        HTTPException: The client went away before its end.
    """
    pieces, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(HTTPStatus.BAD_REQUEST, "the body ended early")
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


def _write_key(body: bytes, encoding: str) -> str:
    """The one write key in a body; an empty string where there is none, or the body cannot be read."""
    try:
        found = set(_IN_BODY.findall(inflated(body, encoding)))
    except UnfitMessageError as error:
        if error.fate is MessageStatus.OVERSIZED:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error)) from None
        return ""
    if len(found) > 1:
        raise UnauthenticatedError("several write keys in one body", got=len(found), wanted="one writeKey")
    return found.pop().decode() if found else ""


def _bearer(key: str) -> bytes:
    return b"Bearer " + key.encode("latin-1", "replace")
