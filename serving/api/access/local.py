"""Requests that a program of this machine makes for itself: where a service asks nobody for a key, no others come in.

A page of any site can make its reader's browser call this machine. The browser says so: by `Origin` and
`Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/), and by `Host` where the site's name was made to lead here (DNS
rebinding).
"""

from collections.abc import Collection, Mapping

from tactful.serving.addresses import hostname, is_loopback
from tactful.serving.errors import ForbiddenError

FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via")
"""Headers of a proxy that hands on somebody else's request."""
_OWN_PAGES = (b"", b"none", b"same-origin")


def is_forwarded(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a proxy hands a request on."""
    return any(name in headers for name in FORWARDED)


def require_local(headers: Mapping[bytes, bytes], origins: Collection[str]) -> None:
    """Refuse a request that comes from elsewhere, or from a page of another origin.

    Args:
        headers: The request's.
        origins: Origins whose pages may call.

    Raises:
        ForbiddenError: It does.

    Example:
        >>> require_local({b"host": b"127.0.0.1:8080"}, ())
        >>> require_local({b"host": b"127.0.0.1:8080", b"origin": b"https://evil.example"}, ())
        Traceback (most recent call last):
        tactful.serving.errors.ForbiddenError: a page of another origin: ...
    """
    host = headers.get(b"host", b"").decode("latin-1")
    if is_forwarded(headers):
        raise ForbiddenError("a request that a proxy hands on", wanted="TACTFUL_AUTH=keys behind a proxy")
    if not is_loopback(hostname(host)):
        raise ForbiddenError("a host that is not this machine", wanted="a loopback address", where="Host")
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin in origins and origin:
        return
    if origin and origin != f"http://{host}":
        raise ForbiddenError("a page of another origin", wanted="one that TACTFUL_ORIGINS names", where="Origin")
    if headers.get(b"sec-fetch-site", b"").lower() not in _OWN_PAGES:
        raise ForbiddenError("a page of another site", wanted="one that TACTFUL_ORIGINS names", where="Sec-Fetch-Site")
