"""Explanations: the same decision for a person, an analyst and a machine."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tactful.decisions.kernel.arbitration import NAMES, Factors
from tactful.decisions.kernel.decision import Candidate, Decision

_ALL_ALIKE = ", all that could be sent and silence alike, to learn from it"

_NAMED = 4
"""Reasons for exclusion that a paragraph has room for."""


def paragraph(decision: Decision, currency: str) -> str:
    """The decision in a few sentences, for a person.

    Args:
        decision: The decision.
        currency: ISO 4217 code of its amounts.
    """
    return " ".join([_choice(decision, currency), *_runners_up(decision, currency), *_excluded(decision)])


def table(decision: Decision) -> list[dict[str, Any]]:
    """A row a candidate, best first, excluded ones last: action, factors, terms, priority, probability, reasons.

    The terms are the amounts in currency that add up to the priority, `Factors.terms`; None for what is excluded.
    """
    ranked = sorted(decision.candidates, key=lambda c: (not c.survives, -(c.priority or 0.0)))
    return [
        {
            "action": candidate.action.id,
            **{name: getattr(candidate.factors, name, None) for name in NAMES},
            "terms": _amounts(candidate),
            "priority": candidate.priority,
            "probability": candidate.probability,
            "reasons": [exclusion.sentence for exclusion in candidate.exclusions],
        }
        for candidate in ranked
    ]


def why_silence(decision: Decision) -> str:
    """The one reason for silence that a summary counts by.

    Returns:
        `no opening`, the gate that stopped most candidates, `worth less than silence`, or `drawn` where the policy
        explores; an empty string where a message was chosen.
    """
    if decision.choice is not None:
        return ""
    if not decision.candidates:
        return "no opening"
    worth = [candidate.priority for candidate in decision.survivors if candidate.priority is not None]
    if worth:
        return "worth less than silence" if max(worth) <= 0 else "drawn"
    gates = Counter(gate for candidate in decision.candidates for gate in {e.gate for e in candidate.exclusions})
    return max(sorted(gates), key=gates.__getitem__)


def as_dict(decision: Decision, currency: str) -> dict[str, Any]:
    """The decision with its explanation and the terms of each priority, for a machine."""
    record = decision.as_dict()
    for written, candidate in zip(record["candidates"], decision.candidates, strict=True):
        written["terms"] = _amounts(candidate)
    return {**record, "currency": currency, "explanation": paragraph(decision, currency)}


def _amounts(candidate: Candidate) -> dict[str, float] | None:
    return candidate.factors.terms if candidate.factors else None


def _choice(decision: Decision, currency: str) -> str:
    if decision.choice is None:
        return f"Silence: {_silence(decision)}."
    action, factors = decision.choice.action, decision.choice.factors
    if factors is None:
        return f"Chosen: {action.id}."
    return (
        f"Chosen: {action.message} of {action.programme} by {action.channel}, worth {factors.priority:.2f} {currency} "
        f"more than silence ({', '.join(_terms(factors))}), with probability {decision.probability:.3g}"
        f"{_ALL_ALIKE if decision.stratum == 'uniform' else ''}{_known(decision)}."
    )


def _known(decision: Decision) -> str:
    """When everything that matures is known; nothing of a record that does not say."""
    moments = [part.matures for part in decision.rewards if part.matures is not None]
    return f"; its outcome is known on {max(moments):%Y-%m-%d %H:%M} UTC" if moments else ""


def _terms(factors: Factors) -> Iterator[str]:
    """The terms of a value: rates and margin, multipliers that are not 1, and every amount that counts."""
    if factors.baseline:
        yield f"effect {factors.effect:.1%}"
    if factors.caution:
        yield f"less {factors.caution:.1%} for its uncertainty"
    yield f"response {factors.response:.1%}"
    yield f"margin {factors.value:.2f}"
    for name in ("lever", "context"):
        if getattr(factors, name) != 1:
            yield f"{name} {getattr(factors, name):g}"
    amounts = factors.terms
    if amounts["retention"]:
        yield f"retention {amounts['retention']:.2f}"
    for name in ("discount", "cost", "unsubscribing", "contact_price", "shadow_price"):
        if amounts[name] or name == "cost":
            yield f"{name.replace('_', ' ')} {abs(amounts[name]):.2f}"


def _silence(decision: Decision) -> str:
    reason = why_silence(decision)
    if reason == "no opening":
        closed = "; ".join(f"{exclusion.rule} ({exclusion.observed})" for exclusion in decision.closed)
        return f"no programme is open: {closed}"
    if reason == "worth less than silence":
        return "every message that could be sent is worth less than silence"
    if reason == "drawn":
        return f"drawn with probability {decision.probability:.3g}, to learn from it"
    return f"each of {len(decision.candidates)} candidate actions is excluded"


def _runners_up(decision: Decision, currency: str) -> Sequence[str]:
    others = [c for c in decision.survivors if c is not decision.choice]
    ranked = sorted(others, key=lambda c: -(c.priority or 0.0))[:3]
    if not ranked:
        return []
    named = [f"{c.action.id} ({c.priority or 0.0:.2f} {currency}{_made_of(c, decision)})" for c in ranked]
    return [f"Behind it: {', '.join(named)}."]


def _made_of(candidate: Candidate, decision: Decision) -> str:
    """The terms of the action that silence beat; nothing where a message was chosen, which shows its own terms."""
    if decision.choice is not None or candidate.factors is None:
        return ""
    counting = [f"{name.replace('_', ' ')} {term:.2f}" for name, term in candidate.factors.terms.items() if term]
    return f": {', '.join(counting)}" if counting else ""


def _excluded(decision: Decision) -> Sequence[str]:
    excluded = [candidate for candidate in decision.candidates if not candidate.survives]
    by_reasons: dict[str, list[str]] = {}
    for candidate in excluded:
        by_reasons.setdefault(_reasons(candidate), []).append(candidate.action.id)
    grouped = [f"{', '.join(actions)} by {reasons}" for reasons, actions in by_reasons.items()]
    more = [f"{len(grouped) - _NAMED} more reasons in the table"] if len(grouped) > _NAMED else []
    return [f"Excluded: {'; '.join(grouped[:_NAMED] + more)}."] if excluded else []


def _reasons(candidate: Candidate) -> str:
    return " and ".join(exclusion.sentence for exclusion in candidate.exclusions)
