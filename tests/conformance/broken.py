"""Rules and cores with the mistakes that rules and cores are known for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.base.conditions import Failure
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.ledger import Ledger
from tactful.decisions.base.snapshot import Event, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.policies.frequency import Cap, Gap
from tactful.decisions.catalogue.policies.pairs import NeverAfter
from tactful.decisions.catalogue.policies.quiet import QuietDays, QuietHours
from tactful.decisions.catalogue.policies.suppression import Suppression
from tactful.decisions.catalogue.selection import Greedy, Policy
from tactful.decisions.catalogue.triggers import DateTrigger, EventTrigger, Opening, OpeningContext
from tactful.decisions.conformance.conform import Decide
from tactful.decisions.kernel.decide import Request, RunContext, Scorer, decide
from tactful.decisions.kernel.decision import Decision
from tactful.features.array_types import Floats


class CalendarCap(Cap):
    """Counts the contacts of the present day or week, and forgets what came before midnight."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        if ledger.local is None:
            return super().verdict(ledger)
        start = ledger.local.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.window >= timedelta(days=7):
            start -= timedelta(days=start.weekday())
        made = sum(time >= start for time in ledger.times(self.scope))
        return None if made < self.max else Exclusion("cap", self.id, f"{made} in the calendar's window", "fewer")


class GreenwichCap(CalendarCap):
    """The same, by the calendar of UTC."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        return super().verdict(Ledger(ledger.moment, ledger.contacts, ledger.events, ZoneInfo("UTC")))


class ClosedCap(Cap):
    """Counts a contact that is exactly as old as the window is long."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        made = sum(ledger.moment - time <= self.window for time in ledger.times(self.scope))
        return None if made < self.max else Exclusion("cap", self.id, f"{made} contacts", "fewer")


class GapInDays(Gap):
    """Rounds to days."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        days = [(ledger.moment - time).days for time in ledger.times(self.scope)]
        return None if all(day >= self.min.days for day in days) else Exclusion("gap", self.id, "too near", "farther")


class ForgetfulPair(NeverAfter):
    """Remembers the first contact for an hour less than it should."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        times = ledger.times(self.first)
        near = any(ledger.moment - time < self.within - timedelta(hours=1) for time in times)
        return Exclusion("pair", self.id, "such a contact", "none") if near else None


class CountingPair(NeverAfter):
    """Sees only contacts that count toward caps: after an apology that counts toward none, it lets offers through."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        counted = [contact for contact in ledger.contacts if contact.counts]
        return super().verdict(Ledger(ledger.moment, counted, ledger.events, ledger.zone))


class LastingSuppression(Suppression):
    """Suppresses for a microsecond too long."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        times = [event.time for event in ledger.events if event.type in self.on]
        near = any(ledger.moment - time <= self.lasts for time in times)
        return Exclusion("suppression", self.id, "such an event", "none") if near else None


class WinterHours(QuietHours):
    """Knows each zone's offset in January, and thinks that it stays."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        if ledger.zone is None:
            return super().verdict(ledger)
        offset = datetime(2026, 1, 1, tzinfo=ledger.zone).utcoffset()
        assert offset is not None
        clock = (ledger.moment + offset).time()
        quiet = clock >= self.start or clock < self.end if self.start > self.end else self.start <= clock < self.end
        return Exclusion("quiet_hours", self.id, f"{clock}", "another hour") if quiet else None


class HoursSomewhere(QuietHours):
    """Falls back on UTC where the zone is unknown."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        known = Ledger(ledger.moment, ledger.contacts, ledger.events, ledger.zone or ZoneInfo("UTC"))
        return super().verdict(known)


class DaysOfGreenwich(QuietDays):
    """Reads the date in UTC, so that no zone is ever missing."""

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        return super().verdict(Ledger(ledger.moment, ledger.contacts, ledger.events, ZoneInfo("UTC")))


class LeaplessDate(DateTrigger):
    """Keeps 29 February in leap years only."""

    def _days(self, day: date, today: date) -> list[date]:
        leapless = self.every == "year" and (day.month, day.day) == (2, 29)
        return [d for d in super()._days(day, today) if not leapless or (d.month == 2 and d.day == 29)]


class DateOfGreenwich(DateTrigger):
    """Opens at the hour in UTC: a day early or late for half of the world; no zone is ever missing."""

    def _found(self, programme: str, case: OpeningContext) -> list[Opening] | Failure:
        class Abroad:
            snapshot, value, events_of = case.snapshot, case.value, case.events_of
            zone, local = ZoneInfo("UTC"), case.snapshot.moment

        return super()._found(programme, Abroad())


class EagerEvent(EventTrigger):
    """Opens five minutes before its wait is over."""

    def _opening(self, programme: str, name: str, opened: datetime, event: Event | None = None) -> Opening:
        return super()._opening(programme, name, opened - timedelta(minutes=5), event)


class NumberedEvent(EventTrigger):
    """Names an opening by the number of events before it."""

    def _found(self, programme: str, case: OpeningContext) -> list[Opening] | Failure:
        found = super()._found(programme, case)
        return found if isinstance(found, Failure) else [replace(o, key=f"{programme}:{len(found)}") for o in found]


class FirstComer(Greedy):
    """Among equals, the one that stands first in the catalogue."""

    def distribution(self, priorities: Floats, order: NDArray[np.int64]) -> Floats:
        return super().distribution(priorities, np.arange(len(order)))


class Core(Decide):
    """The real core, told something else about each customer."""

    def __call__(
        self,
        requests: Sequence[Request],
        compiled: CompiledCatalogue,
        policy: Policy,
        scorer: Scorer,
        run_context: RunContext | None = None,
    ) -> list[Decision]:
        told = [replace(request, snapshot=self.told(request.snapshot)) for request in requests]
        return decide(told, compiled, policy, scorer, run_context)

    def told(self, snapshot: Snapshot) -> Snapshot:
        return snapshot


class HopefulCore(Core):
    """Takes a ledger that cannot be read for an empty one."""

    def told(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, contacts=snapshot.contacts or ())


class PushyCore(Core):
    """Asks nobody for consent."""

    def told(self, snapshot: Snapshot) -> Snapshot:
        purposes = ("marketing", "news")
        return replace(snapshot, consents={(c, p): True for c in ("email", "sms") for p in purposes})


class OptOutCore(Core):
    """Takes silence for consent, and obeys a refusal."""

    def told(self, snapshot: Snapshot) -> Snapshot:
        everything = {(channel, "marketing"): True for channel in ("email", "sms")}
        return replace(snapshot, consents={**everything, **snapshot.consents})


class TimelessCore(Core):
    """Does not know when a customer joined."""

    def told(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, joined=None)


class AmnesicCore(Core):
    """Does not write down which opening a contact answered, nor by which programme."""

    def told(self, snapshot: Snapshot) -> Snapshot:
        contacts = snapshot.contacts
        kept = None if contacts is None else tuple(replace(c, opening="", programme="") for c in contacts)
        return replace(snapshot, contacts=kept)


class MoodyCore(Core):
    """Draws anew each time it is asked."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(
        self,
        requests: Sequence[Request],
        compiled: CompiledCatalogue,
        policy: Policy,
        scorer: Scorer,
        run_context: RunContext | None = None,
    ) -> list[Decision]:
        self._asked += 1
        return decide(requests, compiled, policy, scorer, RunContext(seed=f"mood-{self._asked}"))


class RoundedCore(Core):
    """Keeps times by the hour."""

    def told(self, snapshot: Snapshot) -> Snapshot:
        contacts = tuple(replace(c, time=_hour(c.time)) for c in snapshot.contacts or ())
        return replace(snapshot, contacts=None if snapshot.contacts is None else contacts)


def _hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
