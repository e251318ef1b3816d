"""The statuses of messages: each message has one, which is counted."""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from tactful.serving.errors import ServingError

T = TypeVar("T")


class MessageStatus(Enum):
    """The fate of a message; its value is the label it is counted under."""

    KEPT = "kept"
    CLAMPED = "clamped"
    PARTIAL = "partial"
    UNMAPPED = "unmapped"
    DUPLICATE = "duplicate"
    ERASED = "erased"
    UNKNOWN_DECISION = "unknown_decision"
    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    LATE = "late"
    FUTURE = "future"
    FORBIDDEN = "forbidden"
    NOT_MERGED = "not_merged"
    MERGE_LIMIT = "merge_limit"
    DAY_LIMIT = "day_limit"

    @property
    def refused(self) -> bool:
        """Whether something is lost that its sender should correct."""
        return self in REFUSALS

    @property
    def meaning(self) -> str:
        """The status as a sentence about the message."""
        return MEANINGS[self]


MEANINGS = {
    MessageStatus.KEPT: "kept",
    MessageStatus.CLAMPED: "a little ahead of our clock: kept as of its receipt",
    MessageStatus.PARTIAL: "kept without the fields that are unfit",
    MessageStatus.UNMAPPED: "means nothing here: acknowledged, not kept",
    MessageStatus.DUPLICATE: "a message of this id was kept before, and stands",
    MessageStatus.ERASED: "the customer was erased: acknowledged, not kept",
    MessageStatus.UNKNOWN_DECISION: "speaks of a decision that there is not: its event is kept, tied to none",
    MessageStatus.MALFORMED: "not a message that can be understood",
    MessageStatus.OVERSIZED: "larger than a message may be",
    MessageStatus.LATE: "happened before what is kept of histories",
    MessageStatus.FUTURE: "happens after its receipt",
    MessageStatus.FORBIDDEN: "the key may not send it",
    MessageStatus.NOT_MERGED: "two users, or ids that were separated, are not merged; the rest is kept",
    MessageStatus.MERGE_LIMIT: "too many ids became this customer within an hour: not merged; the rest is kept",
    MessageStatus.DAY_LIMIT: "too many events of this customer on that day: the event is not kept, the rest is",
}
REFUSALS = frozenset(
    {
        MessageStatus.PARTIAL,
        MessageStatus.UNKNOWN_DECISION,
        MessageStatus.MALFORMED,
        MessageStatus.OVERSIZED,
        MessageStatus.LATE,
        MessageStatus.FUTURE,
        MessageStatus.FORBIDDEN,
        MessageStatus.NOT_MERGED,
        MessageStatus.MERGE_LIMIT,
        MessageStatus.DAY_LIMIT,
    }
)


class UnfitMessageError(ServingError):
    """A message that cannot be kept.

    Its words never tell a value back, since values are personal.

    Args:
        message: The mistake.
        fate: The status of the message.
        wanted: The right value.
        where: The field.
    """

    def __init__(
        self, message: str, *, fate: MessageStatus = MessageStatus.MALFORMED, wanted: Any = None, where: Any = None
    ) -> None:
        super().__init__(message, wanted=wanted, where=where)
        self.fate = fate


def fit_or(instead: T, left_out: list[str], read: Callable[..., T], *given: Any) -> T:
    """A field's value; another one where the field is unfit, and then the reason goes to a list.

    Args:
        instead: The value of an unfit field.
        left_out: Where reasons are collected.
        read: Reads the field.
        given: The arguments of `read`.

    Example:
        >>> def refuse() -> int:
        ...     raise UnfitMessageError("not a number", where="price")
        >>> left_out: list[str] = []
        >>> fit_or(0, left_out, refuse), left_out
        (0, ['not a number: at price'])
    """
    try:
        return read(*given)
    except UnfitMessageError as error:
        left_out.append(str(error))
        return instead
