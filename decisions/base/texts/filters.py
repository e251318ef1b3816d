"""The filters that a text may use: Liquid's own, bounded in what they take, do and give.

A filter that expects a number refuses anything else, where Liquid counts it as 0. Dates are read from ISO 8601, and
`now` and `today` are the decision's moment. `safe`, `escapejs` and the decoders are left out: they would carry markup
or control characters past the escaping; so are the filters for lists of objects, which no text has.

Source: Liquid, https://shopify.github.io/liquid/.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from liquid import Undefined
from liquid.builtin.filters import array, misc, string
from liquid.builtin.filters import math as numbers
from liquid.exceptions import FilterArgumentError, ResourceLimitError
from liquid.filter import with_context

from tactful.features.one_line import is_blank, one_line

MOST_CHARACTERS = 50_000
"""Characters of a text, of its rendered form, and of anything that a filter takes or gives."""
MOST_ITEMS = 1_000
MOST_NUMBER = 1e15
"""Beyond this, in either direction, a number in a text is an error: floats no longer tell whole numbers apart."""

Filter = Callable[..., Any]
_EPOCH = re.compile(r"%(%|s)")


class Number(float):
    """A number as a text prints it: without a point where it is whole, and never with an exponent.

    Example:
        >>> f"{Number(30.0)!s} {Number(2.5)!s} {Number(1e-7)!s}"
        '30 2.5 0.0000001'
    """

    __slots__ = ()

    def __str__(self) -> str:
        return str(int(self)) if self.is_integer() else format(Decimal(repr(float(self))), "f")


def printable(value: Any) -> Any:
    """A value of a customer, event or offer as a text reads it; None where it has nothing to print."""
    if isinstance(value, str):
        line = one_line(value)
        return None if is_blank(line) else line
    if isinstance(value, float):
        return Number(value) if math.isfinite(value) else None
    return value


def _weight(value: Any) -> int:
    """The characters that a value has or can print."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | range):
        if len(value) > MOST_ITEMS:
            raise ResourceLimitError(f"a list of more than {MOST_ITEMS}", token=None)
        return sum(map(_weight, value)) + len(value)
    return 20


def _checked(value: Any) -> Any:
    """The result of a filter, if it is within bounds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= MOST_NUMBER:
            raise FilterArgumentError("a number out of bounds", token=None)
        return Number(value) if isinstance(value, float) else value
    _within(_weight(value))
    return value


def _within(characters: int) -> None:
    if characters > MOST_CHARACTERS:
        raise ResourceLimitError(f"more than {MOST_CHARACTERS:,} characters", token=None)


def _bounded(filter_: Filter, grown: Callable[..., int] | None = None) -> Filter:
    """A filter that checks what it takes, spends from the text's allowance, and checks what it gives.

    Args:
        filter_: The filter.
        grown: The characters of its result, where these can be more than a few times those of its arguments.
    """
    needs_environment = getattr(filter_, "with_environment", False)
    needs_context = getattr(filter_, "with_context", False)

    @with_context
    def bounded(value: Any, *arguments: Any, context: Any, **options: Any) -> Any:
        weights = [_weight(taken) for taken in (value, *arguments, *options.values())]
        _within(max(weights))
        context.spend(1 + sum(weights) // 100)
        if grown is not None:
            _within(grown(value, *arguments))
        if needs_environment:
            options["environment"] = context.env
        if needs_context:
            options["context"] = context
        return _checked(filter_(value, *arguments, **options))

    return bounded


def _of_numbers(filter_: Filter) -> Filter:
    """A filter of numbers that refuses anything else."""

    def counted(value: Any, *arguments: Any) -> Any:
        return filter_(_number(value), *map(_number, arguments))

    return counted


def _number(value: Any) -> float | int:
    """A number, or a text that is one.

    Raises:
        FilterArgumentError: It is neither, or out of bounds.
    """
    found: Any = value
    if isinstance(value, str):
        try:
            found = float(value) if "." in value else int(value)
        except ValueError:
            found = None
    if not isinstance(found, int | float) or isinstance(found, bool):
        got = "a value that is missing" if value is None or isinstance(value, Undefined) else "words"
        raise FilterArgumentError(f"a filter of numbers got {got}", token=None)
    if not abs(found) <= MOST_NUMBER:
        raise FilterArgumentError("a number out of bounds", token=None)
    return found


def _size(value: Any) -> int:
    if value is None or isinstance(value, Undefined):
        raise FilterArgumentError("the size of a value that is missing", token=None)
    return int(misc.size(value))


def _replaced(value: Any, sought: Any = "", put: Any = "") -> int:
    text, sought = str(value), str(sought)
    return len(text) + text.count(sought) * len(str(put))


def _joined(value: Any, separator: Any = " ") -> int:
    items = len(value) if isinstance(value, list | tuple | range) else 1
    return _weight(value) + items * len(str(separator))


@with_context
def _date(value: Any, layout: Any, *, context: Any) -> str:
    """A moment in a layout of strftime; what is no date is printed as it is, and nothing stays nothing."""
    if value is None or isinstance(value, Undefined) or value == "":
        return ""
    now = context.globals.get("now")
    if now is None:
        raise FilterArgumentError("a date where no moment is known", token=None)
    moment = now if value in ("now", "today") else _moment(value, now)
    if moment is None:
        return str(value)
    written = _EPOCH.sub(lambda m: "%%" if m[1] == "%" else str(int(moment.timestamp())), str(layout))
    return moment.strftime(written)


def _moment(value: Any, now: datetime) -> datetime | None:
    """The time that a value names, in the zone of `now`: ISO 8601, a date, or seconds since 1970."""
    if isinstance(value, datetime):
        return value.astimezone(now.tzinfo) if value.tzinfo else value.replace(tzinfo=now.tzinfo)
    if isinstance(value, date):
        return datetime.combine(value, time(), now.tzinfo)
    if isinstance(value, str) and not value.isdigit():
        try:
            return _moment(datetime.fromisoformat(value), now)
        except ValueError:
            return None
    return datetime.fromtimestamp(_number(value), now.tzinfo)


_ON_TEXTS: Sequence[Filter] = (
    string.append, string.capitalize, string.downcase, string.escape, string.escape_once, string.lstrip,
    string.newline_to_br, string.prepend, string.remove, string.remove_first, string.remove_last,
    string.replace_first, string.replace_last, string.rstrip, string.split, string.squish, string.strip,
    string.strip_html, string.strip_newlines, string.truncate, string.truncatewords, string.upcase,
    string.url_encode, string.base64_encode, string.base64_url_safe_encode,
    array.first, array.last, array.reverse, array.sort, array.sort_natural, misc.default,
)  # fmt: skip
_ON_NUMBERS: Sequence[Filter] = (
    numbers.at_most, numbers.at_least, numbers.ceil, numbers.divided_by, numbers.floor, numbers.minus,
    numbers.modulo, numbers.plus, numbers.times,
)  # fmt: skip

FILTERS: Mapping[str, Filter] = {
    **{filter_.__name__: _bounded(filter_) for filter_ in _ON_TEXTS},
    **{filter_.__name__: _bounded(_of_numbers(filter_)) for filter_ in _ON_NUMBERS},
    "abs": _bounded(_of_numbers(numbers.abs_)),
    "round": _bounded(_of_numbers(numbers.round_)),
    "slice": _bounded(string.slice_),
    "size": _bounded(_size),
    "replace": _bounded(string.replace, _replaced),
    "join": _bounded(array.join, _joined),
    "date": _bounded(_date),
}
"""Every filter there is, by name."""
