"""The kernel equals a slow and obvious reference, sees only the past, and leaks nothing between rows."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.features.build import FeatureFrame, build, build_one, build_pairs
from tactful.features.definitions.definitions import Aggregation, Feature, FeatureSet, Where
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.schema import encode, history
from tactful.features.kernel.program import compile_features
from tactful.features.timestamps import DAY, EARLIEST, local_days, microseconds
from tests.features import reference
from tests.features.histories import ZONES, events, feature_sets, frame, frames, moments

zones = st.sampled_from(ZONES)


def by_row(built: FeatureFrame) -> Iterator[tuple[str, datetime, dict[str, float]]]:
    for customer, as_of, values in zip(built.customers, built.as_of, built.values.tolist(), strict=True):
        moment = EARLIEST + timedelta(microseconds=int(as_of))
        yield customer, moment, dict(zip(built.feature_set.names, values, strict=True))


@given(frames(), st.lists(moments(), min_size=1, max_size=3), feature_sets(), zones)
def test_kernel_equals_the_reference(
    table: pd.DataFrame, as_of: list[datetime], features: FeatureSet, zone: str
) -> None:
    built = build(encode(table, zone), as_of, features, everyone=True)
    for customer, moment, values in by_row(built):
        wanted = reference.row(table, customer, moment, features, zone)
        assert values == pytest.approx(wanted, rel=1e-9, abs=1e-6, nan_ok=True)


@given(frames(), moments(), zones)
def test_sums_means_and_extremes_are_correctly_rounded(table: pd.DataFrame, as_of: datetime, zone: str) -> None:
    exact = (Aggregation.COUNT, Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.LAST)
    features = FeatureSet(
        tuple(
            Feature(
                name=aggregation.value,
                family="test",
                description="",
                aggregation=aggregation,
                column="" if aggregation is Aggregation.COUNT else "amount",
            )
            for aggregation in exact
        )
    )
    small = table[table["amount"].abs() < 1e6]
    built = build(encode(small, zone), [as_of], features)
    for customer, moment, values in by_row(built):
        wanted = reference.row(small, customer, moment, features, zone)
        assert values == pytest.approx(wanted, rel=0, abs=0, nan_ok=True)


@given(st.lists(events(), max_size=20), st.lists(events(), max_size=20), moments(), zones)
def test_no_event_at_or_after_the_moment_moves_a_feature(
    past: list[dict[str, Any]], future: list[dict[str, Any]], as_of: datetime, zone: str
) -> None:
    past = [event for event in past if event["time"] < as_of]
    future = [event | {"time": max(event["time"], as_of)} for event in future]
    pairs = (["a", "b"], [as_of] * 2)
    before = build_pairs(encode(frame(past), zone), *pairs)
    after = build_pairs(encode(frame(past + future), zone), *pairs)
    assert after.values.tobytes() == before.values.tobytes()


@given(frames(), st.lists(moments(), min_size=1, max_size=4), zones, st.randoms())
def test_neither_order_nor_other_rows_leave_a_trace(
    table: pd.DataFrame, as_of: list[datetime], zone: str, random: Random
) -> None:
    together = build(encode(table, zone), as_of, everyone=True)
    shuffled = table.sample(frac=1, random_state=np.random.RandomState(random.randrange(2**32)))
    assert build(encode(shuffled, zone), as_of, everyone=True).values.tobytes() == together.values.tobytes()
    for customer, moment, values in zip(together.customers, together.as_of, together.values, strict=True):
        alone = encode(table[table["customer_id"] == customer], zone)
        assert build(alone, [int(moment)], everyone=True).values.tobytes() == values.tobytes()


@given(frames(), moments(), zones, st.randoms())
def test_decision_time_gives_the_bits_of_the_batch(
    table: pd.DataFrame, as_of: datetime, zone: str, random: Random
) -> None:
    batch = build(encode(table, zone), [as_of], everyone=True)
    program = compile_features(STANDARD)
    for customer, values in zip(batch.customers, batch.values, strict=True):
        rows = encode(table[table["customer_id"] == customer], zone)
        order = list(range(len(rows)))
        random.shuffle(order)
        one = history(
            zone,
            rows.time[order].tolist(),
            rows.type[order].tolist(),
            channel=rows.channel[order],
            amount=rows.amount[order].tolist(),
            discount=rows.discount[order],
            quantity=rows.quantity[order],
            categories=rows.categories[order],
        )
        assert build_one(one, as_of, program).tobytes() == values.tobytes()


def count(window: float | None, where: Where = Where()) -> FeatureSet:  # noqa: B008 - a frozen value
    feature = Feature(
        name="n", family="test", description="", aggregation=Aggregation.COUNT, where=where, window_days=window
    )
    return FeatureSet((feature,))


@pytest.mark.parametrize(
    ("offset", "counted"),
    [(0, 0), (-1, 1), (-7 * DAY + 1, 1), (-7 * DAY, 1), (-7 * DAY - 1, 0), (1, 0)],
    ids=["as of", "just before", "inside", "edge", "outside", "after"],
)
def test_windows_are_half_open(offset: int, counted: int) -> None:
    as_of = microseconds(datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    assert build_one(history("UTC", [as_of + offset], [0]), as_of, compile_features(count(7))).tolist() == [counted]


def test_an_empty_history_counts_nothing_and_knows_nothing() -> None:
    as_of = datetime(2026, 3, 1, tzinfo=UTC)
    values = dict(
        zip(STANDARD.names, build_one(history("UTC", [], []), as_of, compile_features(STANDARD)), strict=True)
    )
    assert values["purchases_total"] == values["spend_365d"] == values["categories_365d"] == 0
    assert math.isnan(values["days_since_purchase"])
    assert math.isnan(values["recency_over_gap"])
    assert values["month_day"] == 1


def test_thresholds_in_currency_are_reached_exactly() -> None:
    bought = history("UTC", [DAY, 2 * DAY, 3 * DAY], [0, 0, 0], amount=[0.1, 0.2, 499.7])
    assert build(bought, [4 * DAY]).column("spend_total").tolist() == [500.0]


def test_days_are_local_on_both_sides_of_a_change_of_clocks() -> None:
    night = [datetime(2026, 3, 8, hour, 30, tzinfo=UTC) for hour in (4, 5, 6, 7)]
    bought = history("America/New_York", [microseconds(moment) for moment in night], [0] * 4)
    as_of = microseconds(datetime(2026, 3, 9, tzinfo=UTC))
    assert build(bought, [as_of]).column("purchase_days_7d").tolist() == [2.0]
    spring = [microseconds(datetime(2026, 3, 9, 3, 59, tzinfo=UTC)), microseconds(datetime(2026, 3, 9, 4, tzinfo=UTC))]
    assert np.diff(local_days(spring, "America/New_York")).tolist() == [1]


def test_weekdays_are_local() -> None:
    saturday_night_in_new_york = datetime(2026, 3, 8, 4, 30, tzinfo=UTC)
    bought = history("America/New_York", [microseconds(saturday_night_in_new_york)], [0])
    as_of = saturday_night_in_new_york + timedelta(hours=1)
    assert build_one(bought, as_of, compile_features(count(7, Where(weekdays=(5,))))).tolist() == [1]
    assert build_one(bought, as_of, compile_features(count(7, Where(weekdays=(6,))))).tolist() == [0]
