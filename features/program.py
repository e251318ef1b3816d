"""Feature programs: definitions translated into the arrays the kernel interprets."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features import kernel
from features.accounts import Balance, Level, Standing
from features.arrays import Accounts, Program
from features.definitions import Aggregation, AnyFeature, Calendar, Feature, FeatureSet, Part, Ratio
from features.errors import FeatureError
from features.filters import COLUMNS, Where
from features.vocabulary import CHANNELS, EVENT_TYPES
from features.zones import DAY

__all__ = ["MAX_SLOTS", "OPCODES", "Program", "columns_read", "compile_features"]

FOREVER = 1 << 62
MAX_SLOTS = 62
"""Distinct filters, and entries into accounts, a bit of an int64 each."""

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
    Standing.REACHED: kernel.REACHED,
    Standing.TO_NEXT: kernel.TO_NEXT,
    Standing.ABOVE: kernel.ABOVE,
}


@lru_cache(maxsize=64)
def compile_features(feature_set: FeatureSet) -> Program:
    """Translates definitions into the arrays the kernel interprets.

    Raises:
        FeatureError: The set has more distinct filters, or entries into accounts, than the kernel has slots.
    """
    slots = _slots(feature_set)
    windows = sorted({_length(feature.window_days) for feature in _aggregates(feature_set)})
    column_of = {name: column for column, name in enumerate(feature_set.names)}
    ladders = _ladders(feature_set)
    features = [feature for feature in feature_set.features if not isinstance(feature, Balance)]
    operations = [
        (_window(feature, windows), *_operation(feature, slots, ladders, column_of), column_of[feature.name])
        for feature in features
    ]
    order = sorted(range(len(operations)), key=lambda index: operations[index][0])
    groups = [operations[index][0] for index in order]
    return Program(
        admits=_admits([where for where, _ in slots]),
        sources=_sources([column for _, column in slots]),
        windows=np.array(windows, dtype=np.int64),
        operations=np.array([operations[index][1:] for index in order], dtype=np.int64).reshape(-1, 4),
        ends=np.searchsorted(groups, np.arange(len(windows)), side="right").astype(np.int64),
        defaults=np.array([_default(features[index]) for index in order], dtype=np.float64),
        ladders=_padded(ladders),
        accounts=_accounts(feature_set, column_of),
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


def _ladders(feature_set: FeatureSet) -> list[tuple[float, ...]]:
    return list(dict.fromkeys(feature.levels for feature in feature_set.features if isinstance(feature, Level)))


def _padded(ladders: list[tuple[float, ...]]) -> NDArray[np.float64]:
    padded = np.full((len(ladders), max(map(len, ladders), default=0) + 1), np.inf)
    for row, ladder in zip(padded, ladders, strict=True):
        row[: len(ladder)] = ladder
    return padded


def _accounts(feature_set: FeatureSet, column_of: dict[str, int]) -> Accounts:
    balances = [feature for feature in feature_set.features if isinstance(feature, Balance)]
    ledgers = list(dict.fromkeys(balance.entries for balance in balances))
    entries = [entry for ledger in ledgers for entry in ledger]
    if len(entries) > MAX_SLOTS:
        raise FeatureError("too many entries into accounts", got=len(entries), wanted=f"at most {MAX_SLOTS}")
    ends = np.cumsum([len(ledger) for ledger in ledgers]).tolist()
    bits = {ledger: (1 << end) - (1 << end - len(ledger)) for ledger, end in zip(ledgers, ends, strict=True)}
    return Accounts(
        admits=_admits([entry.where for entry in entries]),
        sources=_sources([entry.column for entry in entries]),
        weights=np.array([entry.weight for entry in entries], dtype=np.float64),
        entries=np.array([bits[balance.entries] for balance in balances], dtype=np.int64),
        lasts=np.array([_length(balance.lasts_days) for balance in balances], dtype=np.int64),
        notice=np.array([_length(balance.lapsing_days or 0) for balance in balances], dtype=np.int64),
        columns=np.array([column_of[balance.name] for balance in balances], dtype=np.int64),
    )


def _sources(columns: list[str]) -> NDArray[np.int64]:
    return np.array([COLUMNS.index(column) + 1 if column else 0 for column in columns], dtype=np.int64)


def _operation(
    feature: Feature | Ratio | Level | Calendar,
    slots: list[tuple[Where, str]],
    ladders: list[tuple[float, ...]],
    column_of: dict[str, int],
) -> tuple[int, int, int]:
    if isinstance(feature, Ratio):
        return kernel.RATIO, column_of[feature.numerator], column_of[feature.denominator]
    if isinstance(feature, Level):
        return OPCODES[feature.standing], column_of[feature.of], ladders.index(feature.levels)
    if isinstance(feature, Calendar):
        return OPCODES[feature.part], 0, 0
    slot = next(
        index
        for index, (where, column) in enumerate(slots)
        if where == feature.where and feature.column in ("", column)
    )
    return OPCODES[feature.aggregation], slot, 0


def _length(days: float | None) -> int:
    return FOREVER if days is None else round(days * DAY)


def _window(feature: AnyFeature, windows: list[int]) -> int:
    return windows.index(_length(feature.window_days)) if isinstance(feature, Feature) else len(windows)


def _default(feature: AnyFeature) -> float:
    default = getattr(feature, "default", None)
    return math.nan if default is None else float(default)


def columns_read(feature_set: FeatureSet) -> frozenset[str]:
    """The event columns a feature set depends on, besides customer and time."""
    aggregates = _aggregates(feature_set)
    reads = [(feature.where, feature.column) for feature in aggregates]
    reads += [(e.where, e.column) for f in feature_set.features if isinstance(f, Balance) for e in f.entries]
    columns = {column for _, column in reads} - {""}
    columns |= {"type" for where, _ in reads if where.types}
    columns |= {"channel" for where, _ in reads if where.channels}
    columns |= {"discount" for where, _ in reads if where.discounted is not None}
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
