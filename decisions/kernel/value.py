"""From what is believed and learnt of an action to the factors of its priority."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tactful.decisions.base.conditions import Failure
from tactful.decisions.catalogue.compiled import Rule
from tactful.decisions.catalogue.model import Message
from tactful.decisions.catalogue.triggers import Opening
from tactful.decisions.kernel.arbitration import Factors
from tactful.decisions.kernel.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class ModelOutputs:
    """The model outputs for one action and one customer.

    Args:
        response: Probability of a response to its offer, NaN where it cannot be known; None where there is no offer.
        effect: Difference a contact makes, NaN where the prior counts.
        baseline: Probability of a response without the contact, NaN where the prior counts.
        deviation: Standard error of the effect, NaN where the prior counts.
    """

    response: float | None = None
    effect: float = math.nan
    baseline: float = math.nan
    deviation: float = math.nan


NOTHING_LEARNT = ModelOutputs()


def factors(
    rule: Rule, opening: Opening, case: Evaluation, learnt: ModelOutputs, prices: Mapping[str, float]
) -> Factors | Failure:
    """The factors of an action that passed every gate, or what keeps its worth from being known.

    Args:
        rule: The action.
        opening: The opening that it answers.
        case: The customer.
        learnt: The model outputs.
        prices: Shadow price of a contact by channel.
    """
    catalogue, message, channel = case.compiled.catalogue, rule.message, rule.action.channel
    amounts = _amounts(message, opening, case)
    if isinstance(amounts, Failure):
        return amounts
    effect, baseline, deviation = believed_effect(message, catalogue.objective, learnt)
    if math.isnan(baseline):
        return Failure("response unknown")
    lapse, clv = case.retention
    found = Factors(
        effect=effect,
        baseline=baseline,
        caution=catalogue.arbitration.caution * deviation,
        lapse=lapse,
        clv=clv,
        lever=rule.programme.lever * message.lever,
        cost=catalogue.channels[channel].cost,
        risk_aversion=catalogue.arbitration.risk_aversion,
        unsubscribe=case.unsubscribe,
        reach_value=catalogue.fatigue.reach_value,
        contact_price=catalogue.arbitration.price_of(channel),
        shadow_price=prices.get(channel, 0.0),
        **amounts,
    ).without(catalogue.arbitration.without)
    unknown = found.unknown
    return Failure(f"{', '.join(unknown)} unknown") if unknown else found


def believed_effect(
    message: Message, objective: str, learnt: ModelOutputs = NOTHING_LEARNT
) -> tuple[float, float, float]:
    """Effect, baseline and the effect's standard error: as learnt, else as the catalogue states them.

    Without an effect of its own, or where the objective is propensity, a message's response counts as its effect.

    Args:
        message: The message.
        objective: The catalogue's.
        learnt: The model outputs.
    """
    prior = message.response or message.effect
    response = learnt.response if learnt.response is not None else prior.mean if prior else 0.0
    known = math.isfinite(learnt.effect)
    if objective == "propensity" or (message.effect is None and not known):
        return response, 0.0 if math.isfinite(response) else math.nan, 0.0
    stated = message.effect.mean if message.effect else 0.0
    effect = learnt.effect if known else stated
    deviation = learnt.deviation if known and math.isfinite(learnt.deviation) else 0.0
    if math.isfinite(learnt.baseline):
        return effect, learnt.baseline, deviation
    unscored = response - (stated if learnt.response is None else effect)
    return effect, max(0.0, unscored) if math.isfinite(unscored) else math.nan, deviation


def _amounts(message: Message, opening: Opening, case: Evaluation) -> dict[str, float] | Failure:
    amounts: dict[str, float] = {}
    event = opening.event
    event = event if event is None or event.verified else replace(event, amount=0.0)
    for name in ("value", "discount", "context"):
        amount = getattr(message, name)
        found: Any = case.value(amount, "number", event) if isinstance(amount, str) else amount
        if isinstance(found, Failure):
            return Failure(f"{name}: {found.reason}")
        if found < 0 and name != "value":
            return Failure(f"{name}: {found:g}, below 0")
        amounts[name] = float(found)
    return amounts
