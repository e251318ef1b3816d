"""Arbitration: what a surviving action is worth, in currency, over silence.

`priority = lever · context · effect · value − discount · response − cost − fatigue_price − shadow_price`; silence is 0.

`effect` is the difference a contact makes to the probability of a response. A catalogue with `objective: propensity`
uses the response itself, and with no costs the formula is P · C · V · L, as in Pega's arbitration.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from decisions.catalogue import Fatigue


@dataclass(frozen=True, slots=True)
class Factors:
    """What a priority is made of.

    Args:
        lever: The marketer's multiplier.
        context: Multiplier of the moment.
        effect: Difference in response against not contacting; the response itself for propensity.
        value: Margin of one response, in currency.
        response: Probability of a response if contacted.
        discount: What a response costs in discount, in currency.
        cost: Of the contact, in currency.
        fatigue_price: Of one more contact to this customer, in currency.
        shadow_price: Of the capacity it uses, in currency.

    Example:
        >>> Factors(effect=0.1, value=20.0, response=0.1, cost=0.5).priority
        1.5
    """

    effect: float
    value: float
    response: float
    lever: float = 1.0
    context: float = 1.0
    discount: float = 0.0
    cost: float = 0.0
    fatigue_price: float = 0.0
    shadow_price: float = 0.0

    @property
    def priority(self) -> float:
        """Worth over silence, in currency."""
        return (
            self.lever * self.context * self.effect * self.value
            - self.discount * self.response
            - self.cost
            - self.fatigue_price
            - self.shadow_price
        )

    @property
    def unknown(self) -> list[str]:
        """The factors that are no finite number, or the priority where only that is none."""
        names = [name for name in _NAMES if not math.isfinite(getattr(self, name))]
        return names or ([] if math.isfinite(self.priority) else ["priority"])

    def without(self, dropped: Collection[str]) -> "Factors":
        """The factors with some switched off: multipliers become 1, prices 0.

        Example:
            >>> Factors(effect=0.1, value=20.0, response=0.1, cost=0.5).without({"cost"}).priority
            2.0
        """
        neutral = {"lever": 1.0, "context": 1.0, "effect": 1.0, "value": 1.0}
        return Factors(**{name: neutral.get(name, 0.0) if name in dropped else v for name, v in self.as_dict().items()})

    def as_dict(self) -> dict[str, Any]:
        """The factors by name."""
        return {name: getattr(self, name) for name in _NAMES}


_NAMES = tuple(field.name for field in fields(Factors))


def fatigue_price(fatigue: Fatigue, recent_contacts: int) -> float:
    """The price of one more contact after some in the catalogue's window, in currency.

    Example:
        >>> round(fatigue_price(Fatigue(risk=0.001, growth=0.5, reach_value=100.0), recent_contacts=2), 4)
        0.2718
    """
    risk = min(1.0, fatigue.risk * math.exp(fatigue.growth * recent_contacts))
    return risk * fatigue.reach_value
