"""Lints of pair rules, suppressions and journeys: what keeps an action from ever being taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from tactful.decisions.base.durations import format_duration
from tactful.decisions.catalogue.checks import Place
from tactful.decisions.catalogue.policies.frequency import Cap, Gap
from tactful.decisions.catalogue.policies.pairs import NeverAfter, OnlyAfter
from tactful.decisions.catalogue.policies.suppression import Suppression
from tactful.decisions.catalogue.triggers import AbsenceTrigger, EventTrigger
from tactful.decisions.lint.base import Actions, LintContext, LintFinding, counted, doubt, from_elsewhere, lifetime
from tactful.decisions.lint.limits import limit_of


@dataclass(frozen=True, slots=True)
class _Separation:
    """No contact of `then` within a time after one of `first`."""

    label: str
    first: Actions
    then: Actions
    within: timedelta


def suppressed_by_themselves(inspection: LintContext) -> Iterator[LintFinding]:
    """Programmes whose own event suppresses them until their opening has expired."""
    for i, policy in enumerate(inspection.catalogue.contact_policies):
        if not isinstance(policy, Suppression) or policy.segment is not None or policy.per is not None:
            continue
        governed = inspection.governed(policy)
        for programme in inspection.catalogue.programmes:
            trigger = programme.trigger
            if not isinstance(trigger, EventTrigger | AbsenceTrigger) or trigger.after is not None:
                continue
            silenced, (_, end) = governed & inspection.of_programme(programme.id), lifetime(trigger)
            if trigger.type in policy.on and policy.lasts >= end and silenced:
                what = (
                    f"suppression {policy.id!r} silences {counted(silenced)} of {programme.id!r} for ever: the event "
                    f"that opens it suppresses for {format_duration(policy.lasts)}, and it expires after "
                    f"{format_duration(end)}"
                )
                yield doubt(
                    ("contact_policies", i, "lasts"), what, "shorten it, or let the opening live longer", silenced
                )


def excluded_pairs(inspection: LintContext) -> Iterator[LintFinding]:
    """Contacts that one rule wants soon after another contact and a second rule, or a step's wait, forbids."""
    separations = list(_separations(inspection))
    for i, policy in enumerate(inspection.catalogue.contact_policies):
        if not isinstance(policy, OnlyAfter) or policy.segment is not None or from_elsewhere(policy.first):
            continue
        first, then = inspection.covered(policy.first), inspection.governed(policy)
        for separation in separations:
            silenced = then & separation.then
            if silenced and first and first <= separation.first and separation.within >= policy.within:
                what = (
                    f"only_after {policy.id!r} and {separation.label} silence {counted(silenced)} for ever: they must "
                    f"come within {format_duration(policy.within)} of a contact, and not within "
                    f"{format_duration(separation.within)}"
                )
                yield doubt(("contact_policies", i, "within"), what, "lengthen the one or shorten the other", silenced)
        yield from _steps_too_late(i, policy, first, then, inspection)
    yield from _steps_held_back(separations, inspection)


def unbegun(inspection: LintContext, silenced: Actions) -> Iterator[LintFinding]:
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
        what = f"{label}, a contact that never comes: it silences {counted(frozenset(actions))} for ever"
        yield doubt(place, what, "let something begin without it", frozenset(actions))


def _separations(inspection: LintContext) -> Iterator[_Separation]:
    """Every rule that keeps contacts apart, for all customers alike."""
    seen = frozenset(action for action, rule in inspection.rules.items() if rule.message.counts_toward_caps)
    for policy in inspection.compiled.policies:
        if policy.segment is not None:
            continue
        then = inspection.governed(policy)
        if isinstance(policy, NeverAfter):
            yield _Separation(f"the pair rule {policy.id!r}", inspection.covered(policy.first), then, policy.within)
        elif isinstance(policy, Gap) or (isinstance(policy, Cap) and policy.max == 1):
            limit = limit_of(0, policy, inspection)
            yield _Separation(limit.label, limit.actions & seen, then, limit.window)
    for programme in inspection.catalogue.programmes:
        if programme.reentry is not None:
            actions = inspection.of_programme(programme.id)
            yield _Separation(f"re-entry of {programme.id!r}", actions, actions, programme.reentry)


def _steps_too_late(
    i: int, policy: OnlyAfter, first: Actions, then: Actions, inspection: LintContext
) -> Iterator[LintFinding]:
    """Steps that open when the contact before them is too long ago, and the next one comes after their end."""
    programmes = {programme.id: programme for programme in inspection.catalogue.programmes}
    for programme in programmes.values():
        after, silenced = programme.trigger.after, then & inspection.of_programme(programme.id)
        if after is None or isinstance(programme.trigger, EventTrigger | AbsenceTrigger):
            continue
        if not silenced or not first <= inspection.of_programme(after.programme):
            continue
        reentry = programmes[after.programme].reentry
        if after.wait >= policy.within and reentry and reentry >= after.wait + programme.trigger.expiry:
            what = (
                f"only_after {policy.id!r} silences {counted(silenced)} for ever: {programme.id!r} opens "
                f"{format_duration(after.wait)} after a contact, which must be less than "
                f"{format_duration(policy.within)} ago, and the next one comes after {format_duration(reentry)}"
            )
            yield doubt(("contact_policies", i, "within"), what, "lengthen it, or shorten the wait", silenced)


def _steps_held_back(separations: list[_Separation], inspection: LintContext) -> Iterator[LintFinding]:
    """Steps that expire before a minimum after the contact before them is over."""
    for i, programme in enumerate(inspection.catalogue.programmes):
        after, actions = programme.trigger.after, inspection.of_programme(programme.id)
        if after is None or isinstance(programme.trigger, EventTrigger | AbsenceTrigger):
            continue
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


def _prerequisites(action: str, inspection: LintContext) -> list[tuple[Place, str, Actions]]:
    """The messages that must be sent before an action: the rule in words, and the actions that satisfy it."""
    rule = inspection.rules[action]
    found: list[tuple[Place, str, Actions]] = []
    after = rule.programme.trigger.after
    if after is not None:
        place: Place = ("programmes", inspection.catalogue.programmes.index(rule.programme), "trigger", "after")
        label = f"{rule.programme.id!r} waits for a contact of {after.programme!r}"
        found.append((place, label, inspection.of_programme(after.programme)))
    for i, policy in enumerate(inspection.catalogue.contact_policies):
        if not isinstance(policy, OnlyAfter) or policy.segment is not None or from_elsewhere(policy.first):
            continue
        if action in inspection.governed(policy):
            label = f"only_after {policy.id!r} waits for a contact of its first scope"
            found.append((("contact_policies", i), label, inspection.covered(policy.first)))
    return found
