"""Lint of quiet hours and days: openings that expire before anything may be sent.

Looked at minute by minute on the local calendars of `YEARS`, with days of 24 hours.
"""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.base.calendars import is_holiday
from tactful.decisions.base.durations import format_duration
from tactful.decisions.catalogue.model import Programme
from tactful.decisions.catalogue.policies.quiet import WEEKDAYS, QuietDays, QuietHours
from tactful.decisions.catalogue.triggers import AbsenceTrigger, DateTrigger, EventTrigger
from tactful.decisions.lint.base import LintContext, LintFinding, doubt

YEARS = (2024, 2031)
"""First and last year of holidays that are looked at."""

Minutes = NDArray[np.bool_]
_DAY = 1440
_FIRST = date(YEARS[0], 1, 1)
_DAYS = [_FIRST + timedelta(days=d) for d in range((date(YEARS[1] + 1, 1, 1) - _FIRST).days)]


def lost_in_quiet(inspection: LintContext) -> Iterator[LintFinding]:
    """Programmes all of whose channels can be quiet for as long as an opening lives, or always."""
    known: dict[frozenset[int], Minutes] = {}
    for i, programme in enumerate(inspection.catalogue.programmes):
        quiet = _quiet(programme.id, inspection, known)
        if quiet is None:
            continue
        if quiet.all():
            what = f"programme {programme.id!r} can never be sent: all its channels are quiet at any time"
            mend = "leave it an hour of the week"
            yield doubt(("programmes", i), what, mend, inspection.of_programme(programme.id))
        elif programme.trigger.after is not None or not programme.trigger.repeats_by_itself:
            starts = _starts(programme, inspection, known)
            yield from _lost(i, programme, quiet, starts)


def _lost(i: int, programme: Programme, quiet: Minutes, starts: Minutes) -> Iterator[LintFinding]:
    expiry = int(programme.trigger.expiry.total_seconds()) // 60
    minutes = np.arange(len(quiet))
    next_open = np.minimum.accumulate(np.where(quiet, len(quiet), minutes)[::-1])[::-1]
    waits = np.where(starts & (next_open < len(quiet)), next_open - minutes, 0)
    lost = np.flatnonzero(waits >= expiry)
    if not len(lost):
        return
    opened, ended = (_moment(minute) for minute in (lost[0], next_open[lost[0]]))
    what = (
        f"an opening of {programme.id!r} can expire in quiet hours: of {opened:%A %Y-%m-%d %H:%M} it lives "
        f"{format_duration(programme.trigger.expiry)}, and all its channels are quiet until {ended:%A %H:%M}"
    )
    longest = format_duration(timedelta(minutes=int(waits.max())))
    yield doubt(("programmes", i, "trigger", "expiry"), what, f"let it live longer than {longest}")


def _starts(programme: Programme, inspection: LintContext, known: dict[frozenset[int], Minutes]) -> Minutes:
    """The minutes at which an opening can begin."""
    trigger = programme.trigger
    if isinstance(trigger, EventTrigger | AbsenceTrigger):
        return np.ones(len(_DAYS) * _DAY, dtype=bool)
    if trigger.after is not None:
        before = _quiet(trigger.after.programme, inspection, known)
        sendable = np.ones(len(_DAYS) * _DAY, dtype=bool) if before is None else ~before
        wait = int(trigger.after.wait.total_seconds()) // 60
        return np.concatenate([np.zeros(wait, dtype=bool), sendable])[: len(sendable)]
    clock = np.zeros(_DAY, dtype=bool)
    at = trigger.at if isinstance(trigger, DateTrigger) else time()
    clock[at.hour * 60 + at.minute] = True
    return np.tile(clock, len(_DAYS))


def _quiet(programme: str, inspection: LintContext, known: dict[frozenset[int], Minutes]) -> Minutes | None:
    """The minutes in which no action of a programme may be taken, or None where one always may."""
    policies = inspection.compiled.policies
    together: Minutes | None = None
    for rule in inspection.compiled.rules_by_programme[programme]:
        indices = frozenset(
            j for j in rule.policies if isinstance(policies[j], QuietHours | QuietDays) and not policies[j].segment
        )
        if not indices:
            return None
        if indices not in known:
            known[indices] = _union([policies[j] for j in indices])
        together = known[indices] if together is None else together & known[indices]
    return together


def _union(policies: Collection[object]) -> Minutes:
    """The minutes in which any of these policies is quiet."""
    clock, days = np.zeros(_DAY, dtype=bool), np.zeros(len(_DAYS), dtype=bool)
    for policy in policies:
        if isinstance(policy, QuietHours):
            clock |= _hours(policy.start, policy.end)
        elif isinstance(policy, QuietDays):
            days |= np.array([_is_quiet(day, policy) for day in _DAYS])
    return np.asarray(days[:, None] | clock[None, :]).ravel()


def _hours(start: time, end: time) -> Minutes:
    minutes = np.arange(_DAY)
    first, last = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    inside = (minutes >= first, minutes < last)
    return inside[0] & inside[1] if first < last else inside[0] | inside[1]


def _is_quiet(day: date, policy: QuietDays) -> bool:
    holiday = policy.holidays is not None and is_holiday(day, policy.holidays)
    return holiday or WEEKDAYS[day.weekday()] in policy.weekdays


def _moment(minute: np.int64) -> datetime:
    return datetime.combine(_FIRST, time()) + timedelta(minutes=int(minute))
