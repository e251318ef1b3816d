"""Gates: what an action must pass before its worth is looked at.

Every gate is asked, without short circuit, so that an explanation names every reason; only the text is rendered last,
of actions that all other gates let pass. A condition that fails to evaluate, an unreadable ledger, a missing consent or
a text that does not render closes the gate.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from tactful.decisions.base.conditions import Failure
from tactful.decisions.base.durations import format_duration
from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.snapshot import Event, Snapshot
from tactful.decisions.catalogue.compiled import Rule
from tactful.decisions.catalogue.model import Programme
from tactful.decisions.catalogue.objective import Holdout
from tactful.decisions.catalogue.triggers import Opening, ThresholdTrigger
from tactful.decisions.kernel.evaluation import Evaluation
from tactful.decisions.kernel.exploration import held_out


def openings(case: Evaluation) -> tuple[list[Opening], list[Exclusion]]:
    """The programmes open for a customer, and why each other one is not.

    A programme has one opening here, its newest. An opening from before the customer was known follows the late-joiner
    rule of its programme, within its series.
    """
    found: list[Opening] = []
    closed: list[Exclusion] = []
    for programme in case.compiled.catalogue.programmes:
        result = programme.trigger.openings(programme.id, case)
        if isinstance(result, Failure):
            closed.append(
                Exclusion("trigger", programme.id, observed=result.reason, limit="a trigger that can be judged")
            )
        elif result:
            found += _kept(programme, result, case.snapshot)
        else:
            closed.append(_not_met(programme, case))
    return _late_joined(found, case), closed


def superseding(found: Sequence[Opening], case: Evaluation) -> dict[str, str]:
    """Programmes that are superseded, each with the programme that does it.

    A programme supersedes others while it is open and could speak: not where it was answered, waits for re-entry, is
    ineligible, leaves the customer alone, or is superseded itself by one before it in the marketer's order.
    """
    superseded: dict[str, str] = {}
    for programme in case.compiled.catalogue.programmes:
        if not programme.supersedes or programme.id in superseded:
            continue
        own = [opening for opening in found if opening.programme == programme.id]
        if any(not _of_programme(programme, opening, case) and not _left_alone(programme, case) for opening in own):
            superseded |= {other: programme.id for other in programme.supersedes if other not in superseded}
    return superseded


def judged(
    rules: Sequence[Rule], opening: Opening, case: Evaluation, superseded: Mapping[str, str]
) -> Iterator[tuple[Rule, tuple[Exclusion, ...]]]:
    """The actions of a programme, each with every reason for which it may not answer an opening.

    Args:
        rules: The programme's actions.
        opening: The opening.
        case: The customer.
        superseded: Programmes that are superseded, each with the programme that does it.
    """
    programme = rules[0].programme
    shared = [_history(case), _superseded(programme, superseded)]
    reached = (*(exclusion for exclusion in shared if exclusion), *_of_programme(programme, opening, case))
    by_message: dict[str, tuple[Exclusion, ...]] = {}
    for rule in rules:
        message = rule.message
        if message.id not in by_message:
            by_message[message.id] = _of_message(rule, opening, case)
        yield rule, (*reached, *by_message[message.id], *channel_gates(rule, case))


def _of_programme(programme: Programme, opening: Opening, case: Evaluation) -> list[Exclusion]:
    """The exclusions by a programme's gates, for any of its messages."""
    found = (
        _duplicate(programme, opening, case),
        _reentry(programme, case),
        _condition("eligibility", programme.id, programme.eligible, case, opening.event),
    )
    return [exclusion for exclusion in found if exclusion is not None]


def _left_alone(programme: Programme, case: Evaluation) -> list[Exclusion]:
    """The hold-outs that keep a programme from a customer."""
    found = (_never_contacted(case), _held_out(programme.id, programme.holdout, case))
    return [exclusion for exclusion in found if exclusion is not None]


def _of_message(rule: Rule, opening: Opening, case: Evaluation) -> tuple[Exclusion, ...]:
    """The exclusions by a message's gates, for any channel; nothing excludes a mandatory message here."""
    message = rule.message
    found = (
        _condition("eligibility", message.id, message.eligible, case, opening.event),
        _condition("state", message.id, message.state, case, opening.event),
    )
    held_out = () if message.mandatory else _left_alone(rule.programme, case)
    return (*held_out, *(exclusion for exclusion in found if exclusion is not None))


def channel_gates(rule: Rule, case: Evaluation) -> list[Exclusion]:
    """The exclusions by the gates of a message on one channel."""
    channel = rule.action.channel
    found = [
        _channel(channel, case),
        _consent(channel, rule.programme.purpose, case),
        _capacity(channel, case),
    ]
    return [*(exclusion for exclusion in found if exclusion is not None), *case.verdicts(rule.policies)]


def text_gate(rule: Rule, opening: Opening, case: Evaluation) -> tuple[Exclusion, ...]:
    """The exclusion of a message whose text fails for this customer, or is too long for its channel."""
    try:
        text = case.compiled.text(rule)
        values = case.reader.values(rule.message, opening.event)
        if not text.certainly_fits(values):
            text.render(values, case.reader.now)
    except ConditionError as error:
        observed, limit = str(error.got), str(error.wanted or "a text that renders")
        return (Exclusion("text", rule.message.id, observed, limit),)
    return ()


def _history(case: Evaluation) -> Exclusion | None:
    if case.snapshot.contacts is not None:
        return None
    return Exclusion("history", "ledger", observed="the ledger cannot be read", limit="a known history of contacts")


def _never_contacted(case: Evaluation) -> Exclusion | None:
    if case.stratum != "holdout":
        return None
    catalogue = case.compiled.catalogue
    share = catalogue.holdout.share if catalogue.holdout else catalogue.exploration.holdout
    return Exclusion("holdout", "everybody", observed="left alone on purpose", limit=f"{share:.0%} of customers")


def _held_out(name: str, holdout: Holdout | None, case: Evaluation) -> Exclusion | None:
    if holdout is None or not held_out(holdout, case.snapshot.customer):
        return None
    return Exclusion("holdout", name, observed="left alone on purpose", limit=f"{holdout.share:.0%} of customers")


def _duplicate(programme: Programme, opening: Opening, case: Evaluation) -> Exclusion | None:
    if not any(contact.opening == opening.key for contact in case.snapshot.contacts or ()):
        return None
    return Exclusion("duplicate", programme.id, observed=f"{opening.key} was answered", limit="once an opening")


def _reentry(programme: Programme, case: Evaluation) -> Exclusion | None:
    if programme.reentry is None:
        return None
    times = (contact.time for contact in case.snapshot.contacts or () if contact.programme == programme.id)
    latest = max(times, default=None)
    if latest is None or case.snapshot.moment - latest >= programme.reentry:
        return None
    limit = f"{format_duration(programme.reentry)} between contacts of {programme.id}"
    return Exclusion(
        "reentry", programme.id, f"last contact {latest:%Y-%m-%d %H:%M} UTC", limit, until=latest + programme.reentry
    )


def _superseded(programme: Programme, superseded: Mapping[str, str]) -> Exclusion | None:
    if programme.id not in superseded:
        return None
    return Exclusion(
        "superseded", programme.id, observed=f"{superseded[programme.id]} is open", limit="it closed or answered"
    )


def _condition(gate: str, name: str, source: str, case: Evaluation, event: Event | None) -> Exclusion | None:
    value = case.value(source, event=event)
    return None if value is True else Exclusion(gate, name, observed=case.observed(source, value, event), limit=source)


def _channel(channel: str, case: Evaluation) -> Exclusion | None:
    if not case.channels or channel in case.channels:
        return None
    return Exclusion("channel", channel, observed="not asked for", limit=" or ".join(case.channels))


def _consent(channel: str, purpose: str, case: Evaluation) -> Exclusion | None:
    allowed = case.snapshot.consents.get((channel, purpose))
    if allowed:
        return None
    observed = "refused" if allowed is False else "none given"
    return Exclusion("consent", f"{channel} for {purpose}", observed=observed, limit="consent")


def _capacity(channel: str, case: Evaluation) -> Exclusion | None:
    left = case.capacity.get(channel)
    if left is None or left > 0:
        return None
    return Exclusion("capacity", channel, observed=f"{left} contacts left", limit="at least 1")


def _kept(programme: Programme, found: list[Opening], snapshot: Snapshot) -> list[Opening]:
    joined = snapshot.joined
    if joined is None:
        return found[-1:]
    late = [opening for opening in found if opening.opened < joined]
    timely = [opening for opening in found if opening.opened >= joined][-1:]
    keep = {"skip": [], "latest": late[-1:], "all": late}[programme.trigger.late_joiner]
    return timely or keep


def _late_joined(found: list[Opening], case: Evaluation) -> list[Opening]:
    """Of several late openings in a series that keeps the latest, only that."""
    joined = case.snapshot.joined
    if joined is None or all(opening.opened >= joined for opening in found):
        return found
    programmes = {p.id: p for p in case.compiled.catalogue.programmes}

    def rivals(opening: Opening) -> str | None:
        programme = programmes[opening.programme]
        return programme.series if opening.opened < joined and programme.trigger.late_joiner == "latest" else None

    latest: dict[str | None, Opening] = {}
    for opening in sorted(found, key=lambda opening: opening.opened):
        latest[rivals(opening)] = opening
    return [opening for opening in found if rivals(opening) is None or latest[rivals(opening)] is opening]


def _not_met(programme: Programme, case: Evaluation) -> Exclusion:
    trigger = programme.trigger
    if isinstance(trigger, ThresholdTrigger):
        return Exclusion("trigger", programme.id, observed=case.observed(trigger.when, False), limit="an opening")
    return _not_opened(programme.id, trigger.kind)


@lru_cache(maxsize=4096)
def _not_opened(programme: str, kind: str) -> Exclusion:
    return Exclusion("trigger", programme, observed=f"no {kind} that opens it", limit="an opening")
