"""Authentication: the caller of each request, and the caller's scopes.

No route can be called without a key, even one that forgets to require a scope; only those in `PUBLIC` can.
A key comes as `Authorization: Bearer KEY`, or as the user name of Basic, which is how Segment's clients send theirs.
"""

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Protocol

from fastapi import Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Exchange

from tactful.serving.addresses import is_loopback
from tactful.serving.api.access.keyring import Keyring
from tactful.serving.api.access.limits import Buckets
from tactful.serving.api.access.local import is_forwarded, require_local
from tactful.serving.api.pages import PATHS as PAGES
from tactful.serving.api.tracking.clients import MEASUREMENTS, authorization
from tactful.serving.engine.batching import DecisionBatcher
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import ForbiddenError, TooManyRequestsError, UnauthenticatedError
from tactful.serving.settings import Settings
from tactful.serving.store.queries.keys import SCOPES, Scope

PUBLIC = frozenset({*PAGES, "/health/live", "/health/startup", "/health/ready", "/openapi.json", MEASUREMENTS})
"""Paths that need no key."""
METRICS_PATH = "/metrics"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request.

    Args:
        tenant: The tenant of the key.
        key: The key's id.
        scopes: The scopes of the key.
        family: The id that it shares with the keys it took the place of.
        charge: Takes tokens from its rate, for work that a request brings besides being one.
    """

    tenant: str
    key: str
    scopes: frozenset[str]
    family: str = ""
    charge: Callable[[float], None] = field(default=lambda _tokens: None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A caller, and what answers it.

    Args:
        caller: The caller.
        service: The decision service of the caller's tenant.
        batcher: Where decisions are asked for.
    """

    caller: Caller
    service: DecisionService
    batcher: DecisionBatcher


class Authenticator(Protocol):
    """Tells who sends a request."""

    async def __call__(self, authorization: bytes, headers: Mapping[bytes, bytes]) -> Caller:
        """The caller, by the `Authorization` header or its substitute, and the headers that were sent.

        Raises:
            UnauthenticatedError: It cannot be told who that is.
            ForbiddenError: The request may not come from where it does.
            TooManyRequestsError: The caller has asked too often.
            StoreError: The store fails.
        """
        ...


class Keys:
    """Recognises callers by their API keys, and holds them to their rates.

    Args:
        keyring: The keys.
        buckets: How often each was used.
        rate: Tokens a second of a key that has no rate of its own.
    """

    def __init__(self, keyring: Keyring, buckets: Buckets, rate: float) -> None:
        self._keyring = keyring
        self._buckets = buckets
        self._rate = rate

    async def __call__(self, authorization: bytes, headers: Mapping[bytes, bytes]) -> Caller:  # noqa: ARG002
        """The caller of a header."""
        key = await self._keyring.key(sent_key(authorization))
        rate = key.rate or self._rate
        if wait := self._buckets.wait(key.id, rate):
            allowed = f"at most {rate:g} a second"
            raise TooManyRequestsError("too many requests", wanted=allowed, retry_after=math.ceil(wait))
        return Caller(key.tenant, key.id, key.scopes, key.family, partial(self._buckets.charge, key.id))


class AnonymousAuth:
    """Takes every program of this machine for the one tenant's own, with every scope: for a loopback address alone.

    Args:
        tenant: The tenant of the customers.
        origins: Origins whose pages may call.
    """

    def __init__(self, tenant: str, origins: tuple[str, ...] = ()) -> None:
        self._caller = Caller(tenant, "", frozenset(SCOPES))
        self._origins = origins

    async def __call__(self, authorization: bytes, headers: Mapping[bytes, bytes]) -> Caller:  # noqa: ARG002
        """The one caller there is, if a program of this machine asks for itself."""
        require_local(headers, self._origins)
        return self._caller


class AuthMiddleware:
    """Stands before an application and lets in whom it recognises.

    Args:
        app: The application.
        recognises: Tells who comes.
        tenants: The services.
        settings: How it is served.
    """

    def __init__(self, app: ASGIApp, recognises: Authenticator, tenants: Tenants, settings: Settings) -> None:
        self._app = app
        self._recognises = recognises
        self._tenants = tenants
        self._settings = settings

    async def __call__(self, scope: Exchange, receive: Receive, send: Send) -> None:
        """Answers one request; the errors of `Authenticator` leave it before the body is used."""
        if scope["type"] == "http" and scope["path"] not in PUBLIC:
            sent, receive = await authorization(scope, receive)
            caller = await self._caller(scope, sent)
            scope["state"]["context"] = RequestContext(
                caller, self._tenants.of(caller.tenant), scope["state"]["batcher"]
            )
        await self._app(scope, receive, send)

    async def _caller(self, exchange: Exchange, sent: bytes) -> Caller:
        headers: Mapping[bytes, bytes] = dict(exchange["headers"])
        if exchange["path"] == METRICS_PATH and self._settings.metrics == "loopback" and _is_local(exchange, headers):
            return Caller(self._settings.tenant, "", frozenset({"admin"}))
        return await self._recognises(sent, headers)


class Allowed:
    """A dependency: the visit, if its key has one of some scopes.

    Args:
        scopes: The scopes.
    """

    def __init__(self, *scopes: Scope) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request) -> RequestContext:
        """The visit of a request.

        Raises:
            ForbiddenError: The key has none of the scopes.
        """
        context: RequestContext = request.scope["state"]["context"]
        require(context.caller, *self.scopes)
        return context


@cache
def allows(*scopes: Scope) -> Allowed:
    """The dependency of a route: `context: Annotated[RequestContext, Depends(allows("decide"))]`."""
    return Allowed(*scopes)


def require(caller: Caller, *scopes: Scope) -> None:
    """Refuse a caller whose key has none of some scopes.

    Raises:
        ForbiddenError: It has none of them.
    """
    if caller.scopes.isdisjoint(scopes):
        wanted = f"scope {' or '.join(scopes)}"
        raise ForbiddenError("a key that may not do this", got=" ".join(sorted(caller.scopes)), wanted=wanted)


def sent_key(authorization: bytes) -> str:
    """The key in an `Authorization` header.

    Raises:
        UnauthenticatedError: There is none.

    Example:
        >>> sent_key(b"Bearer tactful_0_1"), sent_key(b"Basic dGFjdGZ1bF8wXzE6")
        ('tactful_0_1', 'tactful_0_1')
    """
    scheme, _, rest = authorization.partition(b" ")
    read = _SCHEMES.get(scheme.lower())
    if read is None:
        raise UnauthenticatedError("no API key", wanted="Authorization: Bearer KEY, or Basic with the key as user name")
    return read(rest.strip())


def _is_local(exchange: Exchange, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a process of this machine asks for itself, not for somebody else as a proxy does."""
    return bool(exchange["client"]) and is_loopback(exchange["client"][0]) and not is_forwarded(headers)


def _bearer(rest: bytes) -> str:
    return rest.decode("latin-1")


def _basic(rest: bytes) -> str:
    try:
        return base64.b64decode(rest, validate=True).partition(b":")[0].decode("latin-1")
    except binascii.Error:
        return ""


_SCHEMES: Mapping[bytes, Callable[[bytes], str]] = {b"bearer": _bearer, b"basic": _basic}
