"""Conformance of contact policies: windows that roll and end where they should, clocks that change, local days."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from tactful.decisions.base.calendars import instant, is_holiday
from tactful.decisions.base.durations import format_duration
from tactful.decisions.base.snapshot import Event, Snapshot
from tactful.decisions.catalogue.compiled import Rule
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.catalogue.policies.frequency import Cap, Gap
from tactful.decisions.catalogue.policies.pairs import NeverAfter, OnlyAfter
from tactful.decisions.catalogue.policies.quiet import WEEKDAYS, QuietDays, QuietHours
from tactful.decisions.catalogue.policies.suppression import Suppression
from tactful.decisions.conformance.kit import HELD, Check, Kit, Trial, candidate_of, judged, shown, unshown, utc
from tactful.decisions.conformance.personas import Persona, covers, made

Situations = Callable[[Any, Persona, Kit], Iterator[Trial]]

_TICK = timedelta(microseconds=1)
_NEW_YEARS = ((2029, 1, 1), (2034, 1, 1))
"""A Monday and a Sunday: a day, a week, a month and a year begin together."""


def policy_checks(kit: Kit) -> Iterator[Check]:
    """The checks of each contact policy."""
    nowhere = kit.with_catalogue(timezone=None)
    for index, policy in enumerate(kit.compiled.policies):
        for name, kinds, situations in _PROMISES:
            if isinstance(policy, kinds):
                yield _check(name, index, situations, nowhere if name == "missing zone" else kit)


def _check(name: str, index: int, situations: Situations, kit: Kit) -> Check:
    """The check of a policy on the first action it governs that it can be shown on."""
    policy = kit.compiled.policies[index]
    check = unshown(name, policy.id)
    for rule in kit.compiled.rules:
        persona = kit.someone(rule, policy.segment) if index in rule.policies else None
        if persona is None:
            continue
        trials = list(situations(policy, persona, kit))
        check = judged(name, policy.id, trials, _held_back(policy, rule, persona, trials, kit), HELD)
        if check.outcome != "not applicable":
            return check
    return check


def _held_back(
    policy: ContactPolicy, rule: Rule, persona: Persona, trials: Sequence[Trial], kit: Kit
) -> list[bool | None]:
    """In each trial, whether the policy holds the action back; None where its programme is not open."""
    decisions = kit.decisions(persona, [trial.snapshot for trial in trials])
    candidates = [candidate_of(rule, decision) for decision in decisions]
    return [None if c is None else any(e.rule == policy.id for e in c.exclusions) for c in candidates]


def _across_midnight(cap: Cap, persona: Persona, kit: Kit) -> Iterator[Trial]:
    """Contacts an hour before a day, a week, a month and a year begin, when these begin and when the window is over."""
    local = kit.compiled.zone or ZoneInfo("UTC")
    for zone, new_year in product(dict.fromkeys((local, ZoneInfo("UTC"))), _NEW_YEARS):
        midnight = utc(*new_year, zone=zone)
        before = midnight - min(timedelta(hours=1), cap.window / 2)
        for count, asked in ((cap.max, midnight), (cap.max - 1, midnight), (cap.max, before + cap.window)):
            snapshot = persona.at(asked, contacts=[made(persona.rule, before)] * count)
            words = f"{_counted(count)} {shown(before, zone)}, asked {shown(asked, zone)}"
            yield Trial(snapshot, _binds(cap, snapshot), words)


def _contact_at_edge(policy: ContactPolicy, persona: Persona, kit: Kit) -> Iterator[Trial]:
    """Contacts exactly as long ago as the window is, and a microsecond less."""
    scope = policy.first if isinstance(policy, NeverAfter | OnlyAfter) else policy.scope
    rule = next((rule for rule in (persona.rule, *kit.compiled.rules) if covers(scope, rule)), None)
    if rule is None:
        return
    count, moment = policy.max if isinstance(policy, Cap) else 1, persona.base.moment
    for (age, words), counts in product(_edge(policy), (True, False)):
        contacts = [replace(made(rule, moment - age), counts=counts)] * count
        snapshot = persona.at(moment, contacts=contacts)
        if isinstance(policy, OnlyAfter):
            snapshot = replace(snapshot, contacts=tuple(contacts))
        note = "" if counts else ", which count toward no cap"
        yield Trial(snapshot, _binds(policy, snapshot), f"{_counted(count)} {words}{note}")


def _event_at_edge(policy: Suppression, persona: Persona, _: Kit) -> Iterator[Trial]:
    """An event exactly as long ago as it suppresses, and a microsecond less."""
    action, moment = persona.rule.action, persona.base.moment
    for age, words in _edge(policy):
        event = Event(policy.on[0], moment - age, "edge", action.message, 0.0, action.channel, action.programme)
        snapshot = persona.at(moment, events=[event])
        yield Trial(snapshot, _binds(policy, snapshot), f"{policy.on[0]} {words}")


def _around_changes(policy: QuietHours, persona: Persona, kit: Kit) -> Iterator[Trial]:
    """Every half hour of the day before and the day after each clock change of a year."""
    for name, zone in kit.zones.items():
        for change in _clock_changes(zone):
            for halves in range(-48, 49):
                moment = change + timedelta(minutes=30 * halves)
                clock = moment.astimezone(zone).time()
                late, early = clock >= policy.start, clock < policy.end
                quiet = (late or early) if policy.start > policy.end else (late and early)
                yield Trial(persona.at(moment, zone=name), quiet, shown(moment, zone))


def _around_midnights(policy: QuietDays, persona: Persona, kit: Kit) -> Iterator[Trial]:
    """The first and the last microsecond of some quiet days, and those beside them."""
    days = [date(2026, 1, 2) + timedelta(days=n) for n in range(363)]
    turns = [day for day in days if _is_quiet(policy, day) != _is_quiet(policy, day - timedelta(days=1))]
    for name, zone in kit.zones.items():
        for day in turns[:6]:
            midnight = instant(day, time(), zone)
            for moment in (midnight - _TICK, midnight):
                quiet = _is_quiet(policy, moment.astimezone(zone).date())
                yield Trial(persona.at(moment, zone=name), quiet, shown(moment, zone))


def _nowhere(_: ContactPolicy, persona: Persona, __: Kit) -> Iterator[Trial]:
    """Every hour of a day, for a customer whose zone neither the profile nor the catalogue knows."""
    for hours in range(24):
        moment = persona.base.moment + timedelta(hours=hours)
        yield Trial(persona.at(moment, zone=None), True, f"{moment:%H:%M} UTC, no zone known")


def _binds(policy: ContactPolicy, snapshot: Snapshot) -> bool:
    """Whether a policy must hold back an action in its scope, by its definition; all contacts are past."""
    first, counted = (policy.first, False) if isinstance(policy, NeverAfter | OnlyAfter) else (policy.scope, True)
    contacts = (c for c in snapshot.contacts or () if c.counts or not counted)
    ages = [snapshot.moment - c.time for c in contacts if first.covers(c.channel, c.programme, c.message, c.tags)]
    match policy:
        case Cap():
            return sum(age < policy.window for age in ages) >= policy.max
        case Gap():
            return any(age < policy.min for age in ages)
        case NeverAfter():
            return any(age < policy.within for age in ages)
        case OnlyAfter():
            return not any(age < policy.within for age in ages)
        case Suppression():
            return any(snapshot.moment - e.time < policy.lasts for e in snapshot.events if _suppresses(policy, e))
    raise TypeError(f"no window: {policy!r}")


def _suppresses(policy: Suppression, event: Event) -> bool:
    named = {"channel": event.channel, "programme": event.programme, "message": event.subject}
    return event.type in policy.on and (policy.per is None or named[policy.per] in getattr(policy.scope, policy.per))


def _edge(policy: ContactPolicy) -> list[tuple[timedelta, str]]:
    lengths = (getattr(policy, name, None) for name in ("window", "min", "within", "lasts"))
    length = next(length for length in lengths if length is not None)
    words = f"{format_duration(length)} before"
    return [(length, f"exactly {words}"), (length - _TICK, f"a microsecond less than {words}")]


def _clock_changes(zone: ZoneInfo) -> list[datetime]:
    """When the clocks of a zone change in 2026."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(365 * 24)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [hours[n] for n in range(1, len(hours)) if offsets[n] != offsets[n - 1]]


def _is_quiet(policy: QuietDays, day: date) -> bool:
    holiday = policy.holidays is not None and is_holiday(day, policy.holidays)
    return holiday or WEEKDAYS[day.weekday()] in policy.weekdays


def _counted(contacts: int) -> str:
    return f"{contacts} contact{'' if contacts == 1 else 's'}"


_PROMISES: tuple[tuple[str, tuple[type, ...], Situations], ...] = (
    ("rolling window", (Cap,), _across_midnight),
    ("edge of the window", (Cap, Gap, NeverAfter, OnlyAfter), _contact_at_edge),
    ("edge of the window", (Suppression,), _event_at_edge),
    ("clock changes", (QuietHours,), _around_changes),
    ("local days", (QuietDays,), _around_midnights),
    ("missing zone", (QuietHours, QuietDays), _nowhere),
)
