"""A loyalty programme as features: points with their expiry, and tiers, computed by the kernel of all features.

Nothing is accumulated: points follow from the history as of a moment, so that a batch, a decision and a replay agree.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from tactful.decisions.base.durations import Duration
from tactful.decisions.base.values import Names, Value
from tactful.decisions.catalogue.policies.quiet import WEEKDAYS, Weekdays
from tactful.features.definitions.accounts import Balance, Entry, Level, Standing
from tactful.features.definitions.definitions import Aggregation, AnyFeature, Feature
from tactful.features.definitions.filters import Where
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

FAMILY = "loyalty"
EXPIRING_DAYS = 30

_PAID = Where(types=("purchase", "refund"))
_CREDITED = Entry(where=Where(types=("earned",)), weight=1.0, column="quantity")
_SPENT = Entry(where=Where(types=("spent",)), weight=-1.0, column="quantity")


class Bonus(Value):
    """Points beyond those that every purchase earns: a purchase counted several times, or points for a named action.

    A refund takes back the points of the amount, not the bonus.

    Args:
        id: Its name.
        on: The event types that earn it.
        weekdays: The local weekdays on which it is earned; all where empty.
        channels: The channels by which the event came; all where empty.
        multiplier: How often the points of a purchase are counted in all: 2 doubles them.
        points: The points of each event.
        qualifying: Whether they count toward the tier.

    Example:
        >>> Bonus(id="weekend", on="purchase", weekdays=["saturday", "sunday"], multiplier=2.0).points is None
        True
    """

    id: str = Field(min_length=1)
    on: Names = Field(min_length=1)
    weekdays: Weekdays = ()
    channels: Names = ()
    multiplier: float | None = Field(default=None, gt=1, le=10)
    points: float | None = Field(default=None, gt=0, le=1_000)
    qualifying: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.multiplier is None) == (self.points is None):
            raise ValueError("a bonus of what: wanted either multiplier or points")
        if self.multiplier is not None and self.on != ("purchase",):
            raise ValueError(f"a multiplier of what is not paid: got on {', '.join(self.on)}; wanted purchase")
        for given, known in ((self.on, EVENT_TYPES), (self.channels, CHANNELS)):
            if unknown := [name for name in given if name not in known]:
                raise ValueError(f"unknown {unknown[0]!r}; known: {', '.join(filter(None, sorted(known)))}")
        return self

    def entry(self, per_currency: float) -> Entry:
        """The points that each event enters into the account, where a unit of currency earns so many points."""
        days = tuple(WEEKDAYS.index(day) for day in self.weekdays)
        where = Where(types=self.on, channels=self.channels, weekdays=days)
        if self.points is not None:
            return Entry(where=where, weight=self.points)
        assert self.multiplier is not None, "a bonus has points or a multiplier"
        return Entry(where=where, weight=(self.multiplier - 1) * per_currency, column="amount")


class Points(Value):
    """How points are earned, and for how long they are good. The oldest are spent first.

    Events of type `earned` and `spent` credit and debit their quantity besides.

    Args:
        per_currency: Points for each unit of currency paid; a refund takes them back.
        expire_after: After how long unspent points expire; never where None.
        bonuses: Points beyond these.
    """

    per_currency: float = Field(gt=0, le=100)
    expire_after: Duration | None = Field(default=timedelta(days=365), gt=timedelta())
    bonuses: tuple[Bonus, ...] = ()

    @property
    def earned(self) -> tuple[Entry, ...]:
        """The points that purchases, refunds and named actions enter into the account."""
        return (self._paid, *(bonus.entry(self.per_currency) for bonus in self.bonuses))

    @property
    def qualifying(self) -> tuple[Entry, ...]:
        """The part of these that counts toward the tier."""
        return (self._paid, *(bonus.entry(self.per_currency) for bonus in self.bonuses if bonus.qualifying))

    @property
    def _paid(self) -> Entry:
        return Entry(where=_PAID, weight=self.per_currency, column="amount")


class Tier(Value):
    """Which tier a customer is in: 0 below the first level, 1 from the first on, and so forth.

    Args:
        measure: The measured amount: currency paid less refunds, or qualifying points.
        window: Over how long, up to the moment.
        levels: Least measure of each level by name, ascending.
    """

    measure: Literal["spend", "points"] = "spend"
    window: Duration = Field(default=timedelta(days=365), gt=timedelta())
    levels: Mapping[str, float] = Field(min_length=1)

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        thresholds = (0.0, *self.levels.values())
        if not all(low < high < float("inf") for low, high in pairwise(thresholds)):
            raise ValueError(f"levels that do not ascend: got {dict(self.levels)}; wanted each above the one before")
        return self


class Loyalty(Value):
    """A loyalty programme.

    Args:
        points: How points are earned and spent.
        tier: The tiers, if there are any.

    Example:
        >>> loyalty = Loyalty(points=Points(per_currency=1.0), tier=Tier(levels={"silver": 300.0, "gold": 1000.0}))
        >>> [feature.name for feature in loyalty.features()]  # doctest: +NORMALIZE_WHITESPACE
        ['points_spendable', 'points_expiring_30d', 'points_qualifying', 'tier_spend', 'tier', 'to_next_tier',
         'above_tier']
    """

    points: Points
    tier: Tier | None = None

    def features(self) -> tuple[AnyFeature, ...]:
        """The names of the account that a catalogue may read.

        `points_spendable`; `points_expiring_30d` where points expire; and where there are tiers `points_qualifying`,
        `tier_spend` where that is measured, `tier`, `to_next_tier` (undefined in the highest) and `above_tier`.
        """
        return (*self._spendable(), *self._standing())

    def _spendable(self) -> Iterator[AnyFeature]:
        entries = (*self.points.earned, _CREDITED, _SPENT)
        lasts = _days(self.points.expire_after) if self.points.expire_after else None
        yield _balance("points_spendable", "points that can be spent", entries, lasts)
        if lasts is not None:
            text = f"points that expire within {EXPIRING_DAYS} days unless they are spent"
            yield _balance(f"points_expiring_{EXPIRING_DAYS}d", text, entries, lasts, EXPIRING_DAYS)

    def _standing(self) -> Iterator[AnyFeature]:
        if self.tier is None:
            return
        days = _days(self.tier.window)
        yield _balance("points_qualifying", "points that count toward the tier", self.points.qualifying, days)
        of, unit = "points_qualifying", "points"
        if self.tier.measure == "spend":
            of, unit = "tier_spend", "currency"
            yield Feature(
                name=of,
                family=FAMILY,
                description="currency paid less refunds that counts toward the tier",
                aggregation=Aggregation.SUM,
                where=_PAID,
                column="amount",
                window_days=days,
            )
        levels = tuple(self.tier.levels.values())
        for name, standing, text in (
            ("tier", Standing.REACHED, f"tier reached, 0 below {' and '.join(self.tier.levels)}"),
            ("to_next_tier", Standing.TO_NEXT, f"{unit} missing to the next tier"),
            ("above_tier", Standing.ABOVE, f"{unit} above the tier reached"),
        ):
            yield Level(name=name, family=FAMILY, description=text, of=of, levels=levels, standing=standing)


def _balance(
    name: str, description: str, entries: tuple[Entry, ...], lasts: float | None, lapsing: float | None = None
) -> Balance:
    return Balance(
        name=name, family=FAMILY, description=description, entries=entries, lasts_days=lasts, lapsing_days=lapsing
    )


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)
