"""Average order values of arms that are alike: few orders claim nothing, more of them err as often as alpha says."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.base.metrics import METRICS
from experiments.readout.effects import Effect, compare
from experiments.readout.sequential import always_valid, tuned_to

VALUE = METRICS["average_order_value"]
ALPHA, RUNS, CUSTOMERS = 0.05, 150, 120
MOST = float(stats.binom.ppf(0.999, RUNS, ALPHA)) / RUNS
"""The largest share of false claims that chance explains where alpha is kept."""
ORDERS = [(n, n) for n in (1, 2, 5, 10, 20, 50)] + [(1, 50), (2, 20), (5, 50), (10, 50), (20, 100), (50, 10)]


def arm(rng: np.random.Generator, orders: int) -> pd.DataFrame:
    """Customers of whom so many ordered once, for an amount around 40, in the order in which they came."""
    ordered = rng.permutation(CUSTOMERS) < orders
    amounts = np.where(ordered, 40 * rng.lognormal(-0.32, 0.8, CUSTOMERS), 0.0)
    return pd.DataFrame({VALUE.numerator: amounts, VALUE.denominator: ordered.astype(float)})


def claimed(effects: list[Effect]) -> bool:
    """Whether a look at any of the moments claims a difference."""
    known = [effect for effect in effects if effect.known]
    tuned = tuned_to(0.2 * 40 / 2.8, alpha=ALPHA)
    valid = always_valid([e.difference for e in known], [e.error for e in known], tuned, alpha=ALPHA)
    return bool((valid.pvalue < ALPHA).any())


@pytest.mark.parametrize("orders", ORDERS, ids=str)
def test_alike_arms_differ_at_one_look_no_more_often_than_alpha(orders: tuple[int, int]) -> None:
    rng = np.random.default_rng([7, *orders])
    effects = [compare(*(arm(rng, n) for n in orders), VALUE) for _ in range(RUNS)]
    assert all(effect.known == (min(orders) >= 10) for effect in effects)
    assert all(effect.known or ("too few" in effect.refusal and math.isnan(effect.pvalue)) for effect in effects)
    assert np.mean([effect.pvalue < ALPHA for effect in effects]) <= MOST


@pytest.mark.parametrize("orders", [(5, 5), (20, 20), (50, 50), (20, 100)], ids=str)
def test_alike_arms_differ_at_any_look_no_more_often_than_alpha(orders: tuple[int, int]) -> None:
    rng = np.random.default_rng([11, *orders])
    found = []
    for _ in range(RUNS):
        arms = [arm(rng, n) for n in orders]
        found.append(claimed([compare(*(one.head(seen) for one in arms), VALUE) for seen in (40, 80, 120)]))
    assert np.mean(found) <= MOST
