"""Arms of an experiment in which few customers stand below the line of a metric: orders, contacts, answers."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tactful.experiments.base.metrics import METRICS
from tactful.features.array_types import Floats

Amounts = Callable[[np.random.Generator, int], Floats]
VALUE, RESPONSE, SATISFACTION = (METRICS[name] for name in ("average_order_value", "response", "satisfaction"))
CUSTOMERS = 120


def skewed(rng: np.random.Generator, n: int) -> Floats:
    return np.asarray(40 * rng.lognormal(-0.32, 0.8, n), dtype=np.float64)


def very_skewed(rng: np.random.Generator, n: int) -> Floats:
    return np.asarray(40 * rng.lognormal(-0.72, 1.2, n), dtype=np.float64)


def lumpy(rng: np.random.Generator, n: int) -> Floats:
    """One order in ten is ten times the others."""
    return np.where(rng.random(n) < 0.1, 200.0, 20.0)


def arm(
    rng: np.random.Generator, orders: int, amounts: Amounts = skewed, customers: int = CUSTOMERS, lift: float = 0
) -> pd.DataFrame:
    """Customers of whom so many ordered once, for an amount around 40, in the order in which they came."""
    ordered = rng.permutation(customers) < orders
    spent = np.where(ordered, (1 + lift) * amounts(rng, customers), 0.0)
    return pd.DataFrame({VALUE.numerator: spent, VALUE.denominator: ordered.astype(float)})


def answering(rng: np.random.Generator, contacted: int) -> pd.DataFrame:
    """Customers of whom so many were contacted one to six times; some answer most contacts, most answer none."""
    contacts = np.where(np.arange(400) < contacted, rng.integers(1, 7, 400), 0)
    answers = rng.binomial(contacts, rng.beta(0.5, 4.5, 400))
    return pd.DataFrame({RESPONSE.numerator: answers.astype(float), RESPONSE.denominator: contacts.astype(float)})


def satisfied(rng: np.random.Generator, asked: int) -> pd.DataFrame:
    """Customers of whom so many answered a survey, most of them as promoters."""
    answered = (np.arange(400) < asked).astype(float)
    points = answered * rng.choice([100.0, 0.0, -100.0], 400, p=[0.8, 0.15, 0.05])
    return pd.DataFrame({SATISFACTION.numerator: points, SATISFACTION.denominator: answered})
