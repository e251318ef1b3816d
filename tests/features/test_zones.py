"""Local days agree with zoneinfo, at every change of clocks too."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.features.errors import EventError
from tactful.features.timestamps import DAY, LATEST, local_days, microseconds, utc_offsets

ZONES = ("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu")
EPOCH = date(1970, 1, 1)


def by_zoneinfo(moment: datetime, zone: str) -> int:
    return (moment.astimezone(ZoneInfo(zone)).date() - EPOCH).days


@given(st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_days_agree_with_zoneinfo(moment: datetime, zone: str) -> None:
    assert local_days([microseconds(moment)], zone).tolist() == [by_zoneinfo(moment, zone)]


@pytest.mark.parametrize("zone", ZONES)
def test_days_agree_with_zoneinfo_around_every_midnight_of_three_years(zone: str) -> None:
    hours = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(3 * 365 * 48)]
    around = [moment + timedelta(microseconds=step) for moment in hours for step in (-1, 0)]
    assert local_days([microseconds(moment) for moment in around], zone).tolist() == [
        by_zoneinfo(moment, zone) for moment in around
    ]


def test_offsets_begin_at_the_second() -> None:
    since, offsets = utc_offsets("Europe/Berlin")
    spring = microseconds(datetime(2026, 3, 29, 1, tzinfo=UTC))
    assert spring in since.tolist()
    assert offsets[since.tolist().index(spring)] == DAY // 12


def test_a_moment_has_a_zone_and_a_zone_a_name() -> None:
    assert microseconds(LATEST) == 47_482 * DAY
    with pytest.raises(EventError, match="a moment without a time zone"):
        microseconds(datetime(2026, 1, 1))  # noqa: DTZ001
    for name in ("Mars/Base", "", "../etc/passwd", "Europe"):
        with pytest.raises(EventError, match="unknown time zone"):
            local_days([0], name)
