"""Accounts at their edges: what lapses when, what is spent first, which level is reached."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tactful.features.build import build, build_dataset, build_one
from tactful.features.definitions.accounts import Balance, Entry, Level, Standing
from tactful.features.definitions.definitions import Aggregation, AnyFeature, Feature, FeatureSet
from tactful.features.definitions.filters import Where
from tactful.features.errors import FeatureError
from tactful.features.events.dataset import write_events
from tactful.features.events.history import history
from tactful.features.events.schema import encode, validate
from tactful.features.kernel.program import columns_read, compile_features
from tactful.features.timestamps import DAY, microseconds
from tactful.features.vocabulary import EVENT_TYPES

EARNED, SPENT, PURCHASE, REFUND = (EVENT_TYPES.index(name) for name in ("earned", "spent", "purchase", "refund"))
POINTS = (
    Entry(where=Where(types=("purchase", "refund")), weight=1.0, column="amount"),
    Entry(where=Where(types=("purchase",), weekdays=(5, 6)), weight=1.0, column="amount"),
    Entry(where=Where(types=("review",)), weight=50.0),
    Entry(where=Where(types=("earned",)), weight=1.0, column="quantity"),
    Entry(where=Where(types=("spent",)), weight=-1.0, column="quantity"),
)


def balance(name: str = "points", lasts: float | None = 100, lapsing: float | None = None, **changes: Any) -> Balance:
    fields = {"entries": POINTS, "lasts_days": lasts, "lapsing_days": lapsing} | changes
    return Balance(name=name, family="test", description="", **fields)


def level(standing: str, **changes: Any) -> Level:
    fields = {"name": standing, "of": "points", "levels": (100.0, 500.0), "standing": standing} | changes
    return Level(family="test", description="", **fields)


def computed(
    times: list[int], types: list[int], quantity: list[float], days: int, *features: AnyFeature
) -> list[float]:
    events = history("UTC", [DAY * time for time in times], types, quantity=quantity)
    return [float(value) for value in build_one(events, days * DAY, compile_features(FeatureSet(features)))]


@pytest.mark.parametrize(
    ("times", "types", "quantity", "holds", "lapses"),
    [
        ([0, 50], [EARNED, EARNED], [70, 30], 30, 0),
        ([10, 50], [EARNED, EARNED], [70, 30], 100, 70),
        ([5, 50, 60], [EARNED, EARNED, SPENT], [70, 30, 80], 20, 0),
        ([0, 50, 99], [EARNED, EARNED, SPENT], [70, 30, 70], 30, 0),
        ([0, 101, 102], [EARNED, EARNED, SPENT], [70, 30, 20], 10, 0),
        ([10, 50], [EARNED, SPENT], [70, 90], 0, 0),
        ([10, 50, 60], [EARNED, SPENT, EARNED], [70, 90, 40], 40, 0),
        ([], [], [], 0, 0),
    ],
    ids=[
        "a credit lapses", "soon", "the oldest is spent first", "spent before it lapsed", "lapsed before it was spent",
        "no more than there is", "an overdraft is forgotten", "nothing",
    ],
)  # fmt: skip
def test_an_account(times: list[int], types: list[int], quantity: list[float], holds: float, lapses: float) -> None:
    soon = balance("soon", lapsing=30)
    assert computed(times, types, quantity, 105, balance(), soon) == [holds, lapses]


@pytest.mark.parametrize(
    ("returned", "subject", "holds"),
    [
        (110, "old", 40),  # lapsed at 100
        (99, "old", 40),
        (110, "new", 0),
        (110, "", 0),
        (110, "unknown", 0),
        (60, "old", 40),
    ],
)
def test_the_refund_of_an_order_whose_points_have_lapsed_takes_no_newer_ones(
    returned: int, subject: str, holds: float
) -> None:
    times, amounts = [DAY * day for day in (0, 50, returned)], [70.0, 40.0, -70.0]
    kinds, orders = [PURCHASE, PURCHASE, REFUND], ["old", "new", subject]
    account = balance(entries=POINTS[:1])
    one = history("UTC", times, kinds, amount=amounts, subject=orders)
    assert build_one(one, DAY * 120, compile_features(FeatureSet((account,)))).item() == holds
    frame = pd.DataFrame({"customer_id": "a", "time": pd.to_datetime(times, unit="us", utc=True), "amount": amounts})
    frame = frame.assign(type=["purchase", "purchase", "refund"], subject=orders)
    many = encode(validate(frame).events, "UTC")
    assert build(many, [DAY * 120], FeatureSet((account,))).values.tolist() == [[holds]]


def test_a_data_set_knows_the_orders_that_refunds_return(tmp_path: Path) -> None:
    times = pd.to_datetime([DAY, DAY * 50, DAY * 130], unit="us", utc=True)
    frame = pd.DataFrame({"customer_id": "a", "time": times, "amount": [70.0, 40.0, -70.0], "subject": ["o", "p", "o"]})
    events = validate(frame.assign(type=["purchase", "purchase", "refund"])).events
    dataset = write_events(events, tmp_path / "events", zone="UTC")
    found = build_dataset(dataset, [DAY * 140], FeatureSet((balance(entries=POINTS[:1]),)))
    assert found.values.tolist() == [[40.0]]


def test_a_credit_lasts_to_the_moment_its_time_is_over() -> None:
    events = history("UTC", [DAY], [EARNED], quantity=[10.0])
    program = compile_features(FeatureSet((balance(lasts=1),)))
    assert [build_one(events, 2 * DAY + late, program).item() for late in (0, 1)] == [10, 0]


def test_entries_add_up_on_saturdays_and_refunds_take_back() -> None:
    saturday, monday = (datetime(2026, 5, day, 12, tzinfo=UTC) for day in (2, 4))
    times = [microseconds(moment) for moment in (saturday, monday, monday + timedelta(hours=1))]
    events = history("UTC", times, [PURCHASE, PURCHASE, REFUND], amount=[20.0, 7.5, -7.5])
    assert build_one(events, times[-1] + 1, compile_features(FeatureSet((balance(),)))).tolist() == [40.0]


@pytest.mark.parametrize(
    ("points", "reached", "to_next", "above"),
    [(0, 0, 100, 0), (99.999999, 0, 1e-6, 99.999999), (100, 1, 400, 0), (499, 1, 1, 399), (500, 2, math.nan, 0)],
)
def test_levels_are_reached_exactly(points: float, reached: float, to_next: float, above: float) -> None:
    standings = [level(standing) for standing in Standing]
    values = computed([0], [EARNED], [points], 1, balance(), *standings)
    assert values[1:] == pytest.approx([reached, to_next, above], abs=1e-9, nan_ok=True)


def test_what_is_undefined_has_no_level() -> None:
    unknown = Feature(
        name="points",
        family="test",
        description="",
        aggregation=Aggregation.MEAN,
        column="amount",
        where=Where(types=("view",)),
    )
    values = computed([0], [EARNED], [5], 1, unknown, level("reached"), level("above", default=-1.0))
    assert values == pytest.approx([math.nan, math.nan, -1.0], nan_ok=True)


def test_the_same_entry_twice_counts_twice() -> None:
    twice = balance(entries=(POINTS[3], POINTS[3], POINTS[4]))
    assert computed([0, 1], [EARNED, SPENT], [10, 3], 2, twice, balance("soon", entries=POINTS[3:])) == [17, 7]


def test_accounts_say_which_columns_they_read() -> None:
    assert columns_read(FeatureSet((balance(),))) == {"type", "amount", "quantity", "subject"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"entries": ()}, "an account without entries"),
        ({"lasts": 0}, "unfit number of days: got 0"),
        ({"lasts": None, "lapsing": 30}, "credits that never lapse: got 30"),
        ({"name": "Points"}, "unfit feature name"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FeatureError, match=says):
        balance(**changes)


@pytest.mark.parametrize("levels", [(), (5.0, 5.0), (5.0, 3.0), (math.nan,), (1.0, math.inf)])
def test_levels_that_do_not_ascend_are_refused(levels: tuple[float, ...]) -> None:
    with pytest.raises(FeatureError, match="unfit levels"):
        level("reached", levels=levels)


@pytest.mark.parametrize("fields", [{"weight": 0.0}, {"weight": 5_000.0}, {"weight": math.nan}, {"column": "colour"}])
def test_an_entry_of_nothing_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(FeatureError):
        Entry(where=Where(), **{"weight": 1.0, **fields})


def test_too_many_entries_are_refused() -> None:
    many = tuple(Entry(where=Where(), weight=float(weight)) for weight in range(1, 64))
    with pytest.raises(FeatureError, match="too many entries into accounts: got 63"):
        compile_features(FeatureSet((balance(entries=many),)))
