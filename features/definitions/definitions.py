"""Features as data: what is computed, never how."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from tactful.features.definitions.accounts import Balance, Entry, Level, Standing
from tactful.features.definitions.filters import COLUMNS, EVERY_EVENT, Where, require_name
from tactful.features.errors import FeatureError

__all__ = [
    "COLUMNS", "NEVER_UNDEFINED", "OF_A_COLUMN", "Aggregation", "AnyFeature", "Balance", "Calendar", "Entry", "Feature",
    "FeatureSet", "Level", "Part", "Ratio", "Standing", "Where",
]  # fmt: skip

KERNEL_VERSION = 3
"""Rises when definitions gain a kind or come to mean another number, so that fingerprints differ."""


class Aggregation(StrEnum):
    """How the events that match become a number. All windows end at the as-of moment, exclusive.

    Days are local calendar days, except in `DAYS_SINCE_*`, which are durations divided by 24 hours. Gaps lie
    between successive distinct days that have an event. Standard deviations divide by n - 1. A decayed count weighs
    each event by 2 to the power of -age / half-life.
    """

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    STD = "std"
    LAST = "last"
    DISTINCT_DAYS = "distinct_days"
    DISTINCT_CATEGORIES = "distinct_categories"
    DAYS_SINCE_LAST = "days_since_last"
    DAYS_SINCE_FIRST = "days_since_first"
    MEAN_GAP_DAYS = "mean_gap_days"
    STD_GAP_DAYS = "std_gap_days"
    LAST_GAP_DAYS = "last_gap_days"
    LONGEST_GAP_DAYS = "longest_gap_days"
    DAYS_SINCE_NTH_LAST = "days_since_nth_last"
    DECAYED_COUNT = "decayed_count"


class Part(StrEnum):
    """A part of the as-of moment's local date: the sine and cosine of its day of the year, or a number."""

    YEAR_SIN = "year_sin"
    YEAR_COS = "year_cos"
    WEEKDAY = "weekday"
    MONTH_DAY = "month_day"


OF_A_COLUMN = frozenset(
    {Aggregation.SUM, Aggregation.MEAN, Aggregation.MIN, Aggregation.MAX, Aggregation.STD, Aggregation.LAST}
)
NEVER_UNDEFINED = frozenset(
    {
        Aggregation.COUNT,
        Aggregation.SUM,
        Aggregation.DISTINCT_DAYS,
        Aggregation.DISTINCT_CATEGORIES,
        Aggregation.DECAYED_COUNT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A number computed from the events of a window `[as_of - window, as_of)`.

    Attributes:
        name: Lower case, unique within a set.
        family: Its family, such as "recency".
        description: One clause for people, with its unit.
        aggregation: How events become a number.
        where: Which events count.
        column: The aggregated column, one of `COLUMNS`; "" where the aggregation needs none.
        window_days: Length of the window in spans of 24 hours; None for the whole history.
        nth: Which event from the end `DAYS_SINCE_NTH_LAST` measures from: 1 is the last.
        half_life_days: After how many spans of 24 hours an event of a `DECAYED_COUNT` counts half.
        default: The value where there is nothing to aggregate; None means NaN, which LightGBM
            routes as missing and which makes every comparison in a condition false.
    """

    name: str
    family: str
    description: str
    aggregation: Aggregation
    where: Where = EVERY_EVENT
    column: str = ""
    window_days: float | None = None
    nth: int | None = None
    half_life_days: float | None = None
    default: float | None = None

    def __post_init__(self) -> None:
        require_name(self.name)
        object.__setattr__(self, "aggregation", Aggregation(self.aggregation))
        self._check_column()
        self._check_parameters()
        if self.window_days is not None and not 0 < self.window_days <= 36_525:
            raise FeatureError("unfit window", got=self.window_days, wanted="0 to 36525 days", where=self.name)
        if self.default is not None and self.aggregation in NEVER_UNDEFINED:
            raise FeatureError("a default that is never used", got=self.default, wanted="none", where=self.name)

    def _check_column(self) -> None:
        needs_column = self.aggregation in OF_A_COLUMN
        if (self.column in COLUMNS) != needs_column or (self.column and not needs_column):
            wanted = f"one of {COLUMNS}" if needs_column else "no column"
            raise FeatureError(f"{self.aggregation} of a column", got=self.column, wanted=wanted, where=self.name)

    def _check_parameters(self) -> None:
        for name, aggregation, least, most in (
            ("nth", Aggregation.DAYS_SINCE_NTH_LAST, 1, 1_000),
            ("half_life_days", Aggregation.DECAYED_COUNT, 1 / 24, 36_525),
        ):
            value, needed = getattr(self, name), self.aggregation is aggregation
            if (value is None) == needed or (value is not None and not least <= value <= most):
                wanted = f"{least:.3g} to {most:,}" if needed else "none"
                raise FeatureError(f"unfit {name} of {self.aggregation}", got=value, wanted=wanted, where=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One earlier feature divided by another.

    Attributes:
        name: Lower case, unique within a set.
        family: Its family.
        description: One clause for people.
        numerator: Name of an earlier feature.
        denominator: Name of an earlier feature.
        default: The value where the denominator is zero or either is NaN; None means NaN.
    """

    name: str
    family: str
    description: str
    numerator: str
    denominator: str
    default: float | None = None

    def __post_init__(self) -> None:
        require_name(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A part of the local date of the as-of moment; it reads no event.

    Attributes:
        name: Lower case, unique within a set.
        description: One clause for people.
        part: Which part.
        family: Its family.
    """

    name: str
    description: str
    part: Part
    family: str = "season"

    def __post_init__(self) -> None:
        require_name(self.name)
        object.__setattr__(self, "part", Part(self.part))


AnyFeature = Feature | Ratio | Calendar | Balance | Level
_KINDS: dict[str, type[AnyFeature]] = {
    "feature": Feature, "ratio": Ratio, "calendar": Calendar, "balance": Balance, "level": Level,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """An ordered list of features: the columns of a feature frame. Sets of equal fingerprint are equal.

    Example:
        >>> buys = Feature(name="buys", family="frequency", description="purchases", aggregation="count")
        >>> FeatureSet((buys,)) == FeatureSet.from_json(FeatureSet((buys,)).to_json())
        True
    """

    features: tuple[AnyFeature, ...]

    def __post_init__(self) -> None:
        known: set[str] = set()
        for feature in self.features:
            if feature.name in known:
                raise FeatureError("two features of one name", got=feature.name)
            if unknown := [name for name in _operands(feature) if name not in known]:
                raise FeatureError("made of unknown features", got=unknown, wanted="earlier ones", where=feature.name)
            known.add(feature.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeatureSet) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def families(self) -> dict[str, tuple[str, ...]]:
        """The names of each family, in order."""
        families: dict[str, tuple[str, ...]] = {}
        for feature in self.features:
            families[feature.family] = (*families.get(feature.family, ()), feature.name)
        return families

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of the definitions and the kernel version: equal fingerprints, equal numbers."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def subset(self, names: Iterable[str]) -> "FeatureSet":
        """The named features, and those they are made of, in the order of this set."""
        wanted = set(names)
        if unknown := sorted(wanted - set(self.names)):
            raise FeatureError("unknown feature", got=unknown, wanted="names of the set")
        for feature in reversed(self.features):
            if feature.name in wanted:
                wanted.update(_operands(feature))
        return FeatureSet(tuple(feature for feature in self.features if feature.name in wanted))

    def to_json(self) -> str:
        """One line of canonical JSON: sorted keys, fields that are empty left out."""
        kinds = {kind: name for name, kind in _KINDS.items()}
        features = [{"kind": kinds[type(feature)]} | _stated(asdict(feature)) for feature in self.features]
        return json.dumps({"kernel": KERNEL_VERSION, "features": features}, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            FeatureError: A definition is malformed, or another kernel version gave it its meaning.
        """
        document = json.loads(text)
        if document.get("kernel") != KERNEL_VERSION:
            raise FeatureError("another kernel version", got=document.get("kernel"), wanted=KERNEL_VERSION)
        return cls(tuple(_parsed(item) for item in document["features"]))


def _parsed(item: dict[str, Any]) -> AnyFeature:
    try:
        fields = {name: _FIELDS.get(name, _plain)(value) for name, value in item.items()}
        return _KINDS[fields.pop("kind")](**fields)
    except (TypeError, ValueError, KeyError) as error:
        raise FeatureError("malformed definition", got=str(error), where=item.get("name")) from error


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _where(value: dict[str, Any]) -> Where:
    return Where(**{name: _plain(field) for name, field in value.items()})


def _entries(value: list[dict[str, Any]]) -> tuple[Entry, ...]:
    return tuple(Entry(**entry | {"where": _where(entry.get("where", {}))}) for entry in value)


_FIELDS: dict[str, Any] = {"where": _where, "entries": _entries}


def _stated(value: Any) -> Any:
    if isinstance(value, dict):
        stated = {name: _stated(field) for name, field in value.items()}
        return {name: field for name, field in stated.items() if field is not None and field not in ((), {})}
    return tuple(map(_stated, value)) if isinstance(value, tuple) else value


def _operands(feature: AnyFeature) -> tuple[str, ...]:
    if isinstance(feature, Ratio):
        return feature.numerator, feature.denominator
    return (feature.of,) if isinstance(feature, Level) else ()
