"""Lints of conditions and worth: what can never hold, never be sent, or never win."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tactful.decisions.base.expressions import segments_in
from tactful.decisions.catalogue.checks import Place
from tactful.decisions.catalogue.compiled import Rule
from tactful.decisions.catalogue.model import Programme
from tactful.decisions.catalogue.selection import PriorityList, RandomEligible
from tactful.decisions.catalogue.triggers import AbsenceTrigger, AlwaysTrigger, EventTrigger, ThresholdTrigger
from tactful.decisions.kernel.arbitration import Factors, unsubscribe_risk
from tactful.decisions.kernel.value import believed_effect
from tactful.decisions.lint.base import LintContext, LintFinding, doubt
from tactful.decisions.lint.logic import Domain


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the conditions that must hold together for a message to be sent."""

    place: Place
    label: str
    source: str


def contradictions(inspection: LintContext) -> Iterator[LintFinding]:
    """Segments that never hold, programmes that never open, and messages that can never be sent."""
    dead = _dead_segments(inspection)
    for name in sorted(dead):
        if not segments_in(inspection.catalogue.segments[name]) & dead:
            yield doubt(("segments", name), f"segment {name!r} can never hold", "its comparisons exclude each other")
    for i, programme in enumerate(inspection.catalogue.programmes):
        given = inspection.given(programme)
        opening = _opening(i, programme)
        conflict = _conflict(opening, inspection, given)
        if conflict:
            what = f"programme {programme.id!r} can never be sent"
            yield _told(what, conflict, programme, dead, inspection.of_programme(programme.id))
            continue
        for j, message in enumerate(programme.messages):
            place: Place = ("programmes", i, "messages", j)
            state = _Part((*place, "state"), "its state", message.state)
            eligible = _Part((*place, "eligible"), "its eligible", message.eligible)
            conflict = _conflict([*opening, state, eligible], inspection, given)
            if conflict:
                what = f"message {message.id!r} can never be sent"
                yield _told(what, conflict, programme, dead, inspection.of_message(message.id))


def superseded(inspection: LintContext) -> Iterator[LintFinding]:
    """Programmes that another one, open whenever they are, keeps closed; and pairs that keep each other closed."""
    programmes = {programme.id: programme for programme in inspection.catalogue.programmes}
    for i, programme in enumerate(programmes.values()):
        for j, other in enumerate(programme.supersedes):
            place: Place = ("programmes", i, "supersedes", j)
            if _always_open_with(programme, programmes[other], inspection):
                message = f"programme {other!r} can never be sent: {programme.id!r} is open whenever it is"
                silenced = inspection.of_programme(other)
                yield doubt(place, message, f"narrow the trigger of {programme.id!r}, or supersede less", silenced)
            elif programme.id in programmes[other].supersedes and programme.id < other:
                message = f"{programme.id!r} and {other!r} supersede each other: open together, both keep silent"
                yield doubt(place, message, "let one of the two go first")


def shadowed(inspection: LintContext, silenced: frozenset[str]) -> Iterator[LintFinding]:
    """Messages that another one of their programme always beats.

    Args:
        inspection: The catalogue.
        silenced: Actions that are known never to be taken.
    """
    catalogue = inspection.catalogue
    if isinstance(catalogue.policy, RandomEligible):
        return
    for i, programme in enumerate(catalogue.programmes):
        rules = [r for r in inspection.compiled.rules_by_programme[programme.id] if r.action.id not in silenced]
        by_message = {m.id: [r for r in rules if r.message is m] for m in programme.messages}
        for j, message in enumerate(programme.messages):
            own = by_message[message.id]
            for rival, theirs in by_message.items():
                if own and rival != message.id and _beats(theirs, own, inspection):
                    what = f"message {message.id!r} is never the best: {rival!r} is open whenever it is, and goes first"
                    mend = f"narrow the state of {rival!r}, or raise the worth of {message.id!r}"
                    yield doubt(("programmes", i, "messages", j), what, mend)
                    break


def worthless(inspection: LintContext) -> Iterator[LintFinding]:
    """Messages whose worth is fixed and no more than silence's."""
    catalogue = inspection.catalogue
    for i, programme in enumerate(catalogue.programmes):
        for j, message in enumerate(programme.messages):
            rules = [rule for rule in inspection.compiled.rules_by_programme[programme.id] if rule.message is message]
            known = [worth for rule in rules if (worth := _fixed_worth(rule, inspection)) is not None]
            if len(known) == len(rules) and max(known) <= 0 and not message.mandatory:
                what = f"message {message.id!r} is never worth more than silence: {max(known):.2f} {catalogue.currency}"
                mend = "look at its value, discount, response or effect, and at the cost of its channels"
                yield doubt(("programmes", i, "messages", j), what, mend)


def _opening(i: int, programme: Programme) -> list[_Part]:
    """The conditions on a programme's opening."""
    parts = [_Part(("programmes", i, "eligible"), "the programme's eligible", programme.eligible)]
    for name in ("where", "when"):
        source = getattr(programme.trigger, name, None)
        if source is not None:
            parts.insert(0, _Part(("programmes", i, "trigger", name), f"the trigger's {name}", source))
    return parts


def _conflict(parts: Sequence[_Part], inspection: LintContext, given: dict[str, Domain]) -> list[_Part]:
    """A smallest set of parts that can never hold together; none where all can."""
    if inspection.logic.can_hold(_together(parts), given):
        return []
    needed = list(parts)
    for part in parts:
        others = [other for other in needed if other is not part]
        if not inspection.logic.can_hold(_together(others), given):
            needed = others
    return needed


def _together(parts: Sequence[_Part]) -> str:
    return " && ".join(f"({part.source})" for part in parts) or "true"


def _told(
    what: str, conflict: Sequence[_Part], programme: Programme, dead: set[str], silenced: frozenset[str]
) -> LintFinding:
    """The doubt about a conflict, at the last of its parts; without words where a dead segment is to blame."""
    if any(segments_in(part.source) & dead for part in conflict):
        return LintFinding(None, silenced)
    labels = " and ".join(part.label for part in conflict)
    why = f"{labels} exclude each other" if len(conflict) > 1 else f"{labels} can never hold"
    reads_event = any("event." in part.source for part in conflict)
    mend = "change one of them" if len(conflict) > 1 else "nothing it reads can make it true"
    if reads_event and not isinstance(programme.trigger, EventTrigger | AbsenceTrigger):
        mend = f"no event opens a programme with a trigger of kind {programme.trigger.kind}"
    return doubt(conflict[-1].place, f"{what}: {why}", mend, silenced)


def _dead_segments(inspection: LintContext) -> set[str]:
    return {name for name in inspection.catalogue.segments if not inspection.logic.can_hold(f"segment.{name}")}


def _always_open_with(programme: Programme, other: Programme, inspection: LintContext) -> bool:
    """Whether a programme is certainly open, and not answered, whenever another one is."""
    trigger = programme.trigger
    if trigger.after is not None or getattr(trigger, "key", None) is not None:
        return False
    if isinstance(trigger, AlwaysTrigger):
        return True
    premise = _together(_opening(0, other))
    return isinstance(trigger, ThresholdTrigger) and inspection.logic.implies(
        premise, trigger.when, inspection.given(other)
    )


def _beats(theirs: Sequence[Rule], own: Sequence[Rule], inspection: LintContext) -> bool:
    """Whether a message goes before another one wherever that could be sent."""
    by_channel = {rule.action.channel: rule for rule in theirs}
    pairs = [(by_channel.get(rule.action.channel), rule) for rule in own]
    if not all(rival and _goes_before(rival, rule, inspection) for rival, rule in pairs):
        return False
    rival, loser, programme = theirs[0].message, own[0].message, own[0].programme
    premise = _together(
        [*_opening(0, programme), _Part((), "", loser.state), _Part((), "", loser.eligible)],
    )
    conclusion = f"({rival.state}) && ({rival.eligible})"
    return inspection.logic.implies(premise, conclusion, inspection.given(programme))


def _goes_before(rival: Rule, rule: Rule, inspection: LintContext) -> bool:
    """Whether an action, both open, always goes before another one on the same channel."""
    ours, theirs = _fixed_worth(rule, inspection), _fixed_worth(rival, inspection)
    if theirs is None or not set(rival.policies) <= set(rule.policies):
        return False
    if rival.message.mandatory != rule.message.mandatory:
        return rival.message.mandatory
    if ours is None:
        return False
    if isinstance(inspection.catalogue.policy, PriorityList):
        messages = [message.id for message in rule.programme.messages]
        return theirs >= ours and messages.index(rival.message.id) < messages.index(rule.message.id)
    return theirs > ours


def _fixed_worth(rule: Rule, inspection: LintContext) -> float | None:
    """The worth of an action for a rested customer, where no figure of it depends on the customer."""
    catalogue, message = inspection.catalogue, rule.message
    amounts = {name: getattr(message, name) for name in ("value", "discount", "context")}
    if message.offer is not None or any(isinstance(amount, str) for amount in amounts.values()):
        return None
    effect, baseline, _ = believed_effect(message, catalogue.objective)
    return Factors(
        effect=effect,
        baseline=baseline,
        lever=rule.programme.lever * message.lever,
        cost=catalogue.channels[rule.action.channel].cost,
        risk_aversion=catalogue.arbitration.risk_aversion,
        unsubscribe=unsubscribe_risk(catalogue.fatigue, recent_contacts=0),
        reach_value=catalogue.fatigue.reach_value,
        contact_price=catalogue.arbitration.price_of(rule.action.channel),
        **amounts,
    ).priority
