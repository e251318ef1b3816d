"""Accounts as data: points that are credited, spent and lapse, and the levels a number reaches."""

import math
from dataclasses import dataclass
from enum import StrEnum

from tactful.features.definitions.filters import COLUMNS, Where, require_name
from tactful.features.errors import FeatureError

LARGEST_WEIGHT = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The entry of each matching event in an account: `weight` times a column, or `weight` itself.

    Attributes:
        where: Which events.
        weight: Factor of the column, or the entry itself; what is negative is a debit.
        column: One of `COLUMNS`, or "" for an entry of the same size each time.
    """

    where: Where
    weight: float
    column: str = ""

    def __post_init__(self) -> None:
        if self.column not in ("", *COLUMNS):
            raise FeatureError("an entry of a column", got=self.column, wanted=f"one of {COLUMNS}, or none")
        if not 0 < abs(self.weight) <= LARGEST_WEIGHT:
            raise FeatureError("unfit weight", got=self.weight, wanted=f"at most {LARGEST_WEIGHT:g} and not 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The contents of an account at the as-of moment: debits use the oldest credits first, and credits lapse.

    An event enters the sum of its entries, rounded to millionths. Nobody can spend more than there is: the rest of
    a debit is forgotten. The refund of an order whose credit has lapsed takes nothing.

    Attributes:
        name: Lower case, unique within a set.
        family: Its family.
        description: One clause for people, with its unit.
        entries: The entries.
        lasts_days: After how many spans of 24 hours a credit lapses; None for never.
        lapsing_days: Where given, not the balance but the part of it that lapses within so many days if nothing
            else happens.
    """

    name: str
    family: str
    description: str
    entries: tuple[Entry, ...]
    lasts_days: float | None = None
    lapsing_days: float | None = None

    def __post_init__(self) -> None:
        require_name(self.name)
        if not self.entries:
            raise FeatureError("an account without entries", wanted="at least one", where=self.name)
        for days in (self.lasts_days, self.lapsing_days):
            if days is not None and not 0 < days <= 36_525:
                raise FeatureError("unfit number of days", got=days, wanted="0 to 36525", where=self.name)
        if self.lapsing_days is not None and self.lasts_days is None:
            raise FeatureError("credits that never lapse", got=self.lapsing_days, wanted="lasts_days", where=self.name)


class Standing(StrEnum):
    """How a number stands among levels: the highest it has reached, what the next one lacks, what it has above.

    Levels count from 1; 0 is below the first. At the top nothing lacks, and the standing is undefined.
    """

    REACHED = "reached"
    TO_NEXT = "to_next"
    ABOVE = "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """An earlier feature against ascending levels.

    Attributes:
        name: Lower case, unique within a set.
        family: Its family.
        description: One clause for people.
        of: Name of the earlier feature.
        levels: Least value of each level, ascending.
        standing: The number to report.
        default: The value where it is undefined, an earlier feature that is NaN included; None means NaN.
    """

    name: str
    family: str
    description: str
    of: str
    levels: tuple[float, ...]
    standing: Standing = Standing.REACHED
    default: float | None = None

    def __post_init__(self) -> None:
        require_name(self.name)
        object.__setattr__(self, "standing", Standing(self.standing))
        ascending = all(low < high for low, high in zip(self.levels, self.levels[1:], strict=False))
        if not self.levels or not ascending or not all(map(math.isfinite, self.levels)):
            raise FeatureError("unfit levels", got=self.levels, wanted="ascending numbers", where=self.name)
