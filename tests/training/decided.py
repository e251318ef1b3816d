"""A log of decisions among a retailer's messages, drawn alike, whose outcomes depend on what was sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.selection import RandomEligible
from tactful.decisions.kernel.decide import Request, decide
from tactful.decisions.kernel.decision import Decision
from tactful.features.definitions.definitions import Aggregation, Feature, FeatureSet
from tactful.training.data.attribution import Delivery, LoggedDecision, Outcome
from tests.decisions.retailer import NOON, RETAILER, KnownScorer, having

FEATURES = ("days_since_purchase", "spend")
LATER = NOON + timedelta(days=60)
WORTH = {"silence": 0.1, "miss_you": 0.1, "come_back_coupon": 0.35}


def made(count: int, seed: int = 0, catalogue: CompiledCatalogue = RETAILER) -> list[Decision]:
    """Decisions about customers who may be rich, each asked about twice."""
    rng = np.random.default_rng(seed)
    asked = [
        Request(
            f"d{i:05}",
            having(customer=f"c{i // 2}", features=(30.0, float(rng.choice([50.0, 200.0]))), attributes={}),
        )
        for i in range(count)
    ]
    return decide(asked, catalogue, RandomEligible(kind="random"), KnownScorer())


def after(days: float, kind: str = "purchase", value: float = 10.0, decision: str = "") -> Outcome:
    """An outcome some days after the moment of decision."""
    return Outcome(kind, NOON + timedelta(days=days), value, decision)


def logged(decision: Decision, outcomes: Sequence[Outcome] = (), delivery: Delivery = Delivery.SENT) -> LoggedDecision:
    """A decision that was carried out."""
    return LoggedDecision(decision, _features(decision), outcomes, delivery)


def log(count: int, seed: int = 0) -> list[LoggedDecision]:
    """Decisions with outcomes of known probability by message."""
    rng = np.random.default_rng(seed + 1)
    return [
        logged(decision, (after(rng.uniform(0.1, 6.9)),) if rng.random() < _worth(decision) else ())
        for decision in made(count, seed)
    ]


def chosen(decisions: Sequence[Decision], message: str | None) -> Decision:
    """The first decision for a message, or for silence."""
    return next(d for d in decisions if (d.choice.action.message if d.choice else None) == message)


def moved(decision: Decision, days: float) -> datetime:
    """The moment some days after a decision's."""
    return decision.moment + timedelta(days=days)


def dated(decision: Decision, moment: datetime) -> Decision:
    """The same decision, made at another moment."""
    later = moment - decision.moment
    rewards = tuple(replace(part, matures=part.matures and part.matures + later) for part in decision.rewards)
    return replace(decision, moment=moment, rewards=rewards)


def _worth(decision: Decision) -> float:
    return WORTH["silence" if decision.choice is None else decision.choice.action.message]


def _features(decision: Decision) -> tuple[float, float]:
    rich = any(candidate.action.message == "come_back_coupon" for candidate in decision.survivors)
    return 30.0, 200.0 if rich else 50.0


def windowed(*names: str) -> FeatureSet:
    """Features of these names; what they count does not matter."""
    return FeatureSet(
        tuple(
            Feature(name=name, family="any", description="any", aggregation=Aggregation.COUNT, window_days=28)
            for name in names
        )
    )
