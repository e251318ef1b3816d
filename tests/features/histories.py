"""Random histories and feature sets for property tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from tactful.features.definitions.accounts import Balance, Entry, Level, Standing
from tactful.features.definitions.definitions import (
    NEVER_UNDEFINED,
    OF_A_COLUMN,
    Aggregation,
    AnyFeature,
    Calendar,
    Feature,
    FeatureSet,
    Part,
    Ratio,
)
from tactful.features.definitions.filters import COLUMNS, Where
from tactful.features.events.schema import CHANNELS, validate

TYPES = ("purchase", "refund", "view", "contact", "redeemed")
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Pacific/Auckland", "Asia/Kolkata")
WINDOWS = (None, 1, 7, 28.5, 90)
# Around both changes of clocks of 2026 in Europe and America, so that days of 23 and 25 hours are common.
FIRST, LAST = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)

money = st.one_of(st.integers(0, 20_000).map(lambda cents: cents / 100), st.floats(0, 1e9))


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """Moments that often coincide with one another and with the edges of windows and days."""
    hours = draw(st.integers(0, int((LAST - FIRST) / timedelta(hours=6))))
    jitter = draw(st.sampled_from((0, 0, 0, 1, -1, 3_600_000_000, 12_345_678)))
    return FIRST + timedelta(hours=6 * hours, microseconds=jitter)


@st.composite
def events(draw: st.DrawFn, customers: tuple[str, ...] = ("a", "b")) -> dict[str, Any]:
    """One event as a row."""
    kind = draw(st.sampled_from(TYPES))
    amount = draw(money)
    return {
        "customer_id": draw(st.sampled_from(customers)),
        "time": draw(moments()),
        "type": kind,
        "amount": -amount if kind == "refund" else amount,
        "discount": draw(st.one_of(st.just(0.0), money)),
        "quantity": draw(st.integers(-5, 5)),
        "categories": draw(st.integers(0, 2**64 - 1)),
        "channel": draw(st.sampled_from(CHANNELS)),
    }


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a canonical frame, each with an id of its own; nothing is rejected."""
    columns = ["customer_id", "time", "type", "amount", "discount", "quantity", "categories", "channel"]
    table = pd.DataFrame([row | {"event_id": f"e{i}"} for i, row in enumerate(rows)], columns=[*columns, "event_id"])
    table = table.astype({"customer_id": "str", "type": "str", "channel": "str", "event_id": "str"})
    table["time"] = pd.to_datetime(table["time"], utc=True)
    valid, rejected = validate(table)
    assert rejected.empty, rejected
    return valid


def frames(most: int = 25) -> st.SearchStrategy[pd.DataFrame]:
    """Canonical frames of up to `most` events of two customers."""
    return st.lists(events(), max_size=most).map(frame)


def some(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    """A few of the values, often none."""
    return st.one_of(st.just(()), st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple))


wheres = st.builds(
    Where,
    types=some(TYPES),
    channels=some(CHANNELS),
    weekdays=some(tuple(range(7))),
    discounted=st.sampled_from((None, None, True, False)),
)


@st.composite
def aggregates(draw: st.DrawFn, aggregation: Aggregation) -> Feature:
    """A feature of one aggregation, half of the time of all events."""
    return Feature(
        name=aggregation.value,
        family="test",
        description="",
        aggregation=aggregation,
        where=draw(st.one_of(st.just(Where()), wheres)),
        column=draw(st.sampled_from(COLUMNS)) if aggregation in OF_A_COLUMN else "",
        window_days=draw(st.sampled_from(WINDOWS)),
        nth=draw(st.integers(1, 4)) if aggregation is Aggregation.DAYS_SINCE_NTH_LAST else None,
        half_life_days=draw(st.sampled_from((0.5, 7, 90))) if aggregation is Aggregation.DECAYED_COUNT else None,
        default=None if aggregation in NEVER_UNDEFINED else draw(st.sampled_from((None, -1.0, 0.0))),
    )


entries = st.builds(
    Entry,
    where=wheres,
    # Halves are exact in binary, so that the reference can be.
    weight=st.sampled_from((1.0, 2.0, 300.0, 0.5, -1.0, -0.25)),
    column=st.sampled_from(("", *COLUMNS)),
)


@st.composite
def balances(draw: st.DrawFn, name: str, lapsing: bool) -> Balance:
    """An account: its balance, or what of it lapses soon."""
    return Balance(
        name=name,
        family="test",
        description="",
        entries=tuple(draw(st.lists(entries, min_size=1, max_size=3))),
        lasts_days=draw(st.sampled_from(WINDOWS[1:] if lapsing else WINDOWS)),
        lapsing_days=draw(st.sampled_from(WINDOWS[1:])) if lapsing else None,
    )


@st.composite
def feature_sets(draw: st.DrawFn) -> FeatureSet:
    """Every aggregation, two balances, standings and ratios of what stands before them, and every part of the date."""
    features: list[AnyFeature] = [draw(aggregates(aggregation)) for aggregation in Aggregation]
    features += [draw(balances("balance", lapsing=False)), draw(balances("lapsing", lapsing=True))]
    for standing in Standing:
        features.append(
            Level(
                name=standing.value,
                family="test",
                description="",
                of=draw(st.sampled_from(("count", "sum", "last_gap_days", "balance"))),
                levels=tuple(sorted(draw(st.sets(st.integers(-5, 500), min_size=1, max_size=4)))),
                standing=standing,
                default=draw(st.sampled_from((None, 0.0))),
            )
        )
    for name in ("ratio", "ratio_of_ratio"):
        names = st.sampled_from([feature.name for feature in features])
        numerator, denominator, default = draw(names), draw(names), draw(st.sampled_from((None, 0.0)))
        features.append(
            Ratio(
                name=name,
                family="test",
                description="",
                numerator=numerator,
                denominator=denominator,
                default=default,
            )
        )
    features.extend(Calendar(name=part.value, description="", part=part) for part in Part)
    return FeatureSet(tuple(features))
