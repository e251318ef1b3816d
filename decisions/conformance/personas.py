"""Customers made to order: for each action of a catalogue, someone to whom it could be sent.

It finds the values that conditions need by trying their own numbers and texts with CEL itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tactful.decisions.base.calendars import instant, zone_of
from tactful.decisions.base.expressions import tokenised
from tactful.decisions.base.ledger import Scope
from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.compiled import EVENT_FACTS, LOCAL_FACTS, CompiledCatalogue, Rule
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.catalogue.objective import Holdout
from tactful.decisions.catalogue.policies.pairs import OnlyAfter
from tactful.decisions.catalogue.triggers import AbsenceTrigger, DateTrigger, EventTrigger, ThresholdTrigger, Trigger
from tactful.decisions.kernel.exploration import held_out, stratum
from tactful.decisions.lint.base import domains
from tactful.decisions.lint.logic import Domain, Search

WEDNESDAY = date(2026, 6, 10)
"""The day of the first moment that is tried, at noon."""

_BUDGET = 20_000
_NUMBER = re.compile(r"\d+(\.\d+)?([eE][-+]?\d+)?")
_ARITHMETIC = {"%", "*", "/", "+", "-"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ORDINARY = {"number": 1.0, "integer": 1, "string": "x", "boolean": True, "date": date(2000, 1, 1)}


@dataclass(frozen=True, slots=True)
class Persona:
    """A customer for whom the programme of an action is open.

    Args:
        rule: The action.
        base: The customer at the moment the persona was made for.
        scores: The customer's scores.
        timezone: The catalogue's zone.
    """

    rule: Rule
    base: Snapshot
    scores: Mapping[str, float]
    timezone: str | None

    def at(
        self, moment: datetime, *, contacts: Sequence[Contact] = (), events: Sequence[Event] = (), **changes: Any
    ) -> Snapshot:
        """The same customer at another moment: what happened before happened as long before it.

        Args:
            moment: The moment.
            contacts: Contacts besides.
            events: Events besides.
            changes: Other fields of the snapshot.
        """
        later = moment - self.base.moment
        own_events = [replace(event, time=event.time + later) for event in self.base.events]
        own_contacts = [replace(contact, time=contact.time + later) for contact in self.base.contacts or ()]
        zone = changes.get("zone", self.base.zone) or self.timezone
        dates = _open_date(self.rule.programme.trigger, moment, zone_of(zone)) if zone else {}
        return replace(
            self.base,
            **{
                "moment": moment,
                "contacts": (*own_contacts, *contacts),
                "events": tuple(sorted([*own_events, *events], key=lambda event: event.time)),
                "attributes": {**self.base.attributes, **dates},
                **changes,
            },
        )


def personas(compiled: CompiledCatalogue, rule: Rule, segment: str | None = None) -> Iterator[Persona]:
    """Customers for whom an action's conditions hold, at several moments and ages of the opening.

    Whether gates and contact policies let the action pass is for `decide` to say.

    Args:
        compiled: The catalogue.
        rule: The action.
        segment: A segment they belong to besides.
    """
    source = _conditions(compiled, rule, segment)
    zone = compiled.zone or ZoneInfo("UTC")
    for moment in _moments(compiled, source, zone):
        for age in _ages(rule.programme.trigger):
            facts = _facts(compiled, rule, source, moment.astimezone(zone), age)
            if facts is not None:
                yield _persona(compiled, rule, facts, moment, age)


def _conditions(compiled: CompiledCatalogue, rule: Rule, segment: str | None) -> str:
    """The conditions under which an action is sent and no other programme supersedes it, as far as facts show."""
    programme, message = rule.programme, rule.message
    rivals = [p for p in compiled.catalogue.programmes if programme.id in p.supersedes and p.trigger.after is None]
    parts = [
        getattr(programme.trigger, "where", "true"),
        getattr(programme.trigger, "when", "true"),
        programme.eligible,
        message.state,
        message.eligible,
        *(f"!({p.trigger.when})" for p in rivals if isinstance(p.trigger, ThresholdTrigger)),
        f"segment.{segment}" if segment else "true",
    ]
    return " && ".join(f"({part})" for part in parts)


def _moments(compiled: CompiledCatalogue, source: str, zone: ZoneInfo) -> Iterator[datetime]:
    """Noon of a Wednesday; where a condition reads the clock, a moment for each time of a year that it tells apart."""
    noon = instant(WEDNESDAY, time(12), zone)
    read = [name for name in LOCAL_FACTS if f"local.{name}" in compiled.conditions.compile(source).names]
    seen = set()
    for hours in range(366 * 24 if read else 1):
        moment = noon + timedelta(hours=hours)
        times = tuple(_local(moment.astimezone(zone))[f"local.{name}"] for name in read)
        if times not in seen:
            seen.add(times)
            yield moment


def _ages(trigger: Trigger) -> list[timedelta]:
    """How long ago the opening may have begun."""
    if trigger.repeats_by_itself and trigger.after is None:
        return [timedelta()]
    return [min(timedelta(hours=1), trigger.expiry / 2), *(trigger.expiry * n / 8 for n in (2, 4, 6))]


def _facts(
    compiled: CompiledCatalogue, rule: Rule, source: str, local: datetime, age: timedelta
) -> dict[str, Any] | None:
    """Values with which the conditions hold, or None where none was found."""
    trigger = rule.programme.trigger
    condition = compiled.conditions.compile(source)
    fixed: dict[str, Any] = {**_local(local), "event.age_days": (_wait(trigger) + age) / timedelta(days=1)}
    if isinstance(trigger, EventTrigger | AbsenceTrigger):
        fixed["event.type"] = trigger.type
    elif trigger.after is None:
        fixed |= {f"event.{name}": None for name in EVENT_FACTS}
    literals = _literals(compiled, source)
    known = domains(compiled)
    samples = {
        name: [fixed[name]] if name in fixed else _samples(known[name], literals[known[name].kind])
        for name in sorted(condition.names)
    }
    never = compiled.conditions.compile("false")
    return Search(compiled.conditions, condition, never, samples, _BUDGET).found()


def _samples(domain: Domain, constants: set[Any]) -> list[Any]:
    """Values to try, ordinary ones first: whole numbers above all."""
    found = replace(domain, unknown=()).samples(constants)
    return sorted(found, key=lambda n: (n < 0, n != int(n))) if domain.kind == "number" else found


def _literals(compiled: CompiledCatalogue, source: str) -> dict[str, set[Any]]:
    """The constants of an expression, by type, and values that often make a difference."""
    tokens = tokenised(compiled.conditions.expand(source))
    numbers = {float(token) for token in tokens if _NUMBER.fullmatch(token)}
    numbers |= {-number for number in numbers}
    if _ARITHMETIC.intersection(tokens):
        numbers |= {a + b for a in numbers for b in numbers}
    nothing = compiled.conditions.facts({})
    texts = {compiled.conditions.compile(t, "string").evaluate(nothing) for t in tokens if t[-1] in "\"'"}
    dates = {datetime.fromisoformat(text) for text in texts if _MOMENT.fullmatch(text)}
    return {
        "number": {0.0, 1.0, *numbers},
        "integer": {0, 1, *(int(number) for number in numbers)},
        "string": texts,
        "boolean": set(),
        "date": dates or {datetime(2000, 1, 1, tzinfo=UTC)},
    }


def _persona(
    compiled: CompiledCatalogue, rule: Rule, facts: Mapping[str, Any], moment: datetime, age: timedelta
) -> Persona:
    catalogue, trigger = compiled.catalogue, rule.programme.trigger
    purposes = {programme.purpose for programme in catalogue.programmes}
    opened_by_event = isinstance(trigger, EventTrigger | AbsenceTrigger)
    event = Event(
        type=getattr(trigger, "type", None) or facts.get("event.type") or "purchase",
        time=moment - _wait(trigger) - age,
        id="began",
        subject=facts.get("event.subject") or "",
        amount=facts.get("event.amount") or 0.0,
        channel=facts.get("event.channel") or "",
    )
    began = opened_by_event or any(name.startswith("event.") and facts[name] is not None for name in facts)
    base = Snapshot(
        customer=_left_in(catalogue, rule.programme.holdout),
        moment=moment,
        features=tuple(facts.get(f"features.{name}", 1.0) for name in compiled.vocabulary.features),
        contacts=_contacts_before(compiled, rule, moment, moment - age, event.time if opened_by_event else moment),
        events=(event,) if began else (),
        attributes={
            name: facts.get(f"customer.{name}", _ORDINARY[attribute.type])
            for name, attribute in catalogue.attributes.items()
            if attribute.default is None or f"customer.{name}" in facts
        },
        consents={(channel, purpose): True for channel in catalogue.channels for purpose in purposes},
        zone=catalogue.timezone or "UTC",
    )
    scores = {name: facts.get(f"scores.{name}", 0.5) for name in compiled.vocabulary.scores}
    persona = Persona(rule, base, scores, catalogue.timezone)
    return replace(persona, base=persona.at(moment))


def _contacts_before(
    compiled: CompiledCatalogue, rule: Rule, moment: datetime, opened: datetime, latest: datetime
) -> tuple[Contact, ...]:
    """The contacts that must have been made: the one that a step follows, and those that pair rules ask for."""
    after = rule.programme.trigger.after
    contacts = []
    if after is not None:
        time = min(opened - after.wait, latest)
        contacts.append(made(compiled.rules_by_programme[after.programme][0], time, f"{after.programme}:began"))
    for policy in (compiled.policies[index] for index in rule.policies):
        if isinstance(policy, OnlyAfter):
            first = next((other for other in compiled.rules if covers(policy.first, other)), None)
            contacts += [made(first, moment - policy.within / 2)] if first else []
    return tuple(contacts)


def covers(scope: Scope, rule: Rule) -> bool:
    """Whether an action is in scope."""
    action = rule.action
    return scope.covers(action.channel, action.programme, action.message, action.tags)


def made(rule: Rule, time: datetime, opening: str = "") -> Contact:
    """The contact that an action would have been."""
    action = rule.action
    return Contact(time, action.channel, action.programme, action.message, action.tags, opening, id="made")


def _open_date(trigger: Trigger, moment: datetime, zone: ZoneInfo) -> dict[str, date]:
    """The profile's date with which a date trigger is open at a moment, if there is one."""
    if not isinstance(trigger, DateTrigger):
        return {}
    shift = timedelta(days=trigger.days_after - trigger.before)
    today = moment.astimezone(zone).date()
    for days in range(trigger.expiry.days + 2):
        day = today - timedelta(days=days)
        if instant(day, trigger.at, zone) <= moment < instant(day, trigger.at, zone) + trigger.expiry:
            years = 28 if trigger.every == "year" else 0
            found = day - shift
            return {trigger.attribute: found.replace(year=found.year - years)}
    return {}


def _wait(trigger: Trigger) -> timedelta:
    """How long after the event that began it an opening begins."""
    if isinstance(trigger, EventTrigger):
        return trigger.delay
    if isinstance(trigger, AbsenceTrigger):
        return trigger.within
    return timedelta(minutes=1) + (trigger.after.wait if trigger.after else timedelta())


def _local(local: datetime) -> dict[str, int]:
    facts = {"hour": local.hour, "weekday": local.weekday(), "month": local.month, "day": local.day}
    return {f"local.{name}": fact for name, fact in facts.items()}


def _left_in(catalogue: Catalogue, holdout: Holdout | None) -> str:
    """A customer about whom the policy decides, and whom the programme does not leave alone, as far as there is one."""
    customers = [f"persona-{i}" for i in range(1_000)]
    reached = [c for c in customers if not (holdout and held_out(holdout, c)) and stratum(catalogue, c) != "holdout"]
    return next((c for c in reached if stratum(catalogue, c) == "policy"), next(iter(reached), "persona"))
