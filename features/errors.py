"""The error tree. Every error of the product is a `TactfulError`; each room adds its own branch.

TactfulError
├── EventError              an event that is not one (features)
├── FeatureError            a feature definition that cannot be computed (features)
└── MappingError            an import mapping that does not fit its file (features)
"""

from typing import Any


class TactfulError(Exception):
    """An error that says what it got, what it wanted and where.

    Args:
        message: The mistake, as a clause without a full stop.
        got: The offending value.
        wanted: The right value.
        where: The place: a file and line, a field, a column.

    Example:
        >>> print(TactfulError("unknown channel", got="fax", wanted="email or mail", where="retail.yaml:12"))
        unknown channel: got 'fax'; wanted email or mail; at retail.yaml:12
    """

    def __init__(self, message: str, *, got: Any = None, wanted: Any = None, where: Any = None) -> None:
        self.message = message
        self.got = got
        self.wanted = wanted
        self.where = where
        details = [
            text
            for text in (
                f"got {got!r}" if got is not None else "",
                f"wanted {wanted}" if wanted is not None else "",
                f"at {where}" if where is not None else "",
            )
            if text
        ]
        super().__init__(f"{message}: {'; '.join(details)}" if details else message)


class EventError(TactfulError):
    """An event, or a table of events, that breaks the vocabulary."""


class FeatureError(TactfulError):
    """A feature definition that cannot be computed."""


class MappingError(TactfulError):
    """An import mapping that does not fit its file."""
