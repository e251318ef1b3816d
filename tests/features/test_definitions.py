"""Definitions refuse what cannot be computed, and survive a round trip through JSON."""

import json
from typing import Any

import pytest
from hypothesis import given

from tactful.features.build import build_one
from tactful.features.definitions.definitions import Aggregation, Calendar, Feature, FeatureSet, Part, Ratio, Where
from tactful.features.definitions.standard import STANDARD
from tactful.features.errors import FeatureError
from tactful.features.events.schema import history
from tactful.features.kernel.program import MAX_SLOTS, columns_read, compile_features
from tests.features.histories import feature_sets


def feature(**changes: Any) -> Feature:
    fields = {"name": "n", "family": "test", "description": "", "aggregation": "count"}
    return Feature(**fields | changes)


@given(feature_sets())
def test_json_keeps_every_definition(features: FeatureSet) -> None:
    again = FeatureSet.from_json(features.to_json())
    assert again.features == features.features
    assert again == features
    assert hash(again) == hash(features)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "Spend"}, "unfit feature name: got 'Spend'"),
        ({"aggregation": "sum"}, "sum of a column: got ''.*; at n"),
        ({"aggregation": "sum", "column": "weight"}, "sum of a column: got 'weight'"),
        ({"column": "amount"}, "count of a column: got 'amount'; wanted no column"),
        ({"window_days": 0}, "unfit window: got 0"),
        ({"window_days": float("nan")}, "unfit window: got nan"),
        ({"default": 1.0}, "a default that is never used"),
        ({"aggregation": "days_since_nth_last"}, "unfit nth of days_since_nth_last: wanted 1 to 1,000"),
        ({"aggregation": "days_since_nth_last", "nth": 0}, "unfit nth of days_since_nth_last: got 0"),
        ({"nth": 2}, "unfit nth of count: got 2; wanted none"),
        ({"aggregation": "decayed_count", "half_life_days": 1e-9}, "unfit half_life_days of decayed_count: got 1e-09"),
    ],
)
def test_what_cannot_be_computed_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FeatureError, match=says):
        feature(**changes)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"types": ("purchas",)}, r"unknown event type: got \['purchas'\]"),
        ({"channels": ("fax",)}, "unknown channel"),
        ({"weekdays": (7,)}, "unknown weekday"),
    ],
)
def test_a_filter_knows_the_vocabulary(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(FeatureError, match=says):
        Where(**fields)


def test_names_are_unique_and_ratios_look_back() -> None:
    with pytest.raises(FeatureError, match="two features of one name: got 'n'"):
        FeatureSet((feature(), feature()))
    ratio = Ratio(name="r", family="test", description="", numerator="n", denominator="later")
    with pytest.raises(FeatureError, match=r"made of unknown features: got \['later'\]"):
        FeatureSet((feature(), ratio))


def test_malformed_json_is_refused() -> None:
    document = json.loads(STANDARD.to_json())
    for change in ({"window": 3}, {"aggregation": "median"}, {"kind": "magic"}, {"where": {"type": "purchase"}}):
        broken = document | {"features": [document["features"][0] | change]}
        with pytest.raises(FeatureError, match="malformed definition"):
            FeatureSet.from_json(json.dumps(broken))
    with pytest.raises(FeatureError, match="another kernel version: got 0"):
        FeatureSet.from_json(json.dumps(document | {"kernel": 0}))


def test_fingerprints_follow_the_definitions() -> None:
    base = FeatureSet((feature(),)).fingerprint
    changes: list[dict[str, Any]] = [{"name": "m"}, {"window_days": 7}, {"where": Where(weekdays=(0,))}]
    assert len({base, *(FeatureSet((feature(**change),)).fingerprint for change in changes)}) == 4


def test_a_subset_brings_what_its_ratios_need_in_the_order_of_the_set() -> None:
    assert STANDARD.subset(["weekday", "redemption_rate_90d"]).names == (
        "contacts_90d",
        "redemptions_90d",
        "redemption_rate_90d",
        "weekday",
    )
    with pytest.raises(FeatureError, match=r"unknown feature: got \['spend'\]"):
        STANDARD.subset(["spend"])


def test_columns_read_are_those_the_definitions_name() -> None:
    assert columns_read(STANDARD) == {"type", "amount", "discount", "categories"}
    assert columns_read(FeatureSet((feature(),))) == set()
    assert columns_read(FeatureSet((feature(where=Where(channels=("mail",)), aggregation="distinct_days"),))) == {
        "channel"
    }


def test_a_set_without_events_or_without_anything_computes() -> None:
    day = FeatureSet((Calendar(name="day", description="", part=Part.MONTH_DAY),))
    assert build_one(history("UTC", [], []), 0, compile_features(day)).tolist() == [1.0]
    assert build_one(history("UTC", [0], [0]), 1, compile_features(FeatureSet(()))).tolist() == []


def test_too_many_filters_are_refused() -> None:
    wheres = [Where(types=(kind,), weekdays=(day,)) for kind in ("purchase", "view") for day in range(7)]
    wheres += [Where(channels=("mail",), weekdays=(first, last)) for first in range(7) for last in range(7)]
    features = [feature(name=f"f{i}", where=where) for i, where in enumerate(wheres)]
    assert len(compile_features(FeatureSet(tuple(features[:MAX_SLOTS]))).sources) == MAX_SLOTS
    with pytest.raises(FeatureError, match="too many distinct filters: got 63"):
        compile_features(FeatureSet(tuple(features)))


def test_the_last_slot_counts_as_well_as_the_first() -> None:
    features = [
        feature(name=f"f{i}", where=Where(weekdays=(i % 7,), channels=("mail",) if i < 7 else ())) for i in range(14)
    ]
    features += [
        feature(name=f"g{i}", where=Where(types=("purchase",), weekdays=(i % 7, (i + 1 + i // 7) % 7)))
        for i in range(MAX_SLOTS - 14)
    ]
    thursday = history("UTC", [0], [0])
    values = build_one(thursday, 1, compile_features(FeatureSet(tuple(features))))
    wanted = [float(3 in f.where.weekdays and "mail" not in f.where.channels) for f in features]
    assert values.tolist() == wanted


def test_the_standard_set_covers_the_ten_families() -> None:
    assert len(STANDARD) >= 40
    assert list(STANDARD.families) == [
        "recency",
        "frequency",
        "value",
        "rhythm",
        "discount habit",
        "category breadth",
        "contact pressure",
        "past response",
        "tenure",
        "season",
    ]
    assert all(feature.description for feature in STANDARD.features)
    assert {feature.aggregation for feature in STANDARD.features if isinstance(feature, Feature)} == set(
        Aggregation
    ) - {Aggregation.MIN}
