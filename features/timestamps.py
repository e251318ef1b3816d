"""Local days: which calendar day a moment belongs to, in a named zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tactful.features.errors import EventError, TactfulError

SECOND = 1_000_000
DAY = 86_400 * SECOND
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=1)
"""How far an event may lie ahead of our clock: what is sent or imported beyond that is refused."""


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC.

    Args:
        moment: A moment with a zone; a naive one is an error, since its meaning is a guess.

    Example:
        >>> microseconds(datetime(1970, 1, 2, tzinfo=UTC)) == DAY
        True
    """
    if moment.tzinfo is None:
        raise EventError("a moment without a time zone", got=moment.isoformat(), wanted="an aware datetime")
    return (moment - EARLIEST) // timedelta(microseconds=1)


def local_days(time: ArrayLike, zone: str) -> NDArray[np.int32]:
    """Day numbers since 1970-01-01 on the calendar of a zone.

    Args:
        time: Microseconds since the epoch, UTC, between `EARLIEST` and `LATEST`; any shape.
        zone: An IANA name.

    Returns:
        Day numbers of the same shape; day 0 was a Thursday.

    Example:
        >>> local_days([0, 5 * 3600 * SECOND], "America/New_York").tolist()
        [-1, 0]
    """
    moments = np.asarray(time, dtype=np.int64)
    since, offset = utc_offsets(zone)
    days = (moments + offset[np.searchsorted(since, moments, side="right") - 1]) // DAY
    return np.asarray(days, dtype=np.int32)


def customers_days(
    time: NDArray[np.int64], customer: NDArray[np.int64], zones: Sequence[str], zone_of: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Day numbers since 1970-01-01 on the calendar of each customer's zone.

    Args:
        time: Microseconds since the epoch, shape (n,).
        customer: The customer of each time, an index into `zone_of`, shape (n,).
        zones: IANA names.
        zone_of: The zone of each customer, an index into `zones`, shape (c,).

    Returns:
        Shape (n,).

    Example:
        >>> zones = ("UTC", "America/New_York")
        >>> customers_days(np.array([0, 0]), np.array([0, 1]), zones, np.array([0, 1], dtype=np.int32)).tolist()
        [0, -1]
    """
    if len(zones) == 1:
        return local_days(time, zones[0])
    zone = zone_of[customer]
    days = np.empty(len(time), dtype=np.int32)
    for number in np.unique(zone):
        chosen = zone == number
        days[chosen] = local_days(time[chosen], zones[number])
    return days


def is_zone(name: str) -> bool:
    """Whether a name is that of a time zone.

    Example:
        >>> is_zone("Europe/Berlin"), is_zone("GMT+2:30")
        (True, False)
    """
    try:
        _zone_info(name)
    except EventError:
        return False
    return True


@lru_cache(maxsize=1024)
def utc_offsets(zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each offset of a zone begins, and the offset, both in microseconds; the first begins at -2**63."""
    info = _zone_info(zone)
    since, offsets = [int(np.iinfo(np.int64).min)], [_offset(info, 0)]
    for second in range(0, microseconds(LATEST) // SECOND, 86_400):
        if _offset(info, second) != offsets[-1]:
            since.append(_first_second_with_new_offset(info, second - 86_400, second) * SECOND)
            offsets.append(_offset(info, second))
    return np.array(since, dtype=np.int64), np.array(offsets, dtype=np.int64) * SECOND


def _first_second_with_new_offset(info: ZoneInfo, before: int, after: int) -> int:
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(info, middle) == _offset(info, before):
            before = middle
        else:
            after = middle
    return after


def _offset(info: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, info).utcoffset()
    assert offset is not None, "a moment in a zone has an offset"
    return offset // timedelta(seconds=1)


def _zone_info(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        raise EventError("unknown time zone", got=zone, wanted="an IANA name such as Europe/Berlin") from error


def moment_of(moment: datetime | str) -> datetime:
    """An aware UTC moment.

    Args:
        moment: A moment, or ISO 8601 text; UTC where it names no zone.

    Raises:
        TactfulError: The text is no moment.

    Example:
        >>> moment_of("2026-05-04T09:00+02:00").isoformat()
        '2026-05-04T07:00:00+00:00'
    """
    try:
        parsed = datetime.fromisoformat(str(moment))
    except ValueError:
        wanted = "ISO 8601, such as 2026-05-04T09:00+02:00"
        raise TactfulError("not a moment", got=str(moment), wanted=wanted) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
