import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.features.timestamps import DAY
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import Span, days_after, midnight
from tactful.training.data.splits import by_time, latest_share, snapshots

START = 1_700_000_000_000_000
SPANS = st.integers(30, 1500)
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/London"])


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(1, 60))), st.integers(10, 60), st.integers(10, 60))
def test_nothing_is_learnt_from_what_was_not_settled(
    rows: list[tuple[int, int]], validation_from: int, between: int
) -> None:
    test_from = validation_from + between
    rows += [(0, 5), (validation_from, 5), (test_from, 5)]
    as_of = np.array([start for start, _ in rows])
    known = as_of + np.array([length for _, length in rows])
    split = by_time(as_of, known, validation_from=validation_from, test_from=test_from)
    assert known[split.train].max() <= validation_from <= as_of[split.validation].min()
    assert known[split.pool].max() <= test_from <= as_of[split.test].min()
    assert not (split.train & split.validation).any()
    assert not (split.pool & split.test).any()
    assert ((split.train | split.validation) <= split.pool).all()


def test_a_split_without_rows_is_told() -> None:
    as_of = np.array([0, 10, 20])
    with pytest.raises(TrainingError, match=r"too short a log to split: got {'train': 0, 'validation': 1, 'test': 1}"):
        by_time(as_of, as_of + 10, validation_from=5, test_from=20)


@given(st.lists(st.integers(0, 20), min_size=1), st.floats(0.01, 0.99))
def test_the_latest_part_is_whole_moments_within_its_share(moments: list[int], share: float) -> None:
    as_of = np.array(moments)
    begins = latest_share(as_of, share)
    assert begins in moments
    assert (as_of >= begins).mean() <= share or begins == max(moments)
    assert not any((as_of >= earlier).mean() <= share for earlier in moments if earlier < begins)


@given(SPANS, st.integers(1, 200), st.integers(1, 200), ZONES)
def test_snapshots_leave_room_before_between_and_after(days: int, horizon: int, lookback: int, zone: str) -> None:
    covered = Span(START, START + days * DAY)
    try:
        moments = snapshots(covered, zone, horizon_days=horizon, lookback_days=lookback)
    except TrainingError:
        assert days < 3 * horizon + min(horizon, lookback) + 2 + horizon % 31
        return
    assert moments == sorted(set(moments))
    assert all(midnight(moment, zone) == moment for moment in moments)
    assert days_after(moments[-1], horizon, zone) <= covered.end < days_after(moments[-1], horizon + 2, zone)
    assert moments[0] >= START + min(horizon, lookback) * DAY
    assert days_after(moments[0], 2 * horizon, zone) <= moments[-1]
    assert max(np.diff(moments)) <= 32 * DAY


def test_a_horizon_of_months_has_monthly_snapshots() -> None:
    moments = snapshots(Span(START, START + 400 * DAY), "UTC", horizon_days=90, lookback_days=180)
    assert {int(step) // DAY for step in np.diff(moments)} == {30}


def test_too_short_a_log_is_told() -> None:
    with pytest.raises(
        TrainingError, match=r"too short a log: got '100 days, .*wanted at least 114 days for a horizon"
    ):
        snapshots(Span(START, START + 100 * DAY), "UTC", horizon_days=28, lookback_days=56)
