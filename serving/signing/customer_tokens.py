"""Tokens by which a page proves its customer: a shop's server signs one for the customer who is logged in.

A token is a JWT (RFC 7519), signed with HMAC-SHA256. It names the customer (`sub`), this service (`aud`: `tactful`),
the moment it was made (`iat`) and the moment it ends (`exp`), at most fifteen minutes later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.types import Options
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from tactful.serving.errors import UnauthenticatedError

ALGORITHM = "HS256"
AUDIENCE = "tactful"
LONGEST = timedelta(minutes=15)
"""The longest that a token may hold."""
LEEWAY = timedelta(seconds=60)
"""How far the clocks of the shop and of this service may be apart."""
SHORTEST_SECRET = 32
"""Bytes of the shortest secret, as RFC 7518 asks for."""
_REQUIRED = ["sub", "aud", "iat", "exp"]


@dataclass(frozen=True, slots=True)
class CustomerTokens:
    """Reads tokens.

    Args:
        secrets: The secrets that each tenant's tokens may be signed with: several while one replaces another.

    Example:
        >>> now = datetime.fromisoformat("2026-05-06T16:00:00Z")
        >>> token = sign("7", "x" * 32, now)
        >>> CustomerTokens({"default": [SecretStr("y" * 32), SecretStr("x" * 32)]}).customer("default", token, now)
        '7'
    """

    secrets: Mapping[str, Sequence[SecretStr]]

    def customer(self, tenant: str, token: str, now: datetime) -> str:
        """The customer of a token.

        Raises:
            UnauthenticatedError: The tenant has no secrets. Or the token is none, is signed with another secret, lacks
                a claim, holds too long, or does not hold now.
        """
        secrets = self.secrets.get(tenant, ())
        if not secrets:
            raise UnauthenticatedError("no customer tokens are taken", wanted="a secret in TACTFUL_TOKEN_SECRETS")
        for secret in secrets:
            claims = _claims(token, secret.get_secret_value())
            if claims is not None:
                return _customer(claims, now)
        raise UnauthenticatedError("not a customer token of this tenant", wanted=f"a JWT signed with {ALGORITHM}")


def sign(customer: str, secret: str, now: datetime, lasts: timedelta = timedelta(minutes=5)) -> str:
    """The token of a customer, as a shop's server makes it.

    Args:
        customer: The customer.
        secret: The secret, at least 32 bytes.
        now: The present moment.
        lasts: How long it holds, at most fifteen minutes.
    """
    claims = {"sub": customer, "aud": AUDIENCE, "iat": int(now.timestamp()), "exp": int((now + lasts).timestamp())}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


class _Claims(BaseModel):
    """The claims of a token."""

    model_config = ConfigDict(strict=True, frozen=True)

    sub: str = Field(min_length=1, max_length=200)
    iat: int
    exp: int


def _claims(token: str, secret: str) -> dict[str, Any] | None:
    """The claims of a token; None where its signature is another's, or a claim is missing. Times are judged later."""
    unjudged: Options = {"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        return jwt.decode(token, secret, algorithms=[ALGORITHM], audience=AUDIENCE, options=unjudged)
    except (jwt.InvalidTokenError, ValueError):
        return None


def _customer(found: dict[str, Any], now: datetime) -> str:
    wanted = f"sub, and at most {LONGEST.total_seconds():.0f} seconds from iat to exp, in whole seconds"
    try:
        claims = _Claims.model_validate(found)
    except ValidationError:
        raise UnauthenticatedError("a customer token with unfit claims", wanted=wanted) from None
    if not 0 < claims.exp - claims.iat <= LONGEST.total_seconds():
        raise UnauthenticatedError("a customer token that holds too long", wanted=wanted)
    if not claims.iat - LEEWAY.total_seconds() <= now.timestamp() < claims.exp + LEEWAY.total_seconds():
        raise UnauthenticatedError("a customer token that does not hold now", wanted="a new one")
    return claims.sub
