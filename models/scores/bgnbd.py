"""When a customer buys again, by the BG/NBD model: what a churn model is compared with, and what it reads of it.

Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24. A customer buys at a
rate of their own, gamma distributed, and may leave after each purchase with a chance of their own, beta distributed.

The model's probability of being "alive" is 1 for a customer who bought once, however long ago: customers leave only
after a repeat purchase. Comparisons therefore use the probability of no purchase in a horizon.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln

from tactful.features.array_types import Floats
from tactful.models.base.errors import ModelError

HISTORY = ("days_since_purchase", "purchase_days_total", "days_since_first_purchase")
"""The features that say all the model knows of a customer."""

BGNBD_FEATURES: Mapping[str, str] = {
    "foretold_no_purchase": "chance of no purchase by the rhythm so far",
    "foretold_purchases": "purchases to be expected by the rhythm so far",
}
"""What an `Outlook` says, in words."""

_PENALTY = 1e-4
_STARTS = ((1.0, 1.0, 1.0, 1.0), (0.5, 2.0, 0.5, 5.0), (2.0, 0.5, 0.1, 2.0))


class Repeats(NamedTuple):
    """The model's inputs about customers, in days.

    Attributes:
        purchases: Distinct days with a purchase after the first such day, shape (n,).
        last: From the first purchase to the last, shape (n,); 0 without repeats.
        age: From the first purchase to the moment, shape (n,).
    """

    purchases: Floats
    last: Floats
    age: Floats

    @classmethod
    def of(cls, history: Floats) -> Self:
        """From the features named `HISTORY`, shape (n, 3); NaN in, NaN out."""
        since_last, days, since_first = history.T
        return cls(days - 1, since_first - since_last, since_first)


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The four parameters of a population.

    Attributes:
        r: Shape of the gamma distribution of purchase rates.
        alpha: Its rate, in days: the mean purchase rate is r / alpha a day.
        a: First parameter of the beta distribution of the chance to leave after a purchase.
        b: Its second.

    Example:
        >>> model = BgNbd(r=0.25, alpha=30.0, a=0.8, b=2.5)
        >>> once = Repeats(np.array([0.0]), np.array([0.0]), np.array([200.0]))
        >>> model.no_purchase(once, horizon=28.0).round(3).tolist()
        [0.972]
    """

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, repeats: Repeats) -> Self:
        """The parameters that make the histories most likely; a slight ridge on their logarithms keeps them finite.

        Raises:
            ModelError: A history is unknown, or no customer ever bought again.
        """
        if unknown := int((~np.isfinite(repeats)).any(axis=0).sum()):
            raise ModelError("unknown histories", got=f"{unknown} of {len(repeats.age)}", wanted="finite numbers")
        if not repeats.purchases.any():
            raise ModelError("customers without repeat purchases", got=len(repeats.age), wanted="some who bought again")
        unit = float(repeats.age.max())
        scaled = Repeats(repeats.purchases, repeats.last / unit, repeats.age / unit)

        def loss(logs: Floats) -> float:
            model = cls(*np.exp(logs).tolist())
            return -float(np.mean(model.log_likelihood(scaled))) + _PENALTY * float(logs @ logs)

        bounds = [(-10.0, 10.0)] * 4
        found = [minimize(loss, np.log(start), bounds=bounds, method="L-BFGS-B") for start in _STARTS]
        r, alpha, a, b = np.exp(min(found, key=lambda one: float(one.fun)).x).tolist()
        return cls(r, alpha * unit, a, b)

    def log_likelihood(self, repeats: Repeats) -> Floats:
        """Of each customer's history, shape (n,); equation 6 of the paper."""
        x, kinds = repeats.purchases, np.arange(repeats.purchases.max() + 1)
        of = x.astype(np.intp)
        rate = gammaln(self.r + kinds)[of] - gammaln(self.r) + self.r * np.log(self.alpha)
        stayed = betaln(self.a, self.b + kinds)[of] - (self.r + x) * np.log(self.alpha + repeats.age)
        leaving = betaln(self.a + 1, self.b + np.maximum(kinds, 1) - 1)[of]
        left = leaving - (self.r + x) * np.log(self.alpha + repeats.last)
        either = np.where(x > 0, np.logaddexp(stayed, left), stayed)
        return np.asarray(rate + either - betaln(self.a, self.b))

    def alive(self, repeats: Repeats) -> Floats:
        """The probability of not having left yet, shape (n,); NaN where purchases or their last are unknown."""
        x = repeats.purchases
        ratio = np.log((self.alpha + repeats.age) / (self.alpha + repeats.last))
        odds_left = np.log(self.a / (self.b + np.maximum(x, 1) - 1)) + (self.r + x) * ratio
        stayed = np.where(x > 0, expit(-odds_left), 1.0)
        return np.asarray(np.where(np.isnan(x + repeats.last), np.nan, stayed))

    def no_purchase(self, repeats: Repeats, horizon: float) -> Floats:
        """The probability of no purchase in the days to come, shape (n,).

        A customer who left buys nothing. One who stays has a purchase rate that is gamma distributed with shape r + x
        and rate alpha + age, and leaves at purchases only: the chance of no purchase in h days is
        ((alpha + age) / (alpha + age + h)) to the power of r + x.

        Args:
            repeats: Histories.
            horizon: In days, above 0.
        """
        return np.asarray(1 - self.alive(repeats) * self._buys_if_alive(repeats, horizon))

    def _buys_if_alive(self, repeats: Repeats, horizon: float) -> Floats:
        age = self.alpha + repeats.age
        return np.asarray(-np.expm1((self.r + repeats.purchases) * np.log(age / (age + horizon))))

    def as_dict(self) -> dict[str, float]:
        """For the record."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The predictions of the BG/NBD model, as columns for a model that reads more than the rhythm of purchases.

    Attributes:
        population: The fitted parameters.
        horizon_days: The length of the predicted period.

    Example:
        >>> outlook = Outlook(BgNbd(r=0.25, alpha=30.0, a=0.8, b=2.5), horizon_days=28.0)
        >>> outlook.columns(np.array([[10.0, 4.0, 100.0]])).round(3).tolist()
        [[0.618, 0.569]]
    """

    population: BgNbd
    horizon_days: float

    @classmethod
    def fit(cls, history: Floats, horizon_days: float) -> Self:
        """Fits the population to customers who have bought.

        Args:
            history: The features named `HISTORY`, shape (n, 3); NaN in the row of a customer who never bought.
            horizon_days: In days, above 0.

        Raises:
            ModelError: No customer ever bought again.
        """
        return cls(BgNbd.fit(Repeats.of(history[~np.isnan(history).any(axis=1)])), horizon_days)

    def columns(self, history: Floats) -> Floats:
        """The columns named `BGNBD_FEATURES`; a row gets the same bits alone and among others.

        The second is P(alive) h (r + x) / (alpha + age): the expected purchases of a customer who may have left.

        Args:
            history: The features named `HISTORY`, shape (n, 3).

        Returns:
            Shape (n, 2); NaN for customers who never bought.
        """
        repeats, who = Repeats.of(history), self.population
        alive = who.alive(repeats)
        foretold = np.empty((len(history), len(BGNBD_FEATURES)))
        foretold[:, 0] = 1 - alive * who._buys_if_alive(repeats, self.horizon_days)
        foretold[:, 1] = alive * (who.r + repeats.purchases) * self.horizon_days / (who.alpha + repeats.age)
        return foretold

    def to_json(self) -> dict[str, Any]:
        """For a manifest."""
        return {"population": self.population.as_dict(), "horizon_days": self.horizon_days}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(BgNbd(**written["population"]), written["horizon_days"])
