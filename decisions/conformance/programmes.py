"""Conformance of programmes: when they open, for whom, how often, and for whom they never speak."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.model import Message, Prior, Programme
from tactful.decisions.catalogue.selection import PriorityList
from tactful.decisions.catalogue.triggers import AbsenceTrigger, DateTrigger, EventTrigger, Opening
from tactful.decisions.conformance.kit import HELD, OPEN, Check, Kit, Trial, candidate_of, judged, shown, unshown, utc
from tactful.decisions.conformance.personas import Persona, made
from tactful.decisions.kernel.decision import SILENCE, Decision

_TICK = timedelta(microseconds=1)
_DRAWS, _REPEATS = 200, 20


def programme_checks(kit: Kit) -> Iterator[Check]:
    """The checks of each programme, of each series, and of consent."""
    for programme in kit.compiled.catalogue.programmes:
        trigger = programme.trigger
        if isinstance(trigger, EventTrigger | AbsenceTrigger) and trigger.after is None:
            yield _opening_edge(programme, kit)
        if isinstance(trigger, DateTrigger) and trigger.after is None:
            yield _kept_dates("29 February", programme, [(2, 29)], kit)
            yield _kept_dates("local date", programme, [(1, 1), (12, 31)], kit)
            yield _no_date_without_zone(programme, kit)
        if programme.reentry is not None:
            yield _reentry_edge(programme, kit)
        if trigger.after is not None or not trigger.repeats_by_itself:
            yield _late_joiner(programme, kit)
        yield _delivered_twice(programme, kit)
        yield _unreadable_ledger(programme, kit)
        yield _equal_priorities(programme, kit)
    for series in dict.fromkeys(p.series for p in kit.compiled.catalogue.programmes if p.series):
        yield _late_joiner_of_series(series, kit)
    yield from _no_consent(kit)


def _opening_edge(programme: Programme, kit: Kit) -> Check:
    """It opens when its wait is over, not before, and is closed when it expires."""
    name, persona = "edge of the opening", _somebody(programme, kit)
    if persona is None or not persona.base.events:
        return unshown(name, programme.id)
    trigger, moment = programme.trigger, persona.base.moment
    wait = trigger.delay if isinstance(trigger, EventTrigger) else getattr(trigger, "within", timedelta())
    trials = []
    for age, open_, words in (
        (wait + _TICK, True, "just after its wait"),
        (wait - _TICK, False, "just before its wait is over"),
        (wait + trigger.expiry - _TICK, True, "just before it expires"),
        (wait + trigger.expiry, False, "when it expires"),
    ):
        if age > timedelta():
            event = replace(persona.base.events[-1], time=moment - age)
            trials.append(Trial(replace(persona.base, events=(event,)), open_, f"asked {words}"))
    decisions = kit.decisions(persona, [trial.snapshot for trial in trials])
    return judged(name, programme.id, trials, [bool(_openings(programme, decision)) for decision in decisions], OPEN)


def _kept_dates(name: str, programme: Programme, days: list[tuple[int, int]], kit: Kit) -> Check:
    """A date is kept once a year, on the day of the customer's own calendar; 29 February where it was declared."""
    persona = _somebody(programme, kit)
    if persona is None:
        return unshown(name, programme.id)
    trials, seen = [], []
    for zone_name, zone in kit.zones.items():
        for month, day in days:
            for year in (2027, 2028):
                expected = _kept(programme, year, month, day, zone)
                if expected is None:
                    continue
                born = {**persona.base.attributes, _attribute(programme): _born(programme, year, month, day)}
                moments = [expected + timedelta(hours=12 * n) for n in range(-4, 5)] + [expected - _TICK]
                snapshots = [persona.at(m, zone=zone_name, attributes=born) for m in moments]
                near = {o.opened for d in kit.decisions(persona, snapshots) for o in _openings(programme, d)}
                near = {opened for opened in near if abs(opened - expected) <= timedelta(days=3)}
                words = f"{month:02}-{day:02} expected {shown(expected, zone)}, opened "
                words += ", ".join(shown(opened, zone) for opened in sorted(near)) or "never"
                trials.append(Trial(snapshots[0], True, words))
                seen.append(near == {expected})
    return judged(name, programme.id, trials, seen, ("on another day", "kept on that day"))


def _no_date_without_zone(programme: Programme, kit: Kit) -> Check:
    """Without a zone nobody knows when the day begins: the programme stays closed."""
    nowhere = kit.with_catalogue(timezone=None)
    persona = _somebody(programme, nowhere)
    if persona is None:
        return unshown("missing zone", programme.id)
    moments = [persona.base.moment + timedelta(hours=n) for n in range(24)]
    born = persona.base.attributes
    trials = [Trial(persona.at(m, zone=None, attributes=born), False, "no zone known") for m in moments]
    decisions = nowhere.decisions(persona, [trial.snapshot for trial in trials])
    return judged("missing zone", programme.id, trials, [bool(_openings(programme, d)) for d in decisions], OPEN)


def _reentry_edge(programme: Programme, kit: Kit) -> Check:
    """The time between two of its contacts is over when it says, not before."""
    name, persona = "edge of re-entry", _somebody(programme, kit)
    if persona is None or programme.reentry is None:
        return unshown(name, programme.id)
    trials = []
    for age, bound, words in (
        (programme.reentry, False, "when it is over"),
        (programme.reentry - _TICK, True, "a microsecond before"),
    ):
        contact = made(persona.rule, persona.base.moment - age)
        trials.append(Trial(persona.at(persona.base.moment, contacts=[contact]), bound, f"asked {words}"))
    decisions = kit.decisions(persona, [trial.snapshot for trial in trials])
    candidates = [candidate_of(persona.rule, decision) for decision in decisions]
    seen = [None if c is None else any(e.gate == "reentry" for e in c.exclusions) for c in candidates]
    return judged(name, programme.id, trials, seen, HELD)


def _late_joiner(programme: Programme, kit: Kit) -> Check:
    """Openings from before the customer was known are kept or dropped as declared; later ones are kept."""
    name, persona = "late joiner", _somebody(programme, kit)
    if persona is None:
        return unshown(name, programme.id)
    opened = _openings(programme, kit.asked(persona, persona.base))[-1].opened
    rule = programme.trigger.late_joiner
    trials = [
        Trial(replace(persona.base, joined=opened + _TICK), rule != "skip", f"joined after it opened, rule {rule}"),
        Trial(replace(persona.base, joined=opened), True, "joined when it opened"),
    ]
    decisions = kit.decisions(persona, [trial.snapshot for trial in trials])
    return judged(name, programme.id, trials, [bool(_openings(programme, decision)) for decision in decisions], OPEN)


def _late_joiner_of_series(series: str, kit: Kit) -> Check:
    """Of several openings of a series from before the customer was known, the newest is kept, or all, or none."""
    members = [p for p in kit.compiled.catalogue.programmes if p.series == series]
    people = [persona for p in members if (persona := _somebody(p, kit))]
    best: tuple[Persona, Snapshot, list[Opening]] | None = None
    for persona in people:
        snapshot = _at_once(persona, people)
        found = [o for p in members for o in _openings(p, kit.asked(persona, snapshot)) if o.opened < snapshot.moment]
        if best is None or len(found) > len(best[2]):
            best = persona, snapshot, found
    if best is None or len(best[2]) < 2:
        return Check("late joiner", f"series {series}", "not applicable", "no customer found with two open at once")
    persona, snapshot, found = best
    rules = {programme.id: programme.trigger.late_joiner for programme in members}
    newest = max((o for o in reversed(found) if rules[o.programme] == "latest"), key=lambda o: o.opened, default=None)
    expected = {o.programme for o in found if rules[o.programme] == "all" or o is newest}
    decision = kit.asked(persona, replace(snapshot, joined=snapshot.moment))
    kept = {o.programme for p in members for o in _openings(p, decision)}
    words = f"{len(found)} open at once, kept {', '.join(sorted(kept)) or 'none'}"
    return Check("late joiner", f"series {series}", "passed" if kept == expected else "failed", words)


def _delivered_twice(programme: Programme, kit: Kit) -> Check:
    """An event told twice opens once, and an opening that was answered is not answered again."""
    name, persona = "delivered twice", kit.anybody(programme.id)
    if persona is None:
        return unshown(name, programme.id)
    base, late = persona.base, replace(persona.base, joined=persona.base.moment)
    once = kit.decisions(persona, [base, late], ["a", "b"])
    twice = [replace(snapshot, events=tuple(e for e in snapshot.events for _ in range(2))) for snapshot in (base, late)]
    if [d.as_bytes() for d in once] != [d.as_bytes() for d in kit.decisions(persona, twice, ["a", "b"])]:
        return Check(name, programme.id, "failed", "an event that is told twice changes the decision")
    opening = _openings(programme, once[0])[-1]
    answer = replace(made(persona.rule, base.moment - timedelta(minutes=1), opening.key), counts=False)
    for contacts in ([answer], [answer, answer]):
        decision = kit.asked(persona, persona.at(base.moment, contacts=contacts))
        if any(candidate.action.programme == programme.id for candidate in decision.survivors):
            return Check(name, programme.id, "failed", f"{opening.key} was answered a minute ago and may be again")
    told = "an event told twice opens once, and " if base.events else ""
    return Check(name, programme.id, "passed", f"{told}{opening.key} is answered once")


def _unreadable_ledger(programme: Programme, kit: Kit) -> Check:
    """Where it is unknown whom we contacted, nobody is contacted."""
    name, persona = "unreadable ledger", kit.anybody(programme.id)
    if persona is None:
        return unshown(name, programme.id)
    decision = kit.asked(persona, replace(persona.base, contacts=None))
    silent = decision.outcome == SILENCE and not list(decision.survivors)
    return Check(name, programme.id, "passed" if silent else "failed", f"without a ledger: {decision.outcome}")


def _equal_priorities(programme: Programme, kit: Kit) -> Check:
    """Of two messages of the same worth each wins half the time, and the same one each time it is asked again."""
    name, persona = "equal priorities", kit.anybody(programme.id)
    if persona is None:
        return unshown(name, programme.id)
    if isinstance(kit.compiled.catalogue.policy, PriorityList):
        return Check(name, programme.id, "not applicable", "the marketer's order leaves no tie")
    ids = [f"tie-{i}" for i in range(_DRAWS)]
    shares = []
    for twins in (("twin_a", "twin_b"), ("twin_b", "twin_a")):
        messages = tuple(_twin(persona.rule.message, twin, persona.rule.action.channel) for twin in twins)
        tied = kit.with_catalogue(programmes=(programme.model_copy(update={"messages": messages}),))
        decisions = tied.decisions(persona, [persona.base] * _DRAWS, ids)
        again = tied.decisions(persona, [persona.base] * _REPEATS, ids[:_REPEATS][::-1])[::-1]
        if [d.as_bytes() for d in decisions[:_REPEATS]] != [d.as_bytes() for d in again]:
            return Check(name, programme.id, "failed", "the same decision asked again chose another message")
        wins = Counter(d.choice.action.message for d in decisions if d.choice)
        shares.append(wins["twin_a"] / max(1, wins.total()))
    fair = all(abs(share - 0.5) < 2 / _DRAWS**0.5 for share in shares)
    words = f"the one won {shares[0]:.0%} of {_DRAWS}, and {shares[1]:.0%} when it stood second"
    return Check(name, programme.id, "passed" if fair else "failed", words)


def _no_consent(kit: Kit) -> Iterator[Check]:
    """Without consent for a channel and a purpose nothing is sent by it for that purpose."""
    pairs = dict.fromkeys((rule.action.channel, rule.programme.purpose) for rule in kit.compiled.rules)
    for channel, purpose in pairs:
        rules = [r for r in kit.compiled.rules if (r.action.channel, r.programme.purpose) == (channel, purpose)]
        persona = next((persona for rule in rules if (persona := kit.sendable(rule))), None)
        if persona is None:
            yield unshown("no consent", f"{channel} for {purpose}")
            continue
        others = {pair: True for pair in persona.base.consents if pair != (channel, purpose)}
        situations = {"none given": others, "refused": {**others, (channel, purpose): False}, "nothing known": {}}
        trials = [Trial(replace(persona.base, consents=given), True, words) for words, given in situations.items()]
        decisions = kit.decisions(persona, [trial.snapshot for trial in trials])
        candidates = [candidate_of(persona.rule, decision) for decision in decisions]
        seen = [candidate is None or not candidate.survives for candidate in candidates]
        yield judged("no consent", f"{channel} for {purpose}", trials, seen, HELD)


def _somebody(programme: Programme, kit: Kit) -> Persona | None:
    """A customer for whom a programme is open."""
    found = (kit.someone(rule) for rule in kit.compiled.rules_by_programme[programme.id])
    return next((persona for persona in found if persona), None)


def _openings(programme: Programme, decision: Decision) -> list[Opening]:
    return [opening for opening in decision.openings if opening.programme == programme.id]


def _twin(message: Message, name: str, channel: str) -> Message:
    prior = Prior(mean=0.5)
    worth = {"value": 1_000.0, "discount": 0.0, "context": 1.0, "offer": None, "response": prior, "effect": prior}
    return message.model_copy(update={"id": name, "channels": (channel,), **worth})


def _at_once(persona: Persona, people: list[Persona]) -> Snapshot:
    """One customer with the events, contacts and attributes of several, where they differ those of the first."""
    moment = persona.base.moment
    together = [other.at(moment) for other in people]
    events = {event: None for snapshot in together for event in snapshot.events}
    return replace(
        persona.base,
        events=tuple(sorted(events, key=lambda event: event.time)),
        contacts=tuple(dict.fromkeys(c for snapshot in together for c in snapshot.contacts or ())),
        attributes={k: v for snapshot in (*together, persona.base) for k, v in snapshot.attributes.items()},
    )


def _attribute(programme: Programme) -> str:
    return programme.trigger.attribute if isinstance(programme.trigger, DateTrigger) else ""


def _born(programme: Programme, year: int, month: int, day: int) -> date:
    yearly = isinstance(programme.trigger, DateTrigger) and programme.trigger.every == "year"
    return date(1992 if yearly else year, month, day)


def _kept(programme: Programme, year: int, month: int, day: int, zone: ZoneInfo) -> datetime | None:
    """When a date of a year must open a date trigger, or None where there is no such date."""
    trigger = programme.trigger
    assert isinstance(trigger, DateTrigger)
    if (month, day) == (2, 29) and year % 4:
        if trigger.every == "once":
            return None
        month, day = (int(part) for part in trigger.leap_day.split("-"))
    kept = date(year, month, day) + timedelta(days=trigger.days_after - trigger.before)
    return utc(kept.year, kept.month, kept.day, trigger.at.hour, trigger.at.minute, zone=zone)
