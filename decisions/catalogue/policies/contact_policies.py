"""Contact policies: what protects a customer from too much, the wrong time, or the wrong order.

A policy looks at a customer's ledger and events, never at the action's worth; its verdict holds for every action in
its scope, so it is reached once a customer. Windows are rolling and half open: a window of length w that starts at s
holds what lies in `[s, s + w)`.
"""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from decisions.base.calendars import instant, is_holiday, next_instant, supported_countries
from decisions.base.durations import Duration, format_duration
from decisions.base.exclusion import Exclusion
from decisions.base.ledger import Addressed, Grouping, Ledger, Scope
from decisions.base.snapshot import Event
from decisions.base.values import Names, Value, as_tuple

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Weekdays = Annotated[
    tuple[Weekday, ...], BeforeValidator(as_tuple, json_schema_input_type=Weekday | tuple[Weekday, ...])
]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class ContactPolicy(Value):
    """A named rule about contacts.

    Args:
        id: Its name in explanations.
        scope: The actions it binds.
        segment: Bind only customers of this segment; all where None.
        per: Apply it to each channel, programme or message of the scope on its own.
    """

    id: str = Field(min_length=1)
    scope: Scope = Scope()
    segment: str | None = None
    per: Grouping | None = None

    limits_frequency: ClassVar[bool] = False

    def bound(self, actions: Iterable[Addressed]) -> "list[ContactPolicy]":
        """The policies this one stands for among these actions: itself, or one for each group of `per`."""
        if self.per is None:
            return [self]
        grouping = self.per
        names = {getattr(a, grouping) for a in actions if self.scope.covers(a.channel, a.programme, a.message, a.tags)}
        return [
            self.model_copy(update={"id": f"{self.id}[{name}]", "scope": self.scope.narrowed(grouping, name)})
            for name in sorted(names)
        ]

    @abstractmethod
    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """The exclusion of every action in scope, or None."""


class Cap(ContactPolicy):
    """At most `max` contacts in scope in any window of this length.

    Args:
        max: The largest number of contacts.
        window: The length of the rolling window.

    Example:
        >>> from datetime import UTC
        >>> from decisions.base.snapshot import Contact
        >>> at = datetime(2026, 5, 4, 9, tzinfo=UTC)
        >>> cap = Cap(id="weekly", kind="cap", max=1, window="7d")
        >>> print(cap.verdict(Ledger(at, [Contact(at - timedelta(days=2), "email")], [], None)).sentence)
        cap weekly (1 contact in 7d; wanted at most 1 in 7d, possible from 2026-05-09 09:00 UTC)
    """

    limits_frequency = True

    kind: Literal["cap"]
    max: int = Field(ge=0)
    window: Duration = Field(gt=timedelta())

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where some window that holds the moment is already full."""
        times = ledger.times(self.scope, since=ledger.moment - self.window)
        if len(times) < self.max:
            return None
        fullest = self._fullest(times, ledger.moment)
        if fullest < self.max:
            return None
        span = format_duration(self.window)
        return Exclusion(
            "cap",
            self.id,
            observed=f"{fullest} contact{'s' if fullest != 1 else ''} in {span}",
            limit=f"at most {self.max} in {span}",
            until=self._free(times, ledger.moment),
        )

    def fullest(self, ledger: Ledger) -> int:
        """Contacts in scope that share a window with the moment, in the window that holds most."""
        return self._fullest(ledger.times(self.scope, since=ledger.moment - self.window), ledger.moment)

    def _fullest(self, times: list[datetime], moment: datetime) -> int:
        """How many of the times share a window with the moment, at the worst."""
        starts = [t for t in times if moment - self.window < t <= moment] + [moment]
        return max(bisect_left(times, start + self.window) - bisect_left(times, start) for start in starts)

    def _free(self, times: list[datetime], moment: datetime) -> datetime | None:
        """The earliest moment at which no window would be full."""
        ends = (t + self.window for t in times if t + self.window > moment)
        return next((end for end in ends if self._fullest(times, end) < self.max), None)


class Gap(ContactPolicy):
    """At least `min` between two contacts in scope.

    Args:
        min: The shortest time between two contacts.
    """

    limits_frequency = True

    kind: Literal["gap"]
    min: Duration = Field(gt=timedelta())

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where a contact in scope lies nearer than the gap, before or after the moment."""
        times = ledger.times(self.scope, since=ledger.moment - self.min)
        nearest = min((abs(t - ledger.moment) for t in times), default=None)
        if nearest is None or nearest >= self.min:
            return None
        return Exclusion(
            "gap",
            self.id,
            observed=f"a contact {_ago(nearest)} away",
            limit=f"at least {format_duration(self.min)} apart",
            until=_free(times, ledger.moment, self.min),
        )


class QuietHours(ContactPolicy):
    """No contact between two local times; `start` after `end` spans midnight. An unknown zone is always quiet.

    Args:
        start: The first quiet minute on the customer's clock, such as 21:00.
        end: The first minute that is not quiet, such as 08:00.
    """

    kind: Literal["quiet_hours"]
    start: time
    end: time

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"quiet hours that never start: got start and end {self.start:%H:%M}; wanted two times")
        return self

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where the customer's clock shows a quiet hour."""
        limit = f"never from {self.start:%H:%M} to {self.end:%H:%M}"
        if ledger.zone is None or ledger.local is None:
            return Exclusion("quiet_hours", self.id, observed="no time zone known", limit=limit)
        clock = ledger.local.time()
        spans_midnight = self.start > self.end
        quiet = clock >= self.start or clock < self.end if spans_midnight else self.start <= clock < self.end
        if not quiet:
            return None
        days = 1 if spans_midnight and clock >= self.start else 0
        end = next_instant(ledger.moment, ledger.local.date() + timedelta(days=days), self.end, ledger.zone)
        return Exclusion("quiet_hours", self.id, observed=f"{clock:%H:%M} local time", limit=limit, until=end)


class QuietDays(ContactPolicy):
    """No contact on these local weekdays, nor on public holidays of a country. An unknown zone is always quiet.

    Args:
        weekdays: The quiet weekdays, such as sunday.
        holidays: The ISO 3166 code of the country whose public holidays are quiet; none where null.
    """

    kind: Literal["quiet_days"]
    weekdays: Weekdays = ()
    holidays: str | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if not self.weekdays and self.holidays is None:
            raise ValueError("quiet days without a day: wanted weekdays or holidays")
        if self.holidays is not None and self.holidays not in supported_countries():
            raise ValueError(f"unknown country: got {self.holidays!r}; wanted an ISO 3166 code such as US or FR")
        if len(set(self.weekdays)) == len(WEEKDAYS):
            raise ValueError("every weekday is quiet: wanted at least one day for contacts")
        return self

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where the customer's calendar shows a quiet day."""
        if ledger.zone is None or ledger.local is None:
            return Exclusion("quiet_days", self.id, observed="no time zone known", limit=self._limit)
        day = ledger.local.date()
        if not self._quiet(ledger.local):
            return None
        following = ledger.local
        while self._quiet(following):
            following += timedelta(days=1)
        end = instant(following.date(), time(), ledger.zone)
        return Exclusion("quiet_days", self.id, observed=f"{day:%A %Y-%m-%d}", limit=self._limit, until=end)

    @property
    def _limit(self) -> str:
        quiet = [*self.weekdays, *([f"holidays of {self.holidays}"] if self.holidays else [])]
        return f"not on {', '.join(quiet)}"

    def _quiet(self, local: datetime) -> bool:
        holiday = self.holidays is not None and is_holiday(local.date(), self.holidays)
        return holiday or WEEKDAYS[local.weekday()] in self.weekdays


class NeverAfter(ContactPolicy):
    """No contact in scope within a time after a contact of `first`.

    A contact of `first` waits in turn where one in scope lies ahead within that time.

    Args:
        first: The contacts that hold the actions in scope back.
        within: How long they hold them back.
    """

    kind: Literal["never_after"]
    first: Scope
    within: Duration = Field(gt=timedelta())

    def bound(self, actions: Iterable[Addressed]) -> "list[ContactPolicy]":
        """Itself, and what holds `first` back before a contact that lies ahead."""
        ahead = _NeverBefore(id=self.id, scope=self.first, then=self.scope, within=self.within, segment=self.segment)
        return [*super().bound(actions), ahead]

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where a contact of `first` is that near."""
        latest = _latest(self.first, ledger, since=ledger.moment - self.within)
        if latest is None or ledger.moment - latest >= self.within:
            return None
        return _pair(self.id, ledger.moment - latest, self.within, latest + self.within)


class _NeverBefore(ContactPolicy):
    """No contact in scope where one of `then` lies ahead within a time."""

    kind: Literal["never_after"] = "never_after"
    then: Scope
    within: timedelta

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where a contact of `then` lies ahead that near; it could pass once that one was made."""
        times = ledger.times(self.then, since=ledger.moment, uncounted=True)
        ahead = [t for t in times if ledger.moment < t < ledger.moment + self.within]
        return _pair(self.id, ledger.moment - ahead[0], self.within, ahead[-1]) if ahead else None


class NeverWith(ContactPolicy):
    """No contact in scope within a time of one of `other`, before or after it, nor the other way round.

    Args:
        other: The contacts that exclude the actions in scope.
        within: The shortest time between the two.
    """

    kind: Literal["never_with"]
    other: Scope
    within: Duration = Field(gt=timedelta())

    def bound(self, actions: Iterable[Addressed]) -> "list[ContactPolicy]":
        """A rule for each order of the pair."""
        orders = ((self.scope, self.other), (self.other, self.scope))
        return [policy for first, then in orders for policy in self._never_after(first, then).bound(actions)]

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """The first exclusion among both orders of the pair."""
        return next((found for policy in self.bound(()) if (found := policy.verdict(ledger))), None)

    def _never_after(self, first: Scope, then: Scope) -> NeverAfter:
        return NeverAfter(
            id=self.id, kind="never_after", scope=then, first=first, within=self.within, segment=self.segment
        )


class OnlyAfter(ContactPolicy):
    """A contact in scope only within a time after a contact of `first`.

    Args:
        first: The contacts that must come before.
        within: The longest time after such a contact.
    """

    kind: Literal["only_after"]
    first: Scope
    within: Duration = Field(gt=timedelta())

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where no contact of `first` is that near."""
        latest = _latest(self.first, ledger)
        if latest is not None and ledger.moment - latest < self.within:
            return None
        observed = f"such a contact {_ago(ledger.moment - latest)} ago" if latest else "no such contact"
        return Exclusion("pair", self.id, observed=observed, limit=f"only within {format_duration(self.within)}")


class Suppression(ContactPolicy):
    """No contact in scope for a time after an event, such as a complaint, a dismissal or a purchase.

    With `per`, only events of the same channel, programme or message suppress.

    Args:
        on: The types of event that suppress.
        lasts: How long such an event suppresses.
    """

    kind: Literal["suppression"]
    on: Names = Field(min_length=1)
    lasts: Duration = Field(gt=timedelta())

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where such an event is that recent."""
        matching = (event for event in ledger.events_of(self.on) if self._concerns(event))
        latest = max(matching, key=lambda event: event.time, default=None)
        if latest is None or ledger.moment - latest.time >= self.lasts:
            return None
        return Exclusion(
            "suppression",
            self.id,
            observed=f"{latest.type} {_ago(ledger.moment - latest.time)} ago",
            limit=f"not for {format_duration(self.lasts)} after {' or '.join(self.on)}",
            until=latest.time + self.lasts,
        )

    def _concerns(self, event: Event) -> bool:
        if self.per is None:
            return True
        return {
            "channel": event.channel in self.scope.channel,
            "programme": event.programme in self.scope.programme,
            "message": event.subject in self.scope.message,
        }[self.per]


AnyContactPolicy = Annotated[
    Cap | Gap | QuietHours | QuietDays | NeverAfter | NeverWith | OnlyAfter | Suppression,
    Field(discriminator="kind"),
]


def _latest(scope: Scope, ledger: Ledger, since: datetime | None = None) -> datetime | None:
    """The last contact in scope up to the moment, whether it counts toward caps or not."""
    times = ledger.times(scope, since=since, uncounted=True)
    return max((time for time in times if time <= ledger.moment), default=None)


def _free(times: list[datetime], moment: datetime, apart: timedelta) -> datetime:
    """The first moment from this one on that is so far from each of the times."""
    for time_ in times:
        if abs(time_ - moment) < apart:
            moment = time_ + apart
    return moment


def _pair(rule: str, since: timedelta, within: timedelta, until: datetime) -> Exclusion:
    where = f"{_ago(since)} ago" if since >= timedelta() else f"{_ago(-since)} ahead"
    limit = f"not within {format_duration(within)}"
    return Exclusion("pair", rule, observed=f"such a contact {where}", limit=limit, until=until)


def _ago(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"
