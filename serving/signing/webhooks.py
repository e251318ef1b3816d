"""Signed webhooks, as Standard Webhooks has them: https://www.standardwebhooks.com."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tactful.serving.addresses import is_loopback
from tactful.serving.errors import SettingsError

PREFIX = "whsec_"
SHORTEST_SECRET = 24
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The receiver of decisions, and the secret that signs them.

    Args:
        url: Its address: https, or http on this machine.
        secret: The key of the signature.
    """

    url: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, url: str, secret: str) -> "Webhook":
        """A webhook from its settings.

        Args:
            url: Its address.
            secret: `whsec_` and the key in base64.

        Raises:
            SettingsError: The address is not safe, or the secret not one.

        Example:
            >>> Webhook.of("https://sender.example/tactful", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").url
            'https://sender.example/tactful'
        """
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if not safe or not parts.hostname:
            raise SettingsError("a webhook others could read", got=url, wanted="https, or http on this machine")
        return cls(url, _key(secret))

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
            "webhook-signature": signature(self.secret, id_, seconds, body),
        }


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
