"""Durations as people write them: `90m`, `24h`, `28d`, `2w`."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_PATTERN = re.compile(r"^(\d+)\s*([mhdw])$")
_DIGITS = 9
LONGEST = timedelta(days=36_525)
"""The longest duration that a catalogue may state."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: Any) -> timedelta:
    """Read a duration: a whole number and a unit of minutes, hours, days or weeks.

    Example:
        >>> parse_duration("36h")
        datetime.timedelta(days=1, seconds=43200)

    Raises:
        ValueError: If it is no duration, or longer than a hundred years.
    """
    if isinstance(value, timedelta):
        return value
    match = _PATTERN.match(str(value).strip())
    if match is None:
        raise ValueError(f"not a duration: got {value!r}; wanted a whole number and m, h, d or w, such as 36h or 28d")
    span = int(match[1]) * timedelta(**{_UNITS[match[2]]: 1}) if len(match[1]) <= _DIGITS else LONGEST * 2
    if span > LONGEST:
        raise ValueError(
            f"too long a duration: got {value!r}; wanted at most {LONGEST.days}d, which is a hundred years"
        )
    return span


def format_duration(value: timedelta) -> str:
    """Write a duration in the largest unit that gives a whole number.

    Example:
        >>> format_duration(timedelta(days=28)), format_duration(timedelta(hours=36))
        ('28d', '36h')
    """
    minutes = int(value.total_seconds()) // 60
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _PATTERN.pattern, "examples": ["90m", "24h", "28d"]}),
]
