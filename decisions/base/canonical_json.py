"""Canonical JSON: members in the order of their names, no space between, ASCII alone, so that a value has one text.

`of` writes anything. What a record holds by the dozen is written by templates instead, which costs less: JSON with a
place for each member, filled in with `text`, `number`, `moment` and `array`; the whole is put together by `members`.
"""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from json.encoder import encode_basestring_ascii

of = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
"""Any value of JSON. Raises ValueError for a number that is not finite."""

text = encode_basestring_ascii
"""A string, in its quotes."""


def number(value: float | None) -> str:
    """A finite number, or null.

    Raises:
        ValueError: For a number that is not finite.
    """
    if value is None:
        return "null"
    if not math.isfinite(value):
        raise ValueError(f"a number that JSON does not know: got {value}; wanted a finite one")
    return str(value)


def moment(value: datetime | None) -> str:
    """A moment as ISO 8601 text, or null."""
    return f'"{value.isoformat()}"' if value else "null"


def members(written: Mapping[str, str]) -> str:
    """An object of members that are written already.

    Example:
        >>> members({"observed": text("3 contacts"), "gate": text("cap")})
        '{"gate":"cap","observed":"3 contacts"}'
    """
    return f"{{{','.join([f'{text(name)}:{written[name]}' for name in sorted(written)])}}}"


def array(items: Iterable[str]) -> str:
    """Items that are written already, as an array.

    Example:
        >>> array([text("weekly"), number(0.5), moment(None)])
        '["weekly",0.5,null]'
    """
    return f"[{','.join(items)}]"
