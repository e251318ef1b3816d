"""When something happened, by our clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tactful.features.timestamps import AHEAD, EARLIEST
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError

INSTANT = timedelta(microseconds=1)


def read(value: Any, where: str) -> datetime | None:
    """A moment in ISO 8601, UTC where it names no zone; None where there is none.

    Raises:
        UnfitMessageError: It is something else.

    Example:
        >>> read("2026-03-01T12:00:00+02:00", "timestamp").isoformat()
        '2026-03-01T10:00:00+00:00'
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise UnfitMessageError("not a moment", wanted="ISO 8601, such as 2026-03-01T12:00:00Z", where=where) from None


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
