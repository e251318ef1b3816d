"""The inputs of a decision as the store keeps them: JSON, compressed where it is long."""

import json
import zlib
from typing import Any

SHORT = 2_048
"""Bytes of a snapshot from which it is compressed."""
_ZLIB = b"\x78"
"""The first byte of what zlib compressed, with which no JSON begins."""


def packed(document: str) -> bytes:
    """Returns a JSON object in ASCII as bytes to keep."""
    content = document.encode()
    return content if len(content) < SHORT else zlib.compress(content, 1)


def unpacked(content: bytes) -> Any:
    """Returns the value of the JSON that `packed` was given.

    Example:
        >>> unpacked(packed('{"events": []}'))
        {'events': []}
    """
    return json.loads(zlib.decompress(content) if content.startswith(_ZLIB) else content)
