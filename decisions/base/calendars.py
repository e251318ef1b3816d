"""Local wall clocks and holidays, computed in UTC: some local times exist twice in a year and some never."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from tactful.decisions.base.errors import SnapshotError


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        SnapshotError: If there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise SnapshotError("unknown time zone", got=name, wanted="an IANA name such as Europe/Paris") from None


def day_of(text: str, zone: ZoneInfo | None) -> date:
    """The day that a date or a moment in ISO 8601 means for somebody in a zone.

    A moment at midnight of its own clock is how many programs write a day, so it is that day; any other moment is the
    day on which it falls in the zone. A moment without an offset, or for somebody without a zone, is the day it is
    written with.

    Args:
        text: Such as `1990-05-18`, `1990-05-18T00:00:00Z` or `1990-05-17T22:00:00.000Z`.
        zone: Where the person lives, or None where that is unknown.

    Raises:
        ValueError: The text is no date in ISO 8601.
        OverflowError: The day lies before the year 1 or after 9999.

    Example:
        >>> day_of("1990-05-17T22:00:00.000Z", ZoneInfo("Europe/Berlin")).isoformat()
        '1990-05-18'
        >>> day_of("2026-06-17T00:00:00Z", ZoneInfo("America/New_York")).isoformat()
        '2026-06-17'
    """
    text = text.strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or zone is None or moment.time() == time():
        return moment.date()
    return moment.astimezone(zone).date()


def zone_or(name: str | None, other: str | None) -> ZoneInfo | None:
    """The zone of a name, or of the other where there is none; None for a name that is no zone's.

    Example:
        >>> zone_or(None, "Europe/Berlin")
        zoneinfo.ZoneInfo(key='Europe/Berlin')
    """
    wanted = name if name is not None else other
    try:
        return zone_of(wanted) if wanted is not None else None
    except SnapshotError:
        return None


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first UTC moment at which the local wall clock of a day shows `clock` or later.

    Where clocks are put forward over `clock`, that is the moment of the change; where they are put back over it,
    the earlier of the two.

    Example:
        >>> instant(date(2026, 3, 29), time(2, 30), ZoneInfo("Europe/Berlin")).isoformat()
        '2026-03-29T01:00:00+00:00'
    """
    wanted = datetime.combine(day, clock)
    earliest = wanted.replace(tzinfo=zone).astimezone(UTC)
    if earliest.astimezone(zone).replace(tzinfo=None) == wanted:
        return earliest
    low = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while earliest - low > timedelta(seconds=1):
        middle = low + (earliest - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) >= wanted:
            earliest = middle
        else:
            low = middle
    return earliest.replace(microsecond=0)


def next_instant(moment: datetime, day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The same, but the later of two where clocks are put back and the earlier is past.

    Example:
        >>> in_the_second_hour = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
        >>> next_instant(in_the_second_hour, date(2026, 10, 25), time(2, 30), ZoneInfo("Europe/Berlin")).isoformat()
        '2026-10-25T01:30:00+00:00'
    """
    first = instant(day, clock, zone)
    return first if first > moment else datetime.combine(day, clock, zone).replace(fold=1).astimezone(UTC)


def anniversary(day: date, year: int, leap_day: str = "02-28") -> date:
    """The anniversary of a day in a year; 29 February falls on `leap_day` in other years.

    Example:
        >>> anniversary(date(1992, 2, 29), 2027), anniversary(date(1992, 2, 29), 2028)
        (datetime.date(2027, 2, 28), datetime.date(2028, 2, 29))
    """
    try:
        return day.replace(year=year)
    except ValueError:
        month, number = leap_day.split("-")
        return date(year, int(month), int(number))


@lru_cache(maxsize=256)
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


def is_holiday(day: date, country: str) -> bool:
    """Whether a day is a public holiday of a country (ISO 3166 code).

    Example:
        >>> is_holiday(date(2026, 7, 14), "FR"), is_holiday(date(2026, 7, 15), "FR")
        (True, False)
    """
    return day in _holidays(country, day.year)


def supported_countries() -> frozenset[str]:
    """The country codes whose holidays are known."""
    return frozenset(holidays.list_supported_countries(include_aliases=False))
