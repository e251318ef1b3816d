"""Triggers: what opens a programme for a customer.

An opening is derived from the history as of a moment; nothing is accumulated. So a decision at run time, in a batch
and in a replay finds the same openings, and an opening delivered twice is the same opening: it has the same key.
"""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, ClassVar, Literal, Protocol, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from tactful.decisions.base.calendars import anniversary, instant
from tactful.decisions.base.conditions import Failure
from tactful.decisions.base.durations import LONGEST, Duration
from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.base.values import Names, Value


@dataclass(frozen=True, slots=True)
class Opening:
    """A programme open for a customer.

    Args:
        programme: The programme.
        key: Dedupe key: a contact that answers an opening records its key, and no key is answered twice.
        opened: Since when, UTC.
        expires: Until when (exclusive), UTC.
        event: The event that opened it, if one did.
    """

    programme: str
    key: str
    opened: datetime
    expires: datetime
    event: Event | None = None


class OpeningContext(Protocol):
    """A customer's case before the rules: the snapshot, and the values of conditions for it."""

    @property
    def snapshot(self) -> Snapshot: ...  # noqa: D102
    @property
    def zone(self) -> ZoneInfo | None: ...  # noqa: D102
    @property
    def local(self) -> datetime | None: ...  # noqa: D102
    def events_of(self, types: Collection[str]) -> Sequence[Event]:
        """The customer's events of some types, in time order."""

    def value(self, source: str, kind: str = "boolean", event: Event | None = None) -> object:
        """The value of an expression, or a `Failure`."""


class After(Value):
    """A step of a journey: it opens a while after the contact of an earlier programme.

    A journey branches by the states of a step's messages, or into several steps after the same programme.

    Args:
        programme: The earlier programme.
        wait: How long after its contact.
    """

    programme: str
    wait: Duration


class Trigger(Value):
    """The rule that opens a programme.

    Args:
        expiry: How long an opening lasts.
        exits: Event types that close an opening, such as a purchase for an abandoned cart.
        late_joiner: What an opening from before the customer was known does: `skip` drops it, `latest` keeps the
            newest of the series, `all` keeps every one.
        after: Makes the programme a step of a journey.
    """

    expiry: Duration = Field(gt=timedelta())
    exits: Names = ()
    late_joiner: Literal["skip", "latest", "all"] = "latest"
    after: After | None = None

    repeats_by_itself: ClassVar[bool] = False

    @property
    def event_types(self) -> frozenset[str]:
        """The types of event it looks at."""
        return frozenset(self.exits)

    @property
    def memory(self) -> timedelta:
        """How far back it looks."""
        return self.expiry + (self.after.wait if self.after else timedelta())

    def openings(self, programme: str, case: OpeningContext) -> "list[Opening] | Failure":
        """The openings of a programme at the snapshot's moment, oldest first.

        Returns:
            The openings, or why they cannot be known.
        """
        try:
            return self._alive(programme, case)
        except (ArithmeticError, ValueError) as error:
            return Failure(f"a date or number out of range: {error}")

    def _alive(self, programme: str, case: OpeningContext) -> "list[Opening] | Failure":
        found = self._found(programme, case)
        if isinstance(found, Failure) or not found:
            return found
        snapshot = case.snapshot
        if self.after is not None:
            found = list(self._steps(programme, found, self.after, snapshot))
        exits = case.events_of(self.exits) if self.exits else ()
        alive = {o.key: o for o in found if o.opened <= snapshot.moment < o.expires and not _closed(o, exits)}
        return sorted(alive.values(), key=lambda opening: (opening.opened, opening.key))

    @abstractmethod
    def _found(self, programme: str, case: OpeningContext) -> "list[Opening] | Failure":
        """Openings before waiting, exits and expiry are looked at."""

    def _opening(self, programme: str, name: str, opened: datetime, event: Event | None = None) -> Opening:
        return Opening(programme, f"{programme}:{name}", opened, opened + self.expiry, event)

    def _steps(self, programme: str, found: list[Opening], after: After, snapshot: Snapshot) -> Iterable[Opening]:
        """Each contact of the earlier programme opens this one after the wait, unless an exit came in between.

        A step's own condition must hold now; a step's own event must follow that contact. The texts of a step that no
        event opens read the event that began the journey.
        """
        for contact in snapshot.contacts or ():
            if contact.programme != after.programme or contact.time > snapshot.moment:
                continue
            if any(event.type in self.exits and event.time > contact.time for event in snapshot.events):
                continue
            following = [o for o in found if o.event is None or o.event.time >= contact.time]
            if not following:
                continue
            name, opened, event = contact.opening or contact.id, contact.time + after.wait, following[-1].event
            if event is None:
                yield self._opening(programme, name, opened, _first_event(name, snapshot))
            else:
                yield self._opening(programme, name, max(opened, following[-1].opened), event)


class EventTrigger(Trigger):
    """An event opens the programme, after a delay.

    Args:
        type: The event's type.
        where: A condition on `event.…`, features, scores or attributes.
        delay: How long after the event.
    """

    kind: Literal["event"]
    type: str
    where: str = "true"
    delay: Duration = timedelta()

    @property
    def event_types(self) -> frozenset[str]:
        """The event, and the exits."""
        return frozenset((self.type, *self.exits))

    @property
    def memory(self) -> timedelta:
        """Over the delay, the wait and the expiry."""
        return super().memory + self.delay

    def _found(self, programme: str, case: OpeningContext) -> list[Opening] | Failure:
        events = case.events_of((self.type,))
        if not events:
            return []
        recent = case.snapshot.moment - self.memory
        events = [event for event in events if event.time > recent]
        return _openings_where(
            self.where, events, case, lambda e: self._opening(programme, _named(e), e.time + self.delay, e)
        )


class AbsenceTrigger(Trigger):
    """An event that is not followed by another within a time opens the programme; the other, when it comes, closes it.

    Args:
        type: The type of the first event.
        without: The types that did not follow.
        within: How long they had.
        where: A condition, as for an event.
    """

    kind: Literal["absence"]
    type: str
    without: Names = Field(min_length=1)
    within: Duration = Field(gt=timedelta())
    where: str = "true"

    @property
    def event_types(self) -> frozenset[str]:
        """The event, what did not follow, and the exits."""
        return frozenset((self.type, *self.without, *self.exits))

    @property
    def memory(self) -> timedelta:
        """Over the time to follow, the wait and the expiry."""
        return super().memory + self.within

    def _found(self, programme: str, case: OpeningContext) -> list[Opening] | Failure:
        started = case.events_of((self.type,))
        if not started:
            return []
        latest_answer = max((event.time for event in case.events_of(self.without)), default=None)
        unanswered = [e for e in started if latest_answer is None or latest_answer <= e.time]
        return _openings_where(
            self.where, unanswered, case, lambda e: self._opening(programme, _named(e), e.time + self.within, e)
        )


class DateTrigger(Trigger):
    """A date of the profile opens the programme, on the day or some days before or after it, in the customer's zone.

    Args:
        attribute: A declared attribute of type date.
        every: `year` for the anniversary, `once` for the date itself.
        before: Days before the date.
        days_after: Days after the date.
        at: Local time of day.
        leap_day: Where 29 February is kept in other years.
    """

    kind: Literal["date"]
    attribute: str
    every: Literal["year", "once"] = "year"
    before: int = Field(default=0, ge=0, le=LONGEST.days)
    days_after: int = Field(default=0, ge=0, le=LONGEST.days)
    at: time = time()
    leap_day: Literal["02-28", "03-01"] = "02-28"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.before and self.days_after:
            raise ValueError("a date both before and after: wanted one of before and days_after")
        return self

    def _found(self, programme: str, case: OpeningContext) -> list[Opening] | Failure:
        day = case.snapshot.attributes.get(self.attribute)
        if day is None:
            return []
        if not isinstance(day, date):
            return Failure(f"customer.{self.attribute} is not a date: {day!r}")
        if case.zone is None or case.local is None:
            return Failure("no time zone known")
        today = case.local.date()
        earliest = today - self.memory - timedelta(days=1)
        return [
            self._opening(programme, d.isoformat(), instant(d + self._shift, self.at, case.zone))
            for d in self._days(day, today)
            if earliest <= d + self._shift <= today
        ]

    @property
    def _shift(self) -> timedelta:
        return timedelta(days=self.days_after - self.before)

    def _days(self, day: date, today: date) -> list[date]:
        if self.every == "once":
            return [day]
        years = range(max(today.year - 1, day.year + 1), today.year + 2)
        return [anniversary(day, year, self.leap_day) for year in years]


class ThresholdTrigger(Trigger):
    """A condition on features, scores or attributes opens the programme while it holds.

    Args:
        when: The condition.
        key: A text expression that tells one crossing from the next, such as the level reached; without one, each
            contact of the programme starts a new opening.
    """

    kind: Literal["threshold"]
    when: str
    key: str | None = None

    repeats_by_itself = True

    def _found(self, programme: str, case: OpeningContext) -> list[Opening] | Failure:
        holds = case.value(self.when)
        if isinstance(holds, Failure):
            return holds
        if not holds:
            return []
        name = _entry(programme, case.snapshot.contacts) if self.key is None else case.value(self.key, "string")
        if isinstance(name, Failure):
            return name
        return [self._opening(programme, str(name), case.snapshot.moment)]


class AlwaysTrigger(Trigger):
    """The programme is always open."""

    kind: Literal["always"]
    repeats_by_itself = True

    def _found(self, programme: str, case: OpeningContext) -> list[Opening] | Failure:
        return [self._opening(programme, _entry(programme, case.snapshot.contacts), case.snapshot.moment)]


AnyTrigger = Annotated[
    EventTrigger | AbsenceTrigger | DateTrigger | ThresholdTrigger | AlwaysTrigger, Field(discriminator="kind")
]


def _openings_where(
    where: str, events: Iterable[Event], case: OpeningContext, opening: Callable[[Event], Opening]
) -> list[Opening] | Failure:
    """An opening for each event for which a condition holds; a failure where it holds for none and fails for one."""
    values = [(event, case.value(where, event=event)) for event in events]
    found = [opening(event) for event, value in values if value is True]
    failures = [value for _, value in values if isinstance(value, Failure)]
    return failures[-1] if failures and not found else found


def _closed(opening: Opening, exits: Sequence[Event]) -> bool:
    since = opening.event.time if opening.event else opening.opened
    return any(event.time > since for event in exits)


def _named(event: Event) -> str:
    return event.id or event.time.isoformat()


def _first_event(opening: str, snapshot: Snapshot) -> Event | None:
    """The event that began a journey: the key of every step ends in its name."""
    named = (event for event in snapshot.events if opening.endswith(f":{_named(event)}"))
    return max(named, key=lambda event: len(_named(event)), default=None)


def _entry(programme: str, contacts: Sequence[Contact] | None) -> str:
    """Names an entry by the contact before it, so that it keeps its name until it is answered."""
    latest = max((contact.time for contact in contacts or () if contact.programme == programme), default=None)
    return f"after-{latest.isoformat()}" if latest else "first"
