"""Sensitivity: how many winners change when a factor is switched off."""

from collections.abc import Iterable, Sequence

from tactful.decisions.kernel.arbitration import Factors
from tactful.decisions.kernel.decision import SILENCE, Decision

FACTORS = (
    "effect",
    "caution",
    "value",
    "clv",
    "lever",
    "context",
    "baseline",
    "discount",
    "cost",
    "unsubscribe",
    "contact_price",
    "shadow_price",
)


def sensitivity(decisions: Iterable[Decision], factors: Sequence[str] = FACTORS) -> dict[str, float]:
    """The share of decisions whose best action would be another one without a factor.

    Args:
        decisions: Decisions with survivors; those without any count for nothing.
        factors: The factors to switch off, one at a time.

    Returns:
        A share between 0 and 1 by factor; 0 for every factor where no decision has a survivor.
    """
    contested = [decision for decision in decisions if any(decision.survivors)]
    if not contested:
        return dict.fromkeys(factors, 0.0)
    winners = [_winner(decision, set()) for decision in contested]
    return {
        factor: sum(_winner(d, {factor}) != w for d, w in zip(contested, winners, strict=True)) / len(contested)
        for factor in factors
    }


def _winner(decision: Decision, dropped: set[str]) -> str:
    worth = {c.action.id: _priority(c.factors, dropped) for c in decision.survivors if c.factors is not None}
    best = max(worth, key=worth.__getitem__)
    return best if worth[best] > 0 else SILENCE


def _priority(factors: Factors, dropped: set[str]) -> float:
    return factors.without(dropped).priority
