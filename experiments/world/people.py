"""The customers of the simulated world: latent traits, drawn once from the seed and changed by no contact."""

from dataclasses import dataclass

import numpy as np

from tactful.experiments.world.parameters import CATEGORIES, DESIGN, Parameters
from tactful.features.array_types import Bools, Floats, Ints

HORIZON = DESIGN.horizon
"""Days after the simulated weeks whose margin, without any contact, counts as what is left."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The truth about customers, arrays of shape (n,); only the oracle sees it.

    Attributes:
        rate: Purchases a day without contact.
        basket: Median price of a basket.
        taste: Probability of each category, shape (n, 4).
        sensitivity: To prices, between 0 and 1.
        irritability: Multiplier of both risks of a contact.
        sleeping: Whether any contact works against itself.
        attrition: Hazard of leaving a day.
        birthday: Day of the year, 0 to 364.
        contract_end: Day of the year on which a contract ends, or -1.
        gold: Whether in the gold tier.
    """

    rate: Floats
    basket: Floats
    taste: Floats
    sensitivity: Floats
    irritability: Floats
    sleeping: Bools
    attrition: Floats
    birthday: Ints
    contract_end: Ints
    gold: Bools

    def __len__(self) -> int:
        return len(self.rate)

    def margin(self, p: Parameters) -> Floats:
        """Expected margin of a purchase before discounts."""
        return self.mean_basket(p) * p.margin_share

    def mean_basket(self, p: Parameters) -> Floats:
        """Expected price of a basket."""
        return np.asarray(self.basket * np.exp(p.basket_noise**2 / 2))

    def remaining(self, p: Parameters, days: int) -> Floats:
        """Expected margin of so many days without contact, of who is there: waves and contracts left out."""
        return np.asarray(self.rate * self.margin(p) * -np.expm1(-self.attrition * days) / self.attrition)


def draw_people(p: Parameters, n: int, seed: int) -> People:
    """Customers of a world, the same for the same seed whatever is done to them."""
    rng = np.random.default_rng([seed, 1])
    basket = p.basket * np.exp(p.basket_spread * rng.standard_normal(n))
    gold = basket > np.quantile(basket, 1 - p.gold_share)
    sensitive = p.price_concentration * p.price_sensitivity
    rate = rng.gamma(p.rate_shape, p.rate / p.rate_shape, n) + p.rate_floor
    return People(
        rate=rate * np.where(gold, p.gold_rate, 1.0),
        basket=basket,
        taste=rng.dirichlet(np.full(len(CATEGORIES), p.taste), n),
        sensitivity=rng.beta(sensitive, p.price_concentration - sensitive, n),
        irritability=np.exp(p.irritability * rng.standard_normal(n) - p.irritability**2 / 2),
        sleeping=rng.random(n) < p.sleeping,
        attrition=p.attrition * np.exp(p.attrition_spread * rng.standard_normal(n) - p.attrition_spread**2 / 2),
        birthday=rng.integers(0, 365, n),
        contract_end=np.where(rng.random(n) < p.contract_share, rng.integers(0, 365, n), -1),
        gold=gold,
    )
