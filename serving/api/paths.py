"""Paths with ids in them: what is between two slashes as they were sent is one id, whatever characters it has.

A server hands on a path whose escapes are resolved already, where `/v1/customers/7%2Fexport` reads as another route of
another customer. So the path is read again from the bytes that were sent: each segment is resolved on its own, and a
slash or a percent sign that comes out of an escape stays escaped until the route has been found (RFC 3986, 2.4).
"""

from urllib.parse import unquote, unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send


class SegmentedPaths:
    """Hands an application paths whose segments are the ones that were sent.

    Args:
        app: The application; its ids from paths are read by `unescaped`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http" and b"%" in scope.get("raw_path", b""):
            scope["path"] = segmented(scope["raw_path"])
        await self._app(scope, receive, send)


def segmented(raw: bytes) -> str:
    """A path whose segments are resolved, apart from slashes and percent signs.

    Args:
        raw: As it was sent, without the query. A segment that is not UTF-8 stays as it is.

    Example:
        >>> segmented(b"/v1/customers/7%2Fexport"), segmented(b"/v1/%63ustomers/a%20b%25")
        ('/v1/customers/7%2Fexport', '/v1/customers/a b%25')
    """
    return "/".join(map(_resolved, raw.split(b"/")))


def unescaped(segment: str) -> str:
    """The id of a segment that `segmented` gave.

    Raises:
        ValueError: It is not UTF-8.

    Example:
        >>> unescaped("7%2Fexport"), unescaped("100%25")
        ('7/export', '100%')
    """
    return unquote(segment, errors="strict")


def _resolved(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
    return text.replace("%", "%25").replace("/", "%2F")
