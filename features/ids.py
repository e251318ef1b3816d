"""The rule for ids of customers: one for imports, for tracking and for the API.

An id is text of at most `LONGEST_ID` printable characters, without blanks around it. A whole number that was written as
a decimal (`13085.0`, as pandas and Excel write a column of numbers with gaps) is the id `13085`. A placeholder
(`null`, `undefined`, `0`) is refused: a log that holds it would make one customer of everybody who has none.
"""

import json
import math
import re
from collections.abc import Collection

LONGEST_ID = 200
PLACEHOLDER_IDS = (
    "null", "nil", "none", "nan", "na", "n/a", "\\n", "undefined", "unknown", "unset", "not set", "missing", "empty",
    "anonymous", "guest", "true", "false", "0", "-1", "-", "?", "object object", "id", "userid", "user_id",
    "customerid", "customer_id", "customer id",
)  # fmt: skip
"""Placeholders: words that are no ids, whatever their case, and whatever brackets, quotes or signs of a template are
around them. `0` covers every number of zeros, such as the nil UUID, and `-` every row of dashes."""
LARGEST_NUMBER = 2**53
"""Whole numbers from here on are not exact as floats, so that two customers might read the same."""
WHOLE_NUMBER = r"^(-?[0-9]+)\.0*$"
"""A whole number written as a decimal; its first group is the id."""
ROUNDED_NUMBER = r"^[+-]?[0-9](\.[0-9]+)?[eE]\+[0-9]+$"
"""A long number as a spreadsheet shortens it: the digits that told customers apart are gone."""
_WHOLE = re.compile(WHOLE_NUMBER)
_ROUNDED = re.compile(ROUNDED_NUMBER)
_AROUND = " \t()<>[]{}\"'`#$%"


def canonical_id(value: object) -> str | None:
    """The id that a value reads as; None where it is neither text nor a whole number.

    Args:
        value: Text, an integer, or a float that is a whole number below `LARGEST_NUMBER`.

    Example:
        >>> canonical_id(" 13085.0 "), canonical_id(13085.0), canonical_id("007"), canonical_id(1.5)
        ('13085', '13085', '007', None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        whole = math.isfinite(value) and value.is_integer() and abs(value) < LARGEST_NUMBER
        return str(int(value)) if whole else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    found = _WHOLE.match(text)
    return found[1] if found else text


def folded(word: str) -> str:
    """A word as placeholders are compared.

    Example:
        >>> folded("[NULL]"), folded("{{ user_id }}"), folded("00000000-0000-0000-0000-000000000000"), folded("--")
        ('null', 'user_id', '0', '-')
    """
    bare = word.strip(_AROUND).casefold()
    if bare and not bare.strip("0-"):
        return "0" if "0" in bare else "-"
    return bare


def fault_of(customer: str, placeholders: Collection[str]) -> str | None:
    """The fault of an id, as a clause; None where it is fit.

    Args:
        customer: An id as `canonical_id` gives it.
        placeholders: Words that are no ids, as `folded` gives them.

    Example:
        >>> fault_of("Undefined", PLACEHOLDER_IDS), fault_of("c1", PLACEHOLDER_IDS), fault_of("1.3085E+12", ())
        ('a placeholder', None, 'a rounded number')
    """
    if not customer or not folded(customer) or customer in (".", ".."):
        return "not an id"
    if len(customer) > LONGEST_ID or not customer.isprintable():
        return f"not text of at most {LONGEST_ID} printable characters"
    if _ROUNDED.match(customer):
        return "a rounded number"
    if _is_json(customer):
        return "a list or an object"
    return "a placeholder" if folded(customer) in placeholders else None


def _is_json(text: str) -> bool:
    """Whether a text is a list or an object in JSON, which a log of JSON lines held in place of an id."""
    if not text.startswith(("[", "{")):
        return False
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False
