"""The marketer's settings of the objective: the formula of a priority, its risk, and the strata to learn from."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tactful.decisions.base.durations import Duration, format_duration
from tactful.decisions.base.values import Value

Price = Annotated[float, Field(ge=0)]
"""In the catalogue's currency."""
Factor = Literal[
    "effect", "caution", "value", "clv", "lever", "context", "baseline", "discount", "cost", "unsubscribe",
    "contact_price", "shadow_price",
]  # fmt: skip
"""A factor of the priority that can be switched off."""


def _attributable(window: timedelta) -> timedelta:
    if not timedelta() < window <= timedelta(days=365):
        got = format_duration(window)
        raise ValueError(f"unfit attribution window: got {got!r}; wanted above 0 and at most 365d")
    return window


AttributionWindow = Annotated[Duration, AfterValidator(_attributable)]
"""How long after a contact an outcome counts for it."""


class Fatigue(Value):
    """The risk that one more contact costs us the customer's reach, and what that reach is worth.

    `unsubscribe = risk · e^(growth · contacts in the window)`, where no model gives it

    Args:
        risk: Probability that a contact makes a rested customer unsubscribe.
        growth: Growth of the log of that risk by one more contact in the window.
        window: The window.
        reach_value: Worth of being able to reach the customer, in the catalogue's currency.
    """

    risk: float = Field(default=0.0, ge=0, le=1)
    growth: float = Field(default=0.5, ge=0)
    window: Duration = timedelta(days=7)
    reach_value: float = Field(default=0.0, ge=0)


class Retention(Value):
    """The scores behind what a response is worth beyond its margin: probability of lapse times customer lifetime value.

    Args:
        lapse: Score that is the probability of lapse.
        clv: Score that is the customer's lifetime value, in the catalogue's currency.
    """

    lapse: str = "lapse"
    clv: str = "clv"


class Arbitration(Value):
    """The marketer's settings of the formula of a priority that hold for every message.

    Args:
        retention: Scores of the value of keeping a customer; null leaves it out. Unknown scores count as 0.
        caution: Standard errors taken off a learnt effect before it counts.
        risk_aversion: Multiplier of the risk that a contact loses the customer's reach.
        unsubscribe: Score that is the probability to unsubscribe; where models do not give it, `fatigue` says.
        contact_price: Asked of every contact, or by channel, in the catalogue's currency: the higher, the fewer.
        weekly_contacts: The budget of contacts a week, over all customers and channels, that `tactful catalogue price`
            finds `contact_price` for; none where None.
        without: Factors switched off, to learn by experiment what each is worth.
    """

    retention: Retention | None = Retention()
    caution: float = Field(default=0.0, ge=0)
    risk_aversion: float = Field(default=1.0, ge=0)
    unsubscribe: str = "unsubscribe"
    contact_price: Price | Mapping[str, Price] = 0.0
    weekly_contacts: int | None = Field(default=None, gt=0, exclude_if=lambda budget: budget is None)
    without: tuple[Factor, ...] = Field(default=(), exclude_if=lambda dropped: not dropped)

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if self.weekly_contacts is not None and isinstance(self.contact_price, Mapping):
            raise ValueError("a budget of contacts has one price for all channels: wanted contact_price to be a number")
        return self

    def price_of(self, channel: str) -> float:
        """The price of a contact on a channel."""
        price = self.contact_price
        return price.get(channel, 0.0) if isinstance(price, Mapping) else price


class Exploration(Value):
    """Customers who are set apart to learn from, by a salted hash of their id.

    Args:
        holdout: Share that is never contacted, but for mandatory messages.
        uniform: Share for whom every survivor and silence are equally likely.
        salt: Another salt draws other customers; the catalogue's name where empty.
    """

    holdout: float = Field(default=0.05, ge=0, le=1)
    uniform: float = Field(default=0.05, ge=0, le=1)
    salt: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.holdout + self.uniform > 1:
            raise ValueError(f"shares of exploration add up to {self.holdout + self.uniform:g}: wanted at most 1")
        return self


class Holdout(Value):
    """Customers left alone on purpose, drawn by a salted hash of their id.

    Args:
        share: Share of customers, between 0 and 1.
        salt: Another salt draws other customers.
    """

    share: float = Field(ge=0, le=1)
    salt: str
