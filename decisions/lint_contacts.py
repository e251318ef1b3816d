"""Lints of contact policies: limits that never bind, and rules that keep an action from ever being taken."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from decisions.catalogue import Action, Holdout
from decisions.checks import Place
from decisions.contact_policies import Cap, ContactPolicy, Gap, NeverAfter, OnlyAfter, Scope, Suppression
from decisions.durations import format_duration
from decisions.inspection import Doubt, Inspection, doubt
from decisions.triggers import AbsenceTrigger, EventTrigger

Actions = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Limit:
    """At most `most` contacts of some actions in any window: a cap, or a gap, which is a cap of one.

    Args:
        index: Of its policy in the catalogue.
        label: Its kind and id.
        actions: The actions in its scope.
        segment: The customers it binds; all where None.
        most: The greatest number.
        window: The length of the window.
    """

    index: int
    label: str
    actions: Actions
    segment: str | None
    most: int
    window: timedelta

    def room(self, window: timedelta) -> int:
        """The most contacts it leaves room for in a window of another length."""
        return self.most * math.ceil(window / self.window)

    def makes_idle(self, other: "_Limit") -> bool:
        """Whether the other never binds where this one is kept."""
        return (
            other.actions <= self.actions
            and self.segment in (None, other.segment)
            and self.room(other.window) <= other.most
        )


@dataclass(frozen=True, slots=True)
class _Separation:
    """No contact of `then` within a time after one of `first`."""

    label: str
    first: Actions
    then: Actions
    within: timedelta


def uncovering(inspection: Inspection) -> Iterator[Doubt]:
    """Scopes without an action."""
    for i, policy in enumerate(inspection.catalogue.contact_policies):
        for field in type(policy).model_fields:
            scope = getattr(policy, field)
            if isinstance(scope, Scope) and not inspection.covered(scope):
                what = f"the {field} of {policy.kind} {policy.id!r} covers no action of this catalogue"
                yield doubt(("contact_policies", i, field), what, "no message goes by all that it names together")


def silencing(inspection: Inspection) -> Iterator[Doubt]:
    """Caps of nothing, and hold-outs of everybody."""
    catalogue = inspection.catalogue
    for i, policy in enumerate(catalogue.contact_policies):
        if isinstance(policy, Cap) and policy.max == 0 and policy.segment is None:
            silenced = _governed(policy, inspection)
            what = f"cap {policy.id!r} of 0 silences {_counted(silenced)} for ever"
            yield doubt(("contact_policies", i, "max"), what, "raise it, or leave the messages out", silenced)
    holdouts: list[tuple[Place, Holdout | None, Actions]] = [
        (("holdout",), catalogue.holdout, frozenset(inspection.rules))
    ]
    holdouts += [
        (("programmes", i, "holdout"), programme.holdout, inspection.of_programme(programme.id))
        for i, programme in enumerate(catalogue.programmes)
    ]
    for place, holdout, actions in holdouts:
        if holdout is not None and holdout.share == 1:
            what = f"a hold-out of everybody silences {_counted(actions)} for ever"
            yield doubt((*place, "share"), what, "a share is at most 1: 0.1 is a tenth", actions)


def idle(inspection: Inspection) -> Iterator[Doubt]:
    """Caps and gaps that can never bind, since another limit or re-entry keeps contacts farther apart."""
    limits = [
        [_limit(i, part, inspection) for part in policy.bound(_actions(inspection)) if isinstance(part, Cap | Gap)]
        for i, policy in enumerate(inspection.catalogue.contact_policies)
    ]
    everything = [limit for parts in limits for limit in parts if limit.most]
    for i, parts in enumerate(limits):
        bound = [part for part in parts if part.actions]
        if not bound or any(_may_be_ignored(part, inspection) for part in bound):
            continue
        reasons = [_why_idle(part, everything) or _spaced_by_reentry(part, inspection) for part in bound]
        if all(reasons):
            policy = inspection.catalogue.contact_policies[i]
            binds = (
                "can bind only through contacts made elsewhere" if _from_elsewhere(policy.scope) else "can never bind"
            )
            what = f"{policy.kind} {policy.id!r} {binds}: {reasons[0]}"
            yield doubt(("contact_policies", i), what, "tighten it, or drop it")


def suppressed_by_themselves(inspection: Inspection) -> Iterator[Doubt]:
    """Programmes whose own event suppresses them until their opening has expired."""
    for i, policy in enumerate(inspection.catalogue.contact_policies):
        if not isinstance(policy, Suppression) or policy.segment is not None or policy.per is not None:
            continue
        governed = _governed(policy, inspection)
        for programme in inspection.catalogue.programmes:
            trigger = programme.trigger
            if not isinstance(trigger, EventTrigger | AbsenceTrigger) or trigger.after is not None:
                continue
            wait = trigger.delay if isinstance(trigger, EventTrigger) else trigger.within
            silenced = governed & inspection.of_programme(programme.id)
            if trigger.type in policy.on and policy.lasts >= wait + trigger.expiry and silenced:
                what = (
                    f"suppression {policy.id!r} silences {_counted(silenced)} of {programme.id!r} for ever: the event "
                    f"that opens it suppresses for {format_duration(policy.lasts)}, and it expires after "
                    f"{format_duration(wait + trigger.expiry)}"
                )
                yield doubt(
                    ("contact_policies", i, "lasts"), what, "shorten it, or let the opening live longer", silenced
                )


def excluded_pairs(inspection: Inspection) -> Iterator[Doubt]:
    """Contacts that one rule wants soon after another contact and a second rule, or a step's wait, forbids."""
    separations = list(_separations(inspection))
    for i, policy in enumerate(inspection.catalogue.contact_policies):
        if not isinstance(policy, OnlyAfter) or policy.segment is not None or _from_elsewhere(policy.first):
            continue
        first, then = inspection.covered(policy.first), _governed(policy, inspection)
        for separation in separations:
            silenced = then & separation.then
            if silenced and first and first <= separation.first and separation.within >= policy.within:
                what = (
                    f"only_after {policy.id!r} and {separation.label} silence {_counted(silenced)} for ever: they must "
                    f"come within {format_duration(policy.within)} of a contact, and not within "
                    f"{format_duration(separation.within)}"
                )
                yield doubt(("contact_policies", i, "within"), what, "lengthen the one or shorten the other", silenced)
        yield from _steps_too_late(i, policy, first, then, inspection)
    yield from _steps_held_back(separations, inspection)


def unbegun(inspection: Inspection, silenced: Actions) -> Iterator[Doubt]:
    """Actions that wait for a contact which never comes: of a silenced programme, or of one that waits for them.

    Args:
        inspection: The catalogue.
        silenced: Actions that are known never to be taken.
    """
    wants = {action: _prerequisites(action, inspection) for action in inspection.rules if action not in silenced}
    begun: set[str] = set()
    while beginning := {a for a in wants.keys() - begun if all(first & begun for _, _, first in wants[a])}:
        begun |= beginning
    blocked: dict[Place, tuple[str, set[str]]] = {}
    for action in sorted(wants.keys() - begun):
        for place, label, first in wants[action]:
            if not first & begun:
                blocked.setdefault(place, (label, set()))[1].add(action)
    for place, (label, actions) in blocked.items():
        what = f"{label}, a contact that never comes: it silences {_counted(frozenset(actions))} for ever"
        yield doubt(place, what, "let something begin without it", frozenset(actions))


def _actions(inspection: Inspection) -> list[Action]:
    return [rule.action for rule in inspection.compiled.rules]


def _governed(policy: ContactPolicy, inspection: Inspection) -> Actions:
    """The actions a policy binds: those in scope, without those that ignore caps if it is one."""
    covered = inspection.covered(policy.scope)
    exempt = {a for a in covered if policy.limits_frequency and inspection.rules[a].message.ignores_caps}
    return covered - exempt


def _limit(index: int, policy: Cap | Gap, inspection: Inspection) -> _Limit:
    actions, label = inspection.covered(policy.scope), f"{policy.kind} {policy.id!r}"
    most, window = (policy.max, policy.window) if isinstance(policy, Cap) else (1, policy.min)
    return _Limit(index, label, actions, policy.segment, most, window)


def _may_be_ignored(limit: _Limit, inspection: Inspection) -> bool:
    """Whether some message in scope counts without being held back, and so may break every limit."""
    messages = (inspection.rules[action].message for action in limit.actions)
    return any(message.ignores_caps and message.counts_toward_caps for message in messages)


def _why_idle(limit: _Limit, others: list[_Limit]) -> str | None:
    """The words for another limit that makes this one idle; of two that are alike, the later one is."""
    for other in others:
        if other.index == limit.index or not other.makes_idle(limit):
            continue
        if other.index < limit.index or not limit.makes_idle(other):
            return f"{other.label} leaves room for {other.room(limit.window)} in {format_duration(limit.window)}"
    return None


def _spaced_by_reentry(limit: _Limit, inspection: Inspection) -> str | None:
    reentries = {p.id: p.reentry for action in limit.actions for p in [inspection.rules[action].programme]}
    waits = [reentry for reentry in reentries.values() if reentry is not None]
    room = sum(math.ceil(limit.window / wait) for wait in waits)
    if len(waits) < len(reentries) or room > limit.most:
        return None
    return f"re-entry leaves room for {room} in {format_duration(limit.window)}"


def _separations(inspection: Inspection) -> Iterator[_Separation]:
    """Every rule that keeps contacts apart, for all customers alike."""
    counted = frozenset(action for action, rule in inspection.rules.items() if rule.message.counts_toward_caps)
    for policy in inspection.compiled.policies:
        if policy.segment is not None:
            continue
        then = _governed(policy, inspection)
        if isinstance(policy, NeverAfter):
            first = inspection.covered(policy.first) & counted
            yield _Separation(f"the pair rule {policy.id!r}", first, then, policy.within)
        elif isinstance(policy, Gap) or (isinstance(policy, Cap) and policy.max == 1):
            limit = _limit(0, policy, inspection)
            yield _Separation(limit.label, limit.actions & counted, then, limit.window)
    for programme in inspection.catalogue.programmes:
        if programme.reentry is not None:
            actions = inspection.of_programme(programme.id)
            yield _Separation(f"re-entry of {programme.id!r}", actions, actions, programme.reentry)


def _steps_too_late(
    i: int, policy: OnlyAfter, first: Actions, then: Actions, inspection: Inspection
) -> Iterator[Doubt]:
    """Steps that open when the contact before them is too long ago, and the next one comes after their end."""
    programmes = {programme.id: programme for programme in inspection.catalogue.programmes}
    for programme in programmes.values():
        after, silenced = programme.trigger.after, then & inspection.of_programme(programme.id)
        if after is None or not silenced or not first <= inspection.of_programme(after.programme):
            continue
        reentry = programmes[after.programme].reentry
        if after.wait >= policy.within and reentry and reentry >= after.wait + programme.trigger.expiry:
            what = (
                f"only_after {policy.id!r} silences {_counted(silenced)} for ever: {programme.id!r} opens "
                f"{format_duration(after.wait)} after a contact, which must be less than "
                f"{format_duration(policy.within)} ago, and the next one comes after {format_duration(reentry)}"
            )
            yield doubt(("contact_policies", i, "within"), what, "lengthen it, or shorten the wait", silenced)


def _steps_held_back(separations: list[_Separation], inspection: Inspection) -> Iterator[Doubt]:
    """Steps that expire before a minimum after the contact before them is over."""
    for i, programme in enumerate(inspection.catalogue.programmes):
        if programme.trigger.after is None:
            continue
        after, actions = programme.trigger.after, inspection.of_programme(programme.id)
        end = after.wait + programme.trigger.expiry
        for separation in separations:
            too_long = separation.within >= end and actions <= separation.then
            if too_long and inspection.of_programme(after.programme) <= separation.first:
                what = (
                    f"programme {programme.id!r} can never be sent: it expires {format_duration(end)} after the "
                    f"contact it follows, and {separation.label} wants {format_duration(separation.within)}"
                )
                yield doubt(("programmes", i, "trigger", "expiry"), what, "let it live longer", actions)
                break


def _from_elsewhere(scope: Scope) -> bool:
    """Whether contacts made outside the catalogue can be in scope."""
    return not (scope.programme or scope.message or scope.tag)


def _prerequisites(action: str, inspection: Inspection) -> list[tuple[Place, str, Actions]]:
    """What must have been sent before an action: the place that says so, in words, and the actions that would do."""
    rule = inspection.rules[action]
    found: list[tuple[Place, str, Actions]] = []
    after = rule.programme.trigger.after
    if after is not None:
        place: Place = ("programmes", inspection.catalogue.programmes.index(rule.programme), "trigger", "after")
        label = f"{rule.programme.id!r} waits for a contact of {after.programme!r}"
        found.append((place, label, inspection.of_programme(after.programme)))
    for i, policy in enumerate(inspection.catalogue.contact_policies):
        if not isinstance(policy, OnlyAfter) or policy.segment is not None or _from_elsewhere(policy.first):
            continue
        if action in _governed(policy, inspection):
            label = f"only_after {policy.id!r} waits for a contact of its first scope"
            found.append((("contact_policies", i), label, inspection.covered(policy.first)))
    return found


def _counted(actions: Actions) -> str:
    return f"{len(actions)} action{'' if len(actions) == 1 else 's'}"
