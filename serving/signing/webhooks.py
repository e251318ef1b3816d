"""Signed webhooks, as Standard Webhooks has them: https://www.standardwebhooks.com."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tactful.serving.addresses import is_loopback
from tactful.serving.errors import SettingsError

PREFIX = "whsec_"
SHORTEST_SECRET = 24
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The receiver of decisions, and the secrets that sign them.

    Args:
        url: Its address: https, or http on this machine.
        secrets: The keys of the signatures: one, or several while one replaces another.
    """

    url: str
    secrets: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, url: str, *secrets: str) -> "Webhook":
        """A webhook from its settings.

        Args:
            url: Its address.
            secrets: Each `whsec_` and the key in base64.

        Raises:
            SettingsError: The address is not safe, there is no secret, or one is unfit.

        Example:
            >>> Webhook.of("https://sender.example/tactful", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").url
            'https://sender.example/tactful'
        """
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if not safe or not parts.hostname:
            raise SettingsError("a webhook others could read", got=url, wanted="https, or http on this machine")
        if not secrets:
            raise SettingsError("a webhook without a secret", got=url, wanted="at least one secret")
        return cls(url, tuple(map(_key, secrets)))

    def headers(self, id_: str, seconds: int, body: bytes) -> dict[str, str]:
        """The headers of a message.

        Args:
            id_: The id by which receivers recognise duplicates.
            seconds: The moment of sending, since the epoch.
            body: The body.
        """
        return {
            "content-type": "application/json",
            "user-agent": "Tactful",
            "webhook-id": id_,
            "webhook-timestamp": str(seconds),
            "webhook-signature": " ".join(signature(secret, id_, seconds, body) for secret in self.secrets),
        }


@dataclass(frozen=True, slots=True)
class Receivers:
    """The receivers of tenants' decisions.

    Args:
        others: The receiver of every tenant without one of its own; None for no receiver.
        own: By tenant, the receivers of their own.

    Example:
        >>> market = Webhook.of("https://market.example/", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        >>> receivers = Receivers(own={"market": market})
        >>> receivers.of("market").url, receivers.of("shop")
        ('https://market.example/', None)
    """

    others: Webhook | None = None
    own: Mapping[str, Webhook] = field(default_factory=dict)

    def of(self, tenant: str) -> Webhook | None:
        """The receiver of a tenant's decisions, or None."""
        return self.own.get(tenant, self.others)


def signature(key: bytes, id_: str, seconds: int, body: bytes) -> str:
    """The signature of a message: HMAC-SHA256 of id, moment and body.

    Example:
        >>> signature(b"secret", "e-1", 1674087231, b"{}")
        'v1,Ku5dUr4iO1idrp2moa/Mz+2FmbvLqVhW6JeRKn52lEE='
    """
    signed = hmac.digest(key, f"{id_}.{seconds}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def _key(secret: str) -> bytes:
    wanted = f"{PREFIX} and at least {SHORTEST_SECRET} bytes in base64"
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or len(key) < SHORTEST_SECRET:
        raise SettingsError("an unfit webhook secret", wanted=wanted)
    return key
