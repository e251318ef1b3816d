"""Shops in which few decisions are rewarded: three segments, four options, and policies of known value.

Customers come back and buy at their own pace, amounts are lognormal, and a contact costs something in some shops.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tactful.experiments.offpolicy.log import Log
from tactful.features.array_types import Floats
from tests.experiments.gated import among

MEAN = 30.0
"""Mean amount of a purchase, in currency."""
_drawn = np.random.default_rng(123).normal(0.0, 1.0, (3, 3, 4))
USUAL, OTHER, PULL = _drawn[0], _drawn[1], 0.7 * _drawn[2]
"""Scores of the logged policy and of another one, and how much each option moves the purchases, shape (3, 4)."""
EVERYTHING = np.ones((3, 4), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop.

    Args:
        rewarded: Purchases that are expected in a log.
        sharp: Sharpness of both policies.
        floor: Floor of the logged policy: the lower, the larger the weights.
        shift: How far the judged policy is from the logged one, between 0 and 1.
        spread: Standard deviation of the logarithm of an amount.
        cost: Of a contact, in currency.
        customers: Customers of a log; each has two and a half decisions on average.
    """

    rewarded: int
    sharp: float
    floor: float
    shift: float
    spread: float
    cost: float
    customers: int = 1000

    @property
    def logged(self) -> Floats:
        """Probabilities of the logged policy by segment, shape (3, 4)."""
        return among(EVERYTHING, USUAL, self.floor, self.sharp)

    @property
    def judged(self) -> Floats:
        """Probabilities of the judged policy by segment, shape (3, 4)."""
        return among(EVERYTHING, (1 - self.shift) * USUAL + self.shift * OTHER, 0.02, self.sharp)

    @property
    def rates(self) -> Floats:
        """Probability of a purchase by segment and option, shape (3, 4)."""
        pull = np.exp(PULL)
        return np.asarray(pull * self.rewarded / (2.5 * self.customers) / (self.logged * pull).sum(axis=1).mean())

    def worth(self, policy: Floats) -> float:
        """The true mean reward of a decision."""
        rewards = MEAN * self.rates - self.cost * (np.arange(4) > 0)
        return float((policy * rewards).sum(axis=1).mean())


def logs(shop: Shop, seed: int, count: int, least: int = 10) -> Iterator[tuple[Log, Log, Floats]]:
    """Logs with at least some rewarded decisions: with the policy to judge, with their own, and predicted rewards.

    The predictions are those of a model that knows the mean of each segment's options, but for a fifth.
    """
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        visits = rng.integers(1, 5, shop.customers)
        customers = np.repeat(np.arange(shop.customers), visits)
        segment = rng.integers(0, 3, shop.customers)[customers]
        logged, n = shop.logged[segment], len(customers)
        choices = (logged.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=3)
        pace = rng.gamma(2.0, 0.5, shop.customers)[customers]
        bought = rng.random(n) < shop.rates[segment, choices] * pace
        amounts = MEAN * rng.lognormal(-(shop.spread**2) / 2, shop.spread, n)
        rewards = bought * amounts - shop.cost * (choices > 0)
        if bought.sum() >= least:
            predicted = 0.8 * MEAN * shop.rates - shop.cost * (np.arange(4) > 0)
            own = Log(choices, logged, logged, rewards, customers)
            yield Log(choices, logged, shop.judged[segment], rewards, customers), own, predicted[segment]


SHOPS = {
    f"{rewarded} rewarded, {policy}, {amount}": Shop(rewarded, *chance, *money)
    for rewarded in (10, 20, 40)
    for policy, chance in {
        "a near policy": (0.5, 0.3, 0.5),
        "another policy": (1.0, 0.2, 1.0),
        "a far policy": (1.5, 0.1, 1.0),
    }.items()
    for amount, money in {"like amounts": (0.5, 0.0), "unlike amounts, a cost": (1.0, 0.15)}.items()
}
"""By what is rare in them."""
