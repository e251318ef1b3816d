"""A decision as the API tells it."""

import json
from collections.abc import Sequence
from typing import Any

from tactful.decisions.analysis.explain import paragraph, why_silence
from tactful.decisions.base import canonical_json as canonical
from tactful.decisions.catalogue.messages import RenderedText
from tactful.decisions.kernel.decision import Candidate, Decision
from tactful.serving.engine.drafts import DecisionResult


def content(answer: DecisionResult) -> bytes:
    """An answer as canonical JSON: the same decision has the same bytes each time."""
    decision = answer.decision
    written = {
        **_told(decision, answer.currency),
        **_rewards(decision),
        "choice": _choice(decision.choice, answer.text),
        "customer_id": canonical.text(decision.customer),
        "id": canonical.text(decision.id),
        "moment": canonical.moment(decision.moment),
        "policy": canonical.of(decision.policy),
        "probability": canonical.number(decision.probability),
        "silence_probability": canonical.number(decision.silence_probability),
        "stratum": canonical.text(decision.stratum),
        "versions": decision.versions.as_json(),
    }
    return canonical.members(written).encode()


def supposition(decision: Decision, currency: str) -> bytes:
    """A what-if decision as canonical JSON: the part of `content` that it has."""
    choice = _ranked(decision.choice) if decision.choice else "null"
    return canonical.members({**_told(decision, currency), "choice": choice}).encode()


def encoded(document: Any) -> bytes:
    """A document as canonical JSON."""
    return canonical.of(document).encode()


def scores_of(decision: Decision) -> dict[str, float | None]:
    """The scores of a decision; those that are unknown are null."""
    return decision.known_scores


def closed(decision: Decision) -> list[dict[str, str]]:
    """The programmes that were not open."""
    found: list[dict[str, str]] = json.loads(_closed(decision))
    return found


_RANKED = '{"action":%s,"channel":%s,"message":%s,"priority":%s,"probability":%s,"programme":%s}'
_EXCLUDED = '{"action":%s,"channel":%s,"message":%s,"programme":%s,"reasons":%s}'
_CLOSED = '{"limit":%s,"observed":%s,"programme":%s}'


def _told(decision: Decision, currency: str) -> dict[str, str]:
    return {
        "closed": _closed(decision),
        "currency": canonical.text(currency),
        "excluded": canonical.array([_excluded(c) for c in decision.candidates if not c.survives]),
        "explanation": canonical.text(paragraph(decision, currency)),
        "runners_up": canonical.array([_ranked(candidate) for candidate in _runners_up(decision)]),
        "scores": canonical.of(decision.known_scores),
        "silence": canonical.of(why_silence(decision) or None),
    }


def _rewards(decision: Decision) -> dict[str, str]:
    """Leaves out members that a record of an earlier kernel lacks."""
    written = [component.as_json() for component in decision.rewards]
    return {"rewards": canonical.array(written)} if written else {}


def _closed(decision: Decision) -> str:
    return canonical.array(
        [
            _CLOSED % (canonical.text(e.limit), canonical.text(e.observed), canonical.text(e.rule))
            for e in decision.closed
        ]
    )


def _excluded(candidate: Candidate) -> str:
    action = candidate.action
    return _EXCLUDED % (
        canonical.text(action.id),
        canonical.text(action.channel),
        canonical.text(action.message),
        canonical.text(action.programme),
        canonical.array([exclusion.as_json() for exclusion in candidate.exclusions]),
    )


def _choice(choice: Candidate | None, text: RenderedText | None) -> str:
    if choice is None:
        return "null"
    action = choice.action
    return canonical.of(
        {
            "action": action.id,
            "body": text.body if text else None,
            "channel": action.channel,
            "message": action.message,
            "opening": choice.opening,
            "priority": choice.priority,
            "probability": choice.probability,
            "programme": action.programme,
            "response": choice.factors.response if choice.factors else None,
            "subject": text.subject if text else None,
        }
    )


def _runners_up(decision: Decision) -> Sequence[Candidate]:
    others = [candidate for candidate in decision.survivors if candidate is not decision.choice]
    return sorted(others, key=lambda candidate: -(candidate.priority or 0.0))


def _ranked(candidate: Candidate) -> str:
    action = candidate.action
    return _RANKED % (
        canonical.text(action.id),
        canonical.text(action.channel),
        canonical.text(action.message),
        canonical.number(candidate.priority),
        canonical.number(candidate.probability),
        canonical.text(action.programme),
    )
