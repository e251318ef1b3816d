"""When something happened, whatever the sender's clock says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.features.timestamps import AHEAD, EARLIEST
from tactful.serving.ingestion.messages.moments import INSTANT, placed, read
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
SPANS = st.timedeltas(min_value=timedelta(), max_value=YEAR)


@given(age=SPANS, skew=st.timedeltas(min_value=-30 * YEAR, max_value=30 * YEAR))
def test_a_wrong_clock_is_put_right_by_when_it_says_the_message_was_sent(age: timedelta, skew: timedelta) -> None:
    moment, clamped = placed(NOON + skew - age, NOON + skew, NOON, reach=YEAR)
    assert moment == min(NOON - age, NOON - INSTANT)
    assert not clamped


def test_without_its_own_moment_it_happened_when_it_was_received() -> None:
    assert placed(None, None, NOON, reach=YEAR) == (NOON - INSTANT, False)


def test_a_little_ahead_is_moved_back_to_the_receipt_and_more_is_refused() -> None:
    assert placed(NOON + AHEAD, None, NOON, reach=YEAR) == (NOON - INSTANT, True)
    with pytest.raises(UnfitMessageError, match="future-dated") as refused:
        placed(NOON + AHEAD + INSTANT, None, NOON, reach=YEAR)
    assert refused.value.fate is MessageStatus.FUTURE


def test_what_lies_before_the_histories_is_refused() -> None:
    assert placed(NOON - YEAR, None, NOON, reach=YEAR) == (NOON - YEAR, False)
    with pytest.raises(UnfitMessageError, match="at most 365 days old") as refused:
        placed(NOON - YEAR - INSTANT, None, NOON, reach=YEAR)
    assert refused.value.fate is MessageStatus.LATE
    with pytest.raises(UnfitMessageError, match="too late"):
        placed(EARLIEST - INSTANT, None, NOON, reach=100 * YEAR)


@given(timestamp=st.datetimes(timezones=st.just(UTC)), sent=st.none() | st.datetimes(timezones=st.just(UTC)))
def test_whatever_clocks_say_an_event_lies_within_reach_and_before_its_receipt(
    timestamp: datetime, sent: datetime | None
) -> None:
    try:
        moment, _ = placed(timestamp, sent, NOON, reach=YEAR)
    except UnfitMessageError:
        return
    assert NOON - YEAR <= moment < NOON


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-06T12:00:00Z", NOON),
        ("2026-05-06T14:00:00.000+02:00", NOON),
        ("2026-05-06T12:00:00", NOON),
        ("2026-05-06", NOON - timedelta(hours=12)),
        (None, None),
    ],
)
def test_moments_are_read_as_iso_8601(text: str | None, moment: datetime | None) -> None:
    assert read(text, "timestamp") == moment


@pytest.mark.parametrize(
    "unix",
    [1_778_068_800, 1_778_068_800.0, 1_778_068_800_000, "1778068800", "1778068800.0", "1778068800000"],
)
def test_times_of_unix_are_moments_in_seconds_or_milliseconds(unix: object) -> None:
    assert read(unix, "timestamp") == NOON


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        True,
        0,
        5,
        -1_778_068_800,
        1e300,
        float("nan"),
        10**400,
        "17780688",
        ["2026"],
        {"seconds": 1_778_068_800},
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_other_moments_are_refused(value: object) -> None:
    with pytest.raises(UnfitMessageError, match="not a moment: wanted ISO 8601"):
        read(value, "timestamp")
