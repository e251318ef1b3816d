"""Bodies of requests: bounded before they are read, inflated or parsed."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError

LARGEST = 4 * 1024 * 1024
"""Bytes of the largest body there is, as sent and as inflated: a batch of RudderStack's."""
LARGEST_BATCH = 500_000
"""Bytes of the largest batch that is not RudderStack's."""
LARGEST_MESSAGE = 32 * 1024
"""Bytes of the largest message."""
MOST_MESSAGES = 10_000
"""Messages of the largest batch."""
MOST_INFLATED = 100
"""How many times its size a body may have once it is inflated, where that is more than `FREELY_INFLATED` bytes."""
FREELY_INFLATED = 512 * 1024
MOST_CONTAINERS, MOST_COMMAS = 100_000, 400_000
"""Objects and lists, and commas, of the largest body: what is parsed of it costs many times their bytes."""
_GZIP = 16 + zlib.MAX_WBITS


def inflated(body: bytes, encoding: str, limit: int = LARGEST) -> bytes:
    """A body as its sender meant it; never more than the limit is held in memory.

    Args:
        body: As received.
        encoding: The header `Content-Encoding`: `gzip`, or nothing.
        limit: Bytes it may have afterwards.

    Raises:
        UnfitMessageError: Too large, of an unknown encoding, or not of the one it claims.

    Example:
        >>> import gzip
        >>> inflated(gzip.compress(b"{}"), "gzip")
        b'{}'
    """
    if encoding in ("", "identity"):
        return _within(body, limit)
    if encoding != "gzip":
        raise UnfitMessageError("an encoding that cannot be read", wanted="gzip", where="the header Content-Encoding")
    limit = min(limit, max(FREELY_INFLATED, MOST_INFLATED * len(body)))
    inflater = zlib.decompressobj(_GZIP)
    try:
        content = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise UnfitMessageError("not gzip", wanted="what the header Content-Encoding says", where="the body") from None
    _within(content, limit)
    if not inflater.eof or inflater.unused_data:
        raise UnfitMessageError("not one whole gzip stream", where="the body")
    return content


def inflated_size(body: bytes, encoding: str) -> int:
    """Bytes of a body that `inflated` has accepted, as inflated: gzip states them at its end."""
    return int.from_bytes(body[-4:], "little") if encoding == "gzip" else len(body)


def parsed(content: bytes) -> Mapping[str, Any]:
    """The JSON object of a body; `NaN` and `Infinity`, which some senders write, are numbers that no field accepts.

    Raises:
        UnfitMessageError: Not JSON, not an object, nested too deeply, or of too many parts for its size.

    Example:
        >>> parsed(b'{"userId": "7"}')
        {'userId': '7'}
    """
    if content.count(b"[") + content.count(b"{") > MOST_CONTAINERS or content.count(b",") > MOST_COMMAS:
        limit = f"at most {MOST_CONTAINERS} objects and lists, and {MOST_COMMAS} commas"
        raise UnfitMessageError("too many parts", fate=MessageStatus.OVERSIZED, wanted=limit, where="the body")
    try:
        found = json.loads(content)
    except RecursionError:
        raise UnfitMessageError("JSON nested too deeply", where="the body") from None
    except ValueError:
        raise UnfitMessageError("not JSON", wanted="a JSON object in UTF-8", where="the body") from None
    if not isinstance(found, dict):
        raise UnfitMessageError("not a JSON object", where="the body")
    return found


def size(message: object) -> int:
    """Bytes of a message as compact JSON.

    Raises:
        UnfitMessageError: It holds half a surrogate pair, which UTF-8 cannot encode.
    """
    try:
        return len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())
    except (UnicodeEncodeError, RecursionError):
        raise UnfitMessageError("text that is not Unicode, or JSON nested too deeply") from None


def of_rudderstack(body: Mapping[str, Any], messages: list[Any]) -> bool:
    """Whether RudderStack's software sent a batch: it writes a `channel` into each message, and no write key around."""
    first = messages[0] if messages else None
    return "writeKey" not in body and isinstance(first, dict) and isinstance(first.get("channel"), str)


def _within(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise UnfitMessageError("too large", fate=MessageStatus.OVERSIZED, wanted=f"at most {limit} bytes")
    return content
