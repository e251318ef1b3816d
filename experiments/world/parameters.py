"""The numbers of the simulated world and of the policies compared in it: each once, with its meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tactful.experiments.base.errors import ExperimentError

ARMS = ("silence", "newsletter", "promo_garden", "promo_kitchen", "sale", "cart", "replenishment", "win_back")
"""What can be done to a customer on a day; the position is the arm's number."""
CATEGORIES = ("garden", "kitchen", "linen", "light")
"""What is bought; the two promotions are of the first two."""


def _stands_for(value: float, meaning: str) -> Any:
    return field(default=value, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A world's numbers: rates are a day unless said otherwise, amounts in one currency.

    The metadata of each field gives its meaning; the table in `docs/explanation/world.md` is made of them.
    """

    rate: float = _stands_for(0.045, "mean purchases a day of a customer who is not contacted")
    rate_floor: float = _stands_for(0.0001, "added to everybody's rate, so that nobody has none")
    rate_shape: float = _stands_for(1.5, "shape of the gamma distribution of that rate over customers")
    basket: float = _stands_for(40.0, "median price of a basket")
    basket_spread: float = _stands_for(0.5, "standard deviation of the log of a customer's usual basket")
    basket_noise: float = _stands_for(0.3, "standard deviation of the log of one basket about the usual one")
    margin_share: float = _stands_for(0.35, "margin of a basket before discounts")
    taste: float = _stands_for(0.6, "concentration of the Dirichlet distribution of tastes: the lower, the narrower")
    season: float = _stands_for(0.2, "amplitude of the yearly wave of purchases, highest in December")
    season_peak: int = _stands_for(349, "day of its top, the first of January being 0")
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
    promotion: float = _stands_for(
        0.22, "the same of a promotion to who buys only its category, at mean price sensitivity"
    )
    sale: float = _stands_for(0.08, "the same of the seasonal sale at mean price sensitivity, within its days")
    cart: float = _stands_for(
        0.10, "the same of a reminder of a cart that was left a few days ago, `cart_days` at most"
    )
    replenishment: float = _stands_for(0.06, "the same of a reminder when the next purchase is about due")
    win_back: float = _stands_for(0.03, "the same of a win-back after `away` days without a purchase")
    first_day: float = _stands_for(0.5, "share of an effect on the day of the contact")
    second_day: float = _stands_for(0.3, "share of an effect on the day after")
    third_day: float = _stands_for(0.2, "share of an effect on the day after that, the last")
    sale_every: int = _stands_for(3, "months from one sale to the next, from the first of January on")
    sale_days: int = _stands_for(14, "days that a sale lasts")
    cart_days: int = _stands_for(3, "days for which a cart that was left can be reminded of")
    due_from: float = _stands_for(0.8, "days since the last purchase, times the rate, from which the next is due")
    due_until: float = _stands_for(1.5, "the same, until which it is due")
    away: int = _stands_for(60, "days without a purchase after which the moment of a win-back has come")
    untimely: float = _stands_for(0.1, "share of an effect that is left where its moment has not come")
    birthday: float = _stands_for(1.5, "multiplier of every effect around a birthday")
    birthday_days: int = _stands_for(3, "days before and after a birthday for which that holds")
    revival: float = _stands_for(0.03, "chance that a win-back brings back who leaves today")
    revival_halving: float = _stands_for(60.0, "days since leaving in which that chance halves")
    responsiveness: float = _stands_for(0.5, "power of a customer's rate over the mean rate in every effect")
    price_sensitivity: float = _stands_for(0.5, "mean price sensitivity, between 0 and 1, from a beta distribution")
    price_concentration: float = _stands_for(4.0, "sum of the shapes of that distribution: the larger, the more alike")
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

    @property
    def spread(self) -> tuple[float, ...]:
        """Shares of an effect on the day of the contact and those after it."""
        return self.first_day, self.second_day, self.third_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What is the same in every world and for every policy: the clock, the shop's rules and the oracle's guesses.

    Its metadata is as that of `Parameters`, and so is its table in the guide.
    """

    past: int = _stands_for(182, "days before day 0 that everybody lives through")
    longest: int = _stands_for(182, "days of the longest comparison, to whose end and horizon luck is priced")
    horizon: int = _stands_for(182, "days after the weeks whose expected margin, without contact, counts as well")
    contact_hour: int = _stands_for(8, "hour of the day of a contact")
    opened_hour: float = _stands_for(9.0, "hour at which it is opened")
    clicked_hour: float = _stands_for(9.5, "hour at which it is clicked")
    unsubscribed_hour: float = _stands_for(10.0, "hour at which it makes somebody unsubscribe")
    purchase_hour: float = _stands_for(12.0, "hour of a purchase")
    cart_hour: float = _stands_for(18.0, "hour at which a cart is left")
    cap: int = _stands_for(2, "contacts in seven days that every rule keeps to but the strictest list")
    newsletter_wait: int = _stands_for(7, "days from one newsletter to the next")
    promotion_wait: int = _stands_for(14, "days from one promotion of a category to its next")
    sale_wait: int = _stands_for(7, "days from one word of the sale to the next")
    replenishment_wait: int = _stands_for(14, "days from one reminder of a purchase that is due to the next")
    win_back_wait: int = _stands_for(60, "days from one win-back to the next")
    known_from: int = _stands_for(3, "purchases from which on a shop reminds of the next one")
    due_from: float = _stands_for(0.9, "days since the last purchase, in mean gaps, from which it reminds")
    due_until: float = _stands_for(1.4, "the same, until which it reminds")
    away_from: int = _stands_for(60, "days without a purchase after which it wins back")
    away_until: int = _stands_for(180, "days without a purchase after which it does no more")
    oracle_answers: float = _stands_for(0.35, "contacts a week, as the oracle guesses, whose risks a contact raises")
    oracle_due: float = _stands_for(0.5, "reminders in time, a purchase, that it counts on")


DESIGN = Design()
"""The comparison that the guide reports."""
PRESETS: Mapping[str, Parameters] = {
    "easy": Parameters(
        sleeping=0.1,
        newsletter=0.02,
        promotion=0.3,
        cart=0.2,
        replenishment=0.12,
        win_back=0.06,
        unsubscribe=0.0006,
        contact_attrition=0.0002,
    ),
    "realistic": Parameters(),
    "hostile": Parameters(
        sleeping=0.4,
        backlash=0.8,
        newsletter=0.005,
        promotion=0.08,
        sale=0.03,
        cart=0.06,
        replenishment=0.03,
        win_back=0.015,
        unsubscribe=0.0025,
        contact_attrition=0.0012,
    ),
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


def meanings(*values: Parameters | Design) -> list[tuple[str, tuple[float, ...], str]]:
    """Each number's name, its value in some worlds or policies, and its meaning.

    Example:
        >>> meanings(DESIGN)[0]
        ('past', (182,), 'days before day 0 that everybody lives through')
    """
    return [
        (f.name, tuple(getattr(value, f.name) for value in values), str(f.metadata["meaning"]))
        for f in fields(values[0])
    ]
