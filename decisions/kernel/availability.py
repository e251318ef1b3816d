"""When a customer could next be contacted: what the contact policies alone say, whatever is open and worth sending."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Rule
from tactful.decisions.kernel.evaluation import Evaluation
from tactful.decisions.kernel.gates import channel_gates

MOST_STEPS = 100
"""How often a moment is moved on because another policy holds there."""


@dataclass(frozen=True, slots=True)
class Free:
    """When a channel is free for a customer.

    Args:
        moment: The earliest moment at which some message may go by it; None where time alone does not help.
        reasons: The reasons that hold that message back now; empty where the channel is free.
    """

    moment: datetime | None
    reasons: tuple[Exclusion, ...] = ()


def next_free(compiled: CompiledCatalogue, snapshot: Snapshot, scores: Mapping[str, float]) -> dict[str, Free]:
    """The next free moment of each channel.

    Consent, caps, gaps, quiet hours, pairs and suppressions are looked at, for the message they hold back the least.

    Args:
        compiled: The catalogue.
        snapshot: The customer now.
        scores: The customer's scores, for the segments of policies.

    Returns:
        By channel, in the catalogue's order; channels that no message goes by are left out.
    """
    governed = {(rule.action.channel, rule.programme.purpose, rule.policies): rule for rule in compiled.rules}
    found: dict[str, Free] = {}
    for (channel, _, _), rule in governed.items():
        free = _free(rule, compiled, snapshot, scores)
        if channel not in found or _sooner(free, found[channel]):
            found[channel] = free
    return {name: found[name] for name in compiled.catalogue.channels if name in found}


def _free(rule: Rule, compiled: CompiledCatalogue, snapshot: Snapshot, scores: Mapping[str, float]) -> Free:
    """The first moment at which no gate of the rule's channel is closed: each `until` is looked at in its turn."""
    if snapshot.contacts is None:
        return Free(None, (Exclusion("history", "ledger", "the ledger cannot be read", "a known history of contacts"),))
    moment = snapshot.moment
    reasons: tuple[Exclusion, ...] = ()
    for _ in range(MOST_STEPS):
        closed = channel_gates(rule, Evaluation(compiled, replace(snapshot, moment=moment), scores))
        reasons = reasons or tuple(closed)
        if not closed:
            return Free(moment, reasons)
        untils = [exclusion.until for exclusion in closed]
        if any(until is None or until <= moment for until in untils):
            break
        moment = max(until for until in untils if until is not None)
    return Free(None, reasons)


def _sooner(free: Free, other: Free) -> bool:
    return free.moment is not None and (other.moment is None or free.moment < other.moment)
