"""Lints of caps, gaps and hold-outs: those that never bind, and those that let nothing pass."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from tactful.decisions.base.durations import format_duration
from tactful.decisions.base.ledger import Scope
from tactful.decisions.catalogue.checks import Place
from tactful.decisions.catalogue.model import Action
from tactful.decisions.catalogue.policies.frequency import Cap, Gap
from tactful.decisions.lint.base import Actions, LintContext, LintFinding, counted, doubt, from_elsewhere


@dataclass(frozen=True, slots=True)
class Limit:
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

    def makes_idle(self, other: "Limit") -> bool:
        """Whether the other never binds where this one is kept."""
        return (
            other.actions <= self.actions
            and self.segment in (None, other.segment)
            and self.room(other.window) <= other.most
        )


def uncovering(inspection: LintContext) -> Iterator[LintFinding]:
    """Scopes without an action."""
    for i, policy in enumerate(inspection.catalogue.contact_policies):
        for field in type(policy).model_fields:
            scope = getattr(policy, field)
            if isinstance(scope, Scope) and not inspection.covered(scope):
                what = f"the {field} of {policy.kind} {policy.id!r} covers no action of this catalogue"
                yield doubt(("contact_policies", i, field), what, "no message goes by all that it names together")


def silencing(inspection: LintContext) -> Iterator[LintFinding]:
    """Caps of nothing, and hold-outs of everybody."""
    catalogue = inspection.catalogue
    for i, policy in enumerate(catalogue.contact_policies):
        if isinstance(policy, Cap) and policy.max == 0 and policy.segment is None:
            silenced = inspection.governed(policy)
            what = f"cap {policy.id!r} of 0 silences {counted(silenced)} for ever"
            yield doubt(("contact_policies", i, "max"), what, "raise it, or leave the messages out", silenced)
    holdouts: list[tuple[Place, float, Actions]] = [
        (("holdout", "share"), catalogue.holdout.share if catalogue.holdout else 0.0, frozenset(inspection.rules)),
        (("exploration", "holdout"), catalogue.exploration.holdout, frozenset(inspection.rules)),
    ]
    holdouts += [
        (("programmes", i, "holdout", "share"), programme.holdout.share, inspection.of_programme(programme.id))
        for i, programme in enumerate(catalogue.programmes)
        if programme.holdout
    ]
    for place, share, actions in holdouts:
        if share == 1:
            what = f"a hold-out of everybody silences {counted(actions)} for ever"
            yield doubt(place, what, "a share is at most 1: 0.1 is a tenth", actions)


def idle(inspection: LintContext) -> Iterator[LintFinding]:
    """Caps and gaps that can never bind, since another limit or re-entry keeps contacts farther apart."""
    limits = [
        [limit_of(i, part, inspection) for part in policy.bound(_actions(inspection)) if isinstance(part, Cap | Gap)]
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
                "can bind only through contacts made elsewhere" if from_elsewhere(policy.scope) else "can never bind"
            )
            what = f"{policy.kind} {policy.id!r} {binds}: {reasons[0]}"
            yield doubt(("contact_policies", i), what, "tighten it, or drop it")


def limit_of(index: int, policy: Cap | Gap, inspection: LintContext) -> Limit:
    """A cap or a gap as a limit."""
    actions, label = inspection.covered(policy.scope), f"{policy.kind} {policy.id!r}"
    most, window = (policy.max, policy.window) if isinstance(policy, Cap) else (1, policy.min)
    return Limit(index, label, actions, policy.segment, most, window)


def _actions(inspection: LintContext) -> list[Action]:
    return [rule.action for rule in inspection.compiled.rules]


def _may_be_ignored(limit: Limit, inspection: LintContext) -> bool:
    """Whether some message in scope counts without being held back, and so may break every limit."""
    messages = (inspection.rules[action].message for action in limit.actions)
    return any(message.ignores_caps and message.counts_toward_caps for message in messages)


def _why_idle(limit: Limit, others: list[Limit]) -> str | None:
    """The words for another limit that makes this one idle; of two that are alike, the later one is."""
    for other in others:
        if other.index == limit.index or not other.makes_idle(limit):
            continue
        if other.index < limit.index or not limit.makes_idle(other):
            return f"{other.label} leaves room for {other.room(limit.window)} in {format_duration(limit.window)}"
    return None


def _spaced_by_reentry(limit: Limit, inspection: LintContext) -> str | None:
    reentries = {p.id: p.reentry for action in limit.actions for p in [inspection.rules[action].programme]}
    waits = [reentry for reentry in reentries.values() if reentry is not None]
    room = sum(math.ceil(limit.window / wait) for wait in waits)
    if len(waits) < len(reentries) or room > limit.most:
        return None
    return f"re-entry leaves room for {room} in {format_duration(limit.window)}"
