"""The numbers of the simulated world: each once, with what it stands for, and three presets."""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from experiments.errors import ExperimentError

ARMS = ("silence", "newsletter", "promo_garden", "promo_kitchen", "sale", "cart", "replenishment", "win_back")
"""What can be done to a customer on a day; the position is the arm's number."""
CATEGORIES = ("garden", "kitchen", "linen", "light")
"""What is bought; the two promotions are of the first two."""


def _stands_for(value: float, meaning: str) -> Any:
    return field(default=value, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A world's numbers: rates are a day unless said otherwise, amounts in one currency.

    The metadata of each field says what it stands for; the table in `docs/guides/world.md` is made of them.
    """

    rate: float = _stands_for(0.045, "mean purchases a day of a customer who is not contacted")
    rate_shape: float = _stands_for(1.5, "shape of the gamma distribution of that rate over customers")
    basket: float = _stands_for(40.0, "median price of a basket")
    basket_spread: float = _stands_for(0.5, "standard deviation of the log of a customer's usual basket")
    basket_noise: float = _stands_for(0.3, "standard deviation of the log of one basket about the usual one")
    margin_share: float = _stands_for(0.35, "margin of a basket before discounts")
    taste: float = _stands_for(0.6, "concentration of the Dirichlet distribution of tastes: the lower, the narrower")
    season: float = _stands_for(0.2, "amplitude of the yearly wave of purchases, highest in December")
    attrition: float = _stands_for(0.0008, "hazard of leaving for good without any contact")
    attrition_spread: float = _stands_for(0.6, "standard deviation of the log of that hazard over customers")
    contract_share: float = _stands_for(0.2, "share of customers with a contract of a year")
    contract_hazard: float = _stands_for(0.15, "chance of leaving on the day the contract ends")
    gold_share: float = _stands_for(0.15, "share of customers in the gold tier: those with the largest baskets")
    gold_rate: float = _stands_for(1.2, "multiplier of the rate in the gold tier")
    sleeping: float = _stands_for(0.25, "share of customers who react badly to any contact")
    backlash: float = _stands_for(0.5, "what a contact takes from them, as a share of what it gives to others")
    sleeping_attrition: float = _stands_for(3.0, "multiplier of the attrition that a contact brings to them")
    irritability: float = _stands_for(0.5, "standard deviation of the log of irritability, which multiplies both risks")
    newsletter: float = _stands_for(0.016, "purchases that a newsletter adds over three days, to a rested customer")
    promotion: float = _stands_for(0.22, "the same of a promotion to somebody who buys only its category")
    sale: float = _stands_for(0.08, "the same of the seasonal sale at price sensitivity 1, within its weeks")
    cart: float = _stands_for(0.10, "the same of a reminder of a cart that was left within three days")
    replenishment: float = _stands_for(0.06, "the same of a reminder when the next purchase is about due")
    win_back: float = _stands_for(0.03, "the same of a win-back after 60 days without a purchase")
    untimely: float = _stands_for(0.1, "share of an effect that is left where its moment has not come")
    birthday: float = _stands_for(1.5, "multiplier of every effect in the seven days around a birthday")
    revival: float = _stands_for(0.03, "chance that a win-back brings back who has left, halved every 60 days")
    responsiveness: float = _stands_for(0.5, "power of a customer's rate over the mean rate in every effect")
    price_sensitivity: float = _stands_for(0.5, "mean price sensitivity, between 0 and 1, from a beta distribution")
    promotion_discount: float = _stands_for(0.10, "share of the basket that a promotion gives away, in its category")
    sale_discount: float = _stands_for(0.15, "share of the basket that the sale gives away, in every category")
    win_back_discount: float = _stands_for(0.15, "share of the basket that a win-back gives away")
    contact_cost: float = _stands_for(0.01, "cost of a contact")
    fading: float = _stands_for(0.7, "multiplier of an effect for each contact in the seven days before")
    unsubscribe: float = _stands_for(0.001, "chance that a contact makes a rested customer unsubscribe")
    tiring: float = _stands_for(0.5, "growth of the log of both risks by each contact in the seven days before")
    contact_attrition: float = _stands_for(0.0004, "chance that a contact makes a rested customer leave for good")
    carts: float = _stands_for(0.6, "carts that are left, a purchase")
    opens: float = _stands_for(0.35, "chance that a contact is opened")
    sleeping_opens: float = _stands_for(0.08, "the same for those who react badly")
    clicks: float = _stands_for(0.2, "chance that what was opened is clicked")
    past_contacts: float = _stands_for(0.35, "chance of a contact drawn at random, each week of the past")


_EASY = {
    "sleeping": 0.1,
    "newsletter": 0.02,
    "promotion": 0.3,
    "cart": 0.2,
    "replenishment": 0.12,
    "win_back": 0.06,
    "unsubscribe": 0.0006,
    "contact_attrition": 0.0002,
}
_HOSTILE = {
    "sleeping": 0.4,
    "backlash": 0.8,
    "newsletter": 0.005,
    "promotion": 0.08,
    "sale": 0.03,
    "cart": 0.06,
    "replenishment": 0.03,
    "win_back": 0.015,
    "unsubscribe": 0.0025,
    "contact_attrition": 0.0012,
}
PRESETS: Mapping[str, Parameters] = {
    "easy": Parameters(**_EASY),
    "realistic": Parameters(),
    "hostile": Parameters(**_HOSTILE),
}
"""The worlds, by name."""


def preset(name: str) -> Parameters:
    """The numbers of a world.

    Raises:
        ExperimentError: There is none of this name.

    Example:
        >>> preset("realistic").fading
        0.7
    """
    if name not in PRESETS:
        raise ExperimentError("unknown world", got=name, wanted=", ".join(PRESETS))
    return PRESETS[name]


def meanings() -> list[tuple[str, dict[str, float], str]]:
    """Each number's name, its value by preset, and what it stands for."""
    return [
        (f.name, {name: getattr(p, f.name) for name, p in PRESETS.items()}, _meaning(f)) for f in fields(Parameters)
    ]


def _meaning(parameter: Field[Any]) -> str:
    return str(parameter.metadata["meaning"])
