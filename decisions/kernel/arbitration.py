"""Arbitration: what a surviving action is worth, in currency, over silence, which is 0.

    V(a) = lever · context · effect · (value + lapse · clv)
           − discount · response − cost
           − risk_aversion · unsubscribe · reach_value − contact_price − shadow_price

`effect` is the difference a contact makes to the probability of a response and `baseline` that probability without it;
`response` is their sum, held in [0, 1]: they are learnt apart, and what a discount costs is never a gain.
A catalogue with `objective: propensity` takes the response for the effect and 0 for the baseline; with nothing but a
lever and a margin the formula is then P · C · V · L, as in Pega's arbitration.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from tactful.decisions.catalogue.objective import Fatigue


@dataclass(frozen=True)
class Factors:
    """The factors of a priority; amounts are in the catalogue's currency.

    Args:
        effect: Difference in response against not contacting; the response itself for propensity.
        value: Margin of one response.
        baseline: Probability of a response without the contact.
        caution: The amount taken off a learnt effect for its uncertainty, before it counts.
        lapse: Probability that the customer lapses.
        clv: The customer's value from now on, if they stay.
        lever: The marketer's multiplier.
        context: Multiplier of the moment.
        discount: Cost of a response in discount, also of a response that would have come anyway.
        cost: Of the contact.
        risk_aversion: Multiplier of the risk of losing the customer's reach.
        unsubscribe: Probability that this contact makes the customer unsubscribe.
        reach_value: Worth of being able to reach the customer.
        contact_price: The marketer's price of every contact, which keeps contacts within a budget.
        shadow_price: Of the capacity it uses.

    Example:
        >>> Factors(effect=0.1, value=20.0, baseline=0.3, discount=1.0, cost=0.5).priority
        1.1
    """

    effect: float
    value: float
    baseline: float = 0.0
    caution: float = 0.0
    lapse: float = 0.0
    clv: float = 0.0
    lever: float = 1.0
    context: float = 1.0
    discount: float = 0.0
    cost: float = 0.0
    risk_aversion: float = 1.0
    unsubscribe: float = 0.0
    reach_value: float = 0.0
    contact_price: float = 0.0
    shadow_price: float = 0.0

    @property
    def response(self) -> float:
        """Probability of a response if contacted, in [0, 1] whatever effect and baseline add up to."""
        return min(max(self.baseline + self.effect, 0.0), 1.0)

    @cached_property
    def priority(self) -> float:
        """Worth over silence, in currency."""
        return sum(self.terms.values())

    @property
    def terms(self) -> dict[str, float]:
        """The amount that each part of the formula adds to the priority, in currency.

        Example:
            >>> Factors(effect=0.1, value=20.0, lapse=0.5, clv=40.0, cost=0.5).terms["retention"]
            2.0
        """
        moved = self.lever * self.context * (self.effect - self.caution)
        return {
            "margin": moved * self.value,
            "retention": moved * self.lapse * self.clv,
            "discount": -self.discount * self.response,
            "cost": -self.cost,
            "unsubscribing": -self.risk_aversion * self.unsubscribe * self.reach_value,
            "contact_price": -self.contact_price,
            "shadow_price": -self.shadow_price,
        }

    @property
    def unknown(self) -> list[str]:
        """The factors that are no finite number, or the priority where only that is none."""
        if math.isfinite(self.priority):
            return []
        return [name for name in NAMES if not math.isfinite(getattr(self, name))] or ["priority"]

    def without(self, dropped: Collection[str]) -> "Factors":
        """The factors with some switched off: multipliers become 1, all others 0; responses stay what they are.

        Example:
            >>> Factors(effect=0.1, value=20.0, cost=0.5).without({"cost"}).priority
            2.0
        """
        if not dropped:
            return self
        kept = {name: _NEUTRAL.get(name, 0.0) if name in dropped else v for name, v in self.as_dict().items()}
        if "effect" in dropped and "baseline" not in dropped:
            kept["baseline"] = self.response - kept["effect"]
        return Factors(**kept)

    def as_dict(self) -> dict[str, Any]:
        """The factors by name."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(field.name for field in fields(Factors))
"""The factors, in the order of the formula."""

_LARGEST_EXPONENT = 700.0
"""The exponential function of more overflows; of this much it is above 1e304."""

_NEUTRAL = {"effect": 1.0, "value": 1.0, "lever": 1.0, "context": 1.0, "risk_aversion": 1.0}


def unsubscribe_risk(fatigue: Fatigue, recent_contacts: int) -> float:
    """The probability that one more contact makes a customer unsubscribe, after some in the catalogue's window.

    Example:
        >>> round(unsubscribe_risk(Fatigue(risk=0.001, growth=0.5), recent_contacts=2), 5)
        0.00272
    """
    return min(1.0, fatigue.risk * math.exp(min(fatigue.growth * recent_contacts, _LARGEST_EXPONENT)))
