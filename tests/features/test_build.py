"""Feature frames have the rows they promise, and a data set gives what its events give."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tactful.features.build import build, build_dataset, build_dataset_pairs, build_pairs
from tactful.features.definitions.standard import STANDARD
from tactful.features.errors import EventError, FeatureError
from tactful.features.events.dataset import write_events
from tactful.features.events.schema import encode, history
from tactful.features.timestamps import DAY
from tests.features.histories import frames, moments

BOUGHT = history("UTC", [DAY, 9 * DAY], [0, 0], amount=[3.0, 4.0], customer_id="7")


def test_rows_are_those_with_a_past_unless_everyone_is_asked_for() -> None:
    as_of = [20 * DAY, DAY, DAY + 1]
    assert build(BOUGHT, as_of).as_of.tolist() == [20 * DAY, DAY + 1]
    assert build(BOUGHT, as_of, everyone=True).as_of.tolist() == as_of
    assert len(build(history("UTC", [], []), as_of)) == 0


def test_pairs_come_in_the_order_given_and_strangers_have_no_events() -> None:
    frame = build_pairs(BOUGHT, ["nobody", "7", "7"], [20 * DAY, 20 * DAY, 2 * DAY])
    assert frame.customers.tolist() == ["nobody", "7", "7"]
    assert frame.column("spend_total").tolist() == [0.0, 7.0, 3.0]
    with pytest.raises(FeatureError, match="pairs of different lengths"):
        build_pairs(BOUGHT, ["7"], [])


def test_moments_are_aware_datetimes_or_microseconds() -> None:
    aware = datetime(1970, 1, 21, tzinfo=UTC)
    assert build(BOUGHT, [aware]).fingerprint == build(BOUGHT, [20 * DAY]).fingerprint
    with pytest.raises(EventError, match="a moment without a time zone"):
        build(BOUGHT, [datetime(1970, 1, 21)])  # noqa: DTZ001


def test_a_frame_in_pandas_and_by_column() -> None:
    frame = build(BOUGHT, [20 * DAY], STANDARD.subset(["purchases_total", "spend_total"]))
    table = frame.to_pandas()
    assert table.index.names == ["customer_id", "as_of"]
    assert table.index.tolist() == [("7", pd.Timestamp("1970-01-21", tz="UTC"))]
    assert table.to_dict("records") == [{"purchases_total": 2, "spend_total": 7}]
    assert frame.values.flags.c_contiguous
    with pytest.raises(FeatureError, match="unknown feature: got 'spend'"):
        frame.column("spend")


def test_fingerprints_follow_rows_values_and_definitions() -> None:
    other = history("UTC", [DAY, 9 * DAY], [0, 0], amount=[3.0, 5.0], customer_id="7")
    frames = [
        build(BOUGHT, [20 * DAY]),
        build(other, [20 * DAY]),
        build(BOUGHT, [21 * DAY]),
        build(BOUGHT, [20 * DAY], STANDARD.subset(["spend_total"])),
    ]
    assert len({frame.fingerprint for frame in frames}) == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(frames(), st.lists(moments(), min_size=1, max_size=3), st.booleans())
def test_a_data_set_gives_what_its_events_give(
    tmp_path: Path, table: pd.DataFrame, as_of: list[datetime], everyone: bool
) -> None:
    dataset = write_events(table, tmp_path / "events", zone="America/New_York", buckets=3)
    events = encode(table, "America/New_York")
    steps: list[tuple[int, int]] = []
    stored = build_dataset(
        dataset, as_of, everyone=everyone, progress=lambda done, of: steps.append((done, of))
    ).to_pandas()
    direct = build(events, as_of, everyone=everyone).to_pandas()
    pd.testing.assert_frame_equal(stored.sort_index(), direct.sort_index(), check_exact=True)
    assert steps == [(1, 3), (2, 3), (3, 3)]

    customers, each = ["b", "nobody", "a", "b"], [as_of[0], as_of[-1], as_of[-1], as_of[-1]]
    pairs = build_dataset_pairs(dataset, customers, each)
    assert pairs.fingerprint == build_pairs(events, customers, each).fingerprint


def test_values_are_one_block_of_doubles() -> None:
    frame = build(BOUGHT, [20 * DAY])
    assert frame.values.dtype == np.float64
    assert frame.values.shape == (1, len(STANDARD))
