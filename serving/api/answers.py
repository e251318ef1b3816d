"""A decision as the API tells it."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from decisions.decision import Candidate, Decision
from decisions.explain import paragraph, why_silence
from serving.making import Answer
from serving.rendering import RenderedText


def content(answer: Answer) -> bytes:
    """An answer as canonical JSON: the same decision is told in the same bytes each time."""
    return encoded(_document(answer))


def _document(answer: Answer) -> dict[str, Any]:
    decision = answer.decision
    return {
        "id": decision.id,
        "customer_id": decision.customer,
        "moment": decision.moment.isoformat(),
        "choice": _choice(decision.choice, answer.text),
        "silence": why_silence(decision) or None,
        "probability": decision.probability,
        "silence_probability": decision.silence_probability,
        "scores": scores_of(decision),
        "runners_up": [_ranked(candidate) for candidate in _runners_up(decision)],
        "excluded": _excluded(decision),
        "closed": closed(decision),
        "currency": answer.currency,
        "policy": dict(decision.policy),
        "stratum": decision.stratum,
        "versions": asdict(decision.versions),
        "explanation": paragraph(decision, answer.currency),
    }


def supposition(decision: Decision, currency: str) -> bytes:
    """What would be decided, as canonical JSON: the part of `content` that a supposed decision has."""
    document = {
        "choice": _ranked(decision.choice) if decision.choice else None,
        "silence": why_silence(decision) or None,
        "scores": scores_of(decision),
        "runners_up": [_ranked(candidate) for candidate in _runners_up(decision)],
        "excluded": _excluded(decision),
        "closed": closed(decision),
        "currency": currency,
        "explanation": paragraph(decision, currency),
    }
    return encoded(document)


def encoded(document: Any) -> bytes:
    """A document as canonical JSON."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def scores_of(decision: Decision) -> dict[str, float | None]:
    """The scores of a decision; those that are unknown are null."""
    return {name: score if math.isfinite(score) else None for name, score in decision.scores.items()}


def closed(decision: Decision) -> list[dict[str, str]]:
    """The programmes that were not open."""
    return [{"programme": e.rule, "observed": e.observed, "limit": e.limit} for e in decision.closed]


def _excluded(decision: Decision) -> list[dict[str, Any]]:
    return [
        {**_action(candidate), "reasons": [e.as_dict() for e in candidate.exclusions]}
        for candidate in decision.candidates
        if not candidate.survives
    ]


def _choice(choice: Candidate | None, text: RenderedText | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    return {
        **_ranked(choice),
        "opening": choice.opening,
        "response": choice.factors.response if choice.factors else None,
        "subject": text.subject if text else None,
        "body": text.body if text else None,
    }


def _runners_up(decision: Decision) -> Sequence[Candidate]:
    others = [candidate for candidate in decision.survivors if candidate is not decision.choice]
    return sorted(others, key=lambda candidate: -(candidate.priority or 0.0))


def _ranked(candidate: Candidate) -> dict[str, Any]:
    return {**_action(candidate), "priority": candidate.priority, "probability": candidate.probability}


def _action(candidate: Candidate) -> dict[str, Any]:
    action = candidate.action
    return {
        "action": action.id,
        "programme": action.programme,
        "message": action.message,
        "channel": action.channel,
    }
