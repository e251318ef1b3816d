"""Feature programs: definitions translated into the arrays the kernel interprets."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features import kernel
from features.definitions import COLUMNS, Aggregation, AnyFeature, Feature, FeatureSet, Part, Ratio, Where
from features.errors import FeatureError
from features.kernel import Program
from features.vocabulary import CHANNELS, EVENT_TYPES
from features.zones import DAY

FOREVER = 1 << 62
MAX_SLOTS = 62

OPCODES = {
    Aggregation.COUNT: kernel.COUNT,
    Aggregation.SUM: kernel.TOTAL,
    Aggregation.MEAN: kernel.MEAN,
    Aggregation.MIN: kernel.MIN,
    Aggregation.MAX: kernel.MAX,
    Aggregation.STD: kernel.STD,
    Aggregation.LAST: kernel.LATEST,
    Aggregation.DISTINCT_DAYS: kernel.DISTINCT_DAYS,
    Aggregation.DISTINCT_CATEGORIES: kernel.DISTINCT_CATEGORIES,
    Aggregation.DAYS_SINCE_LAST: kernel.DAYS_SINCE_LAST,
    Aggregation.DAYS_SINCE_FIRST: kernel.DAYS_SINCE_FIRST,
    Aggregation.MEAN_GAP_DAYS: kernel.MEAN_GAP_DAYS,
    Aggregation.STD_GAP_DAYS: kernel.STD_GAP_DAYS,
    Aggregation.LAST_GAP_DAYS: kernel.LAST_GAP_DAYS,
    Part.YEAR_SIN: kernel.YEAR_SIN,
    Part.YEAR_COS: kernel.YEAR_COS,
    Part.WEEKDAY: kernel.WEEKDAY,
    Part.MONTH_DAY: kernel.MONTH_DAY,
}


@lru_cache(maxsize=64)
def compile_features(feature_set: FeatureSet) -> Program:
    """Translates definitions into the arrays the kernel interprets.

    Raises:
        FeatureError: The set has more distinct filters than the kernel has slots.
    """
    slots = _slots(feature_set)
    windows = sorted({_length(feature) for feature in _aggregates(feature_set)})
    column_of = {name: column for column, name in enumerate(feature_set.names)}
    operations = [
        (_window(feature, windows), *_operation(feature, slots, column_of), column_of[feature.name])
        for feature in feature_set.features
    ]
    order = sorted(range(len(operations)), key=lambda index: operations[index][0])
    groups = [operations[index][0] for index in order]
    return Program(
        admits=_admits([where for where, _ in slots]),
        sources=np.array([COLUMNS.index(c) + 1 if c else 0 for _, c in slots], dtype=np.int64),
        windows=np.array(windows, dtype=np.int64),
        operations=np.array([operations[index][1:] for index in order], dtype=np.int64).reshape(-1, 4),
        ends=np.searchsorted(groups, np.arange(len(windows)), side="right").astype(np.int64),
        defaults=np.array([_default(feature_set.features[index]) for index in order], dtype=np.float64),
    )


def _aggregates(feature_set: FeatureSet) -> list[Feature]:
    return [feature for feature in feature_set.features if isinstance(feature, Feature)]


def _slots(feature_set: FeatureSet) -> list[tuple[Where, str]]:
    """Distinct (filter, column) pairs; what needs no column reads any slot of its filter."""
    aggregates = _aggregates(feature_set)
    summing = {(feature.where, feature.column): None for feature in aggregates if feature.column}
    filters = {where for where, _ in summing}
    slots = [*summing, *{(feature.where, ""): None for feature in aggregates if feature.where not in filters}]
    if len(slots) > MAX_SLOTS:
        raise FeatureError("too many distinct filters", got=len(slots), wanted=f"at most {MAX_SLOTS}")
    return slots


def _operation(feature: AnyFeature, slots: list[tuple[Where, str]], column_of: dict[str, int]) -> tuple[int, int, int]:
    if isinstance(feature, Ratio):
        return kernel.RATIO, column_of[feature.numerator], column_of[feature.denominator]
    if not isinstance(feature, Feature):
        return OPCODES[feature.part], 0, 0
    slot = next(
        index
        for index, (where, column) in enumerate(slots)
        if where == feature.where and feature.column in ("", column)
    )
    return OPCODES[feature.aggregation], slot, 0


def _length(feature: Feature) -> int:
    return FOREVER if feature.window_days is None else round(feature.window_days * DAY)


def _window(feature: AnyFeature, windows: list[int]) -> int:
    return windows.index(_length(feature)) if isinstance(feature, Feature) else len(windows)


def _default(feature: AnyFeature) -> float:
    default = None if not isinstance(feature, Feature | Ratio) else feature.default
    return math.nan if default is None else float(default)


def columns_read(feature_set: FeatureSet) -> frozenset[str]:
    """The event columns a feature set depends on, besides customer and time."""
    aggregates = _aggregates(feature_set)
    columns = {feature.column for feature in aggregates} - {""}
    columns |= {"type" for feature in aggregates if feature.where.types}
    columns |= {"channel" for feature in aggregates if feature.where.channels}
    columns |= {"discount" for feature in aggregates if feature.where.discounted is not None}
    columns |= {"categories" for feature in aggregates if feature.aggregation is Aggregation.DISTINCT_CATEGORIES}
    return frozenset(columns)


def _admits(filters: list[Where]) -> NDArray[np.int64]:
    admits = np.zeros((4, 256), dtype=np.int64)
    for slot, where in enumerate(filters):
        discounted = {None: (0, 1), True: (1,), False: (0,)}[where.discounted]
        admitted = (
            [EVENT_TYPES.index(name) for name in where.types] or range(256),
            [CHANNELS.index(name) for name in where.channels] or range(256),
            where.weekdays or range(7),
            discounted,
        )
        for field, codes in enumerate(admitted):
            admits[field, list(codes)] |= 1 << slot
    return admits
