"""When something happened, by our clock."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tactful.features.timestamps import AHEAD, EARLIEST
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError

INSTANT = timedelta(microseconds=1)
EARLIEST_UNIX = 1e8
"""A smaller number is no time of Unix: it would be before March 1973."""
MILLISECONDS = 1e11
"""A time of Unix from here on is in milliseconds: as seconds it would be after the year 5000."""
_UNIX = re.compile(r"[0-9]{10}(?:[0-9]{3})?(?:\.[0-9]+)?")


def read(value: Any, where: str) -> datetime | None:
    """A moment in ISO 8601, UTC where it names no zone, or a time of Unix; None where there is none.

    A time of Unix counts from 1970 in seconds or, from 1e11 on, in milliseconds, as a number or a text of digits.

    Raises:
        UnfitMessageError: It is something else.

    Example:
        >>> read("2026-03-01T12:00:00+02:00", "timestamp").isoformat()
        '2026-03-01T10:00:00+00:00'
        >>> read(1772359200, "timestamp") == read("1772359200000", "timestamp") == read(1772359200000.0, "timestamp")
        True
    """
    if value is None:
        return None
    try:
        if (unix := _unix(value)) is not None:
            return datetime.fromtimestamp(unix, UTC)
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise UnfitMessageError("not a moment", wanted="ISO 8601, such as 2026-03-01T12:00:00Z", where=where) from None


def _unix(value: Any) -> float | None:
    """Seconds since 1970, where a value is a time of Unix: shorter texts of digits are dates of ISO 8601."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, str) and _UNIX.fullmatch(value)):
        return None
    number = float(value)
    if number < EARLIEST_UNIX:
        raise ValueError("no time of Unix")
    return number / 1_000 if number >= MILLISECONDS else number


def sent(value: Any, timestamp: datetime | None) -> datetime | None:
    """When a message was sent, by the clock that stamped it; None where it does not say so.

    Raises:
        UnfitMessageError: It is no moment, or one long before what the message reports. No clock says that of itself;
            programs that leave the field out write the year 1 or 1970.
    """
    found = read(value, "sentAt")
    if found is not None and timestamp is not None and timestamp - found > AHEAD:
        raise UnfitMessageError("sent before it happened", wanted="a moment after its timestamp", where="sentAt")
    return found


def placed(
    timestamp: datetime | None, sent: datetime | None, received: datetime, *, reach: timedelta, ahead: timedelta = AHEAD
) -> tuple[datetime, bool]:
    """When a message's event happened, by our clock.

    Sender's clocks are wrong, but as wrong when they stamp an event as when they send it: the difference of the two is
    right, and counts back from the receipt. An event lies an instant before its receipt at the latest, so that a
    decision made upon it sees it.

    Args:
        timestamp: When it happened, by the sender's clock; at its receipt where None.
        sent: When the message was sent, by the same clock; where None, that clock is taken to be right.
        received: When it was received.
        reach: How far back histories are kept.
        ahead: How far it may be ahead of our clock.

    Returns:
        The moment, and whether it was moved back to the receipt.

    Raises:
        UnfitMessageError: It is late or future-dated beyond that.

    Example:
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> hour = timedelta(hours=1)
        >>> placed(noon + 5 * hour, noon + 6 * hour, noon, reach=24 * hour)[0].isoformat()
        '2026-03-01T11:00:00+00:00'
    """
    latest = received - INSTANT
    if timestamp is None:
        return latest, False
    skew = timedelta() if sent is None else received - sent
    if timestamp - received + skew > ahead:
        raise UnfitMessageError("future-dated", fate=MessageStatus.FUTURE, wanted="a past event", where="timestamp")
    if received - timestamp - skew > min(reach, received - EARLIEST):
        raise UnfitMessageError(
            "too late", fate=MessageStatus.LATE, wanted=f"at most {reach.days} days old", where="timestamp"
        )
    moment = timestamp + skew
    return min(moment, latest), moment > received
