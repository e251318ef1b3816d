"""Feature programs: definitions translated into the arrays the kernel interprets."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tactful.features.definitions.accounts import Balance, Level, Standing
from tactful.features.definitions.definitions import Aggregation, AnyFeature, Calendar, Feature, FeatureSet, Part, Ratio
from tactful.features.definitions.filters import COLUMNS, Where
from tactful.features.errors import FeatureError
from tactful.features.kernel import kernel
from tactful.features.kernel.arrays import Accounts, Program
from tactful.features.timestamps import DAY
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

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
    Aggregation.LONGEST_GAP_DAYS: kernel.LONGEST_GAP_DAYS,
    Aggregation.DAYS_SINCE_NTH_LAST: kernel.DAYS_SINCE_NTH_LAST,
    Aggregation.DECAYED_COUNT: kernel.DECAYED_COUNT,
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
    column_of = {name: column for column, name in enumerate(feature_set.names)}
    ladders = _ladders(feature_set)
    features = [feature for feature in feature_set.features if not isinstance(feature, Balance)]
    features.sort(key=lambda feature: _place(feature, slots))
    places = [_place(feature, slots)[0] for feature in features]
    operations = [(*_operation(feature, ladders, column_of), column_of[feature.name]) for feature in features]
    return Program(
        admits=_admits([where for where, _ in slots]),
        sources=_sources([column for _, column in slots]),
        operations=np.array(operations, dtype=np.int64).reshape(-1, 4),
        windows=np.array([_place(feature, slots)[1] for feature in features], dtype=np.int64),
        defaults=np.array([_default(feature) for feature in features], dtype=np.float64),
        ends=np.searchsorted(places, np.arange(len(slots)), side="right").astype(np.int64),
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


def _place(feature: AnyFeature, slots: list[tuple[Where, str]]) -> tuple[int, int]:
    """The slot a feature reads and its window in microseconds; what reads no events comes after all slots."""
    if not isinstance(feature, Feature):
        return len(slots), 0
    fitting = [(feature.where, column) for column in ([feature.column] if feature.column else ("", *COLUMNS))]
    return min(slots.index(slot) for slot in fitting if slot in slots), _length(feature.window_days)


def _operation(
    feature: Feature | Ratio | Level | Calendar, ladders: list[tuple[float, ...]], column_of: dict[str, int]
) -> tuple[int, int, int]:
    if isinstance(feature, Ratio):
        return kernel.RATIO, column_of[feature.numerator], column_of[feature.denominator]
    if isinstance(feature, Level):
        return OPCODES[feature.standing], column_of[feature.of], ladders.index(feature.levels)
    if isinstance(feature, Calendar):
        return OPCODES[feature.part], 0, 0
    half_life = _length(feature.half_life_days) if feature.half_life_days else 0
    return OPCODES[feature.aggregation], feature.nth or half_life, 0


def _length(days: float | None) -> int:
    return FOREVER if days is None else round(days * DAY)


def _default(feature: AnyFeature) -> float:
    default = getattr(feature, "default", None)
    return math.nan if default is None else float(default)


def columns_read(feature_set: FeatureSet) -> frozenset[str]:
    """The event columns a feature set depends on, besides customer and time."""
    aggregates = _aggregates(feature_set)
    reads = [(feature.where, feature.column) for feature in aggregates]
    balances = [feature for feature in feature_set.features if isinstance(feature, Balance)]
    reads += [(entry.where, entry.column) for balance in balances for entry in balance.entries]
    columns = {column for _, column in reads} - {""}
    columns |= {"type" for where, _ in reads if where.types}
    columns |= {"channel" for where, _ in reads if where.channels}
    columns |= {"discount" for where, _ in reads if where.discounted is not None}
    columns |= {"categories" for feature in aggregates if feature.aggregation is Aggregation.DISTINCT_CATEGORIES}
    return frozenset(columns | ({"subject"} if balances else set()))


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
