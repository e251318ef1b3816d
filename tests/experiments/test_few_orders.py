"""Average order values of arms that are alike: few orders claim nothing, more of them err as often as alpha says."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tea_tasting.aggr import Aggregates

from experiments.base.aggregates import aggregated, variances
from experiments.base.metrics import METRICS
from experiments.readout.effects import Effect, compare
from experiments.readout.sequential import always_valid, tuned_to

VALUE = METRICS["average_order_value"]
ALPHA, CUSTOMERS, RUNS, FAST_RUNS = 0.05, 120, 150, 4_000


def most(runs: int) -> float:
    """The largest share of false claims that chance explains where alpha is kept."""
    return float(stats.binom.ppf(0.999, runs, ALPHA)) / runs


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
def test_fewer_than_ten_orders_claim_nothing(orders: tuple[int, int]) -> None:
    rng = np.random.default_rng([7, *orders])
    effect = compare(*(arm(rng, n) for n in orders), VALUE)
    assert effect.known == (min(orders) >= 10)
    assert effect.known or ("too few" in effect.refusal and math.isnan(effect.pvalue))


@pytest.mark.parametrize("orders", [pair for pair in ORDERS if min(pair) >= 10], ids=str)
def test_the_error_is_that_of_the_larger_variance(orders: tuple[int, int]) -> None:
    rng = np.random.default_rng([13, *orders])
    pair = [arm(rng, n) for n in orders]
    effect = compare(pair[0], pair[1], VALUE)
    found = [aggregated(one, VALUE.columns) for one in pair]
    reach = stats.t(min(orders) - 1).ppf(1 - ALPHA / 2) * math.sqrt(max(variances(found, VALUE)))
    assert effect.high - effect.difference == pytest.approx(reach, rel=1e-6)


@pytest.mark.parametrize("spread", [0.4, 0.8, 1.2])
@pytest.mark.parametrize("orders", [(10, 10), (10, 50), (20, 100), (50, 50), (50, 10)], ids=str)
def test_alike_arms_differ_at_one_look_no_more_often_than_alpha(orders: tuple[int, int], spread: float) -> None:
    """As `compare` does it, for so many runs that a rate of 7 % is seen."""
    rng = np.random.default_rng([7, *orders])
    amounts = [rng.lognormal(0, spread, (FAST_RUNS, n)) for n in orders]
    errors = [math.sqrt(max(variances([known(one[run]) for one in amounts], VALUE))) for run in range(FAST_RUNS)]
    differences = amounts[1].mean(axis=1) - amounts[0].mean(axis=1)
    claims = np.abs(differences / errors) > stats.t(min(orders) - 1).ppf(1 - ALPHA / 2)
    assert claims.mean() <= most(FAST_RUNS)


def known(amounts: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Aggregates:
    """What is counted of an arm of whose customers so many ordered once."""
    n, share = len(amounts), len(amounts) / CUSTOMERS
    total, squares = float(amounts.sum()), float((amounts**2).sum())
    return Aggregates(
        count_=CUSTOMERS,
        mean_={VALUE.numerator: total / CUSTOMERS, VALUE.denominator: share},
        var_={
            VALUE.numerator: (squares - total**2 / CUSTOMERS) / (CUSTOMERS - 1),
            VALUE.denominator: (n - n * share) / (CUSTOMERS - 1),
        },
        cov_={(VALUE.numerator, VALUE.denominator): (total - total * share) / (CUSTOMERS - 1)},
    )


@pytest.mark.parametrize("orders", [(5, 5), (20, 20), (50, 50), (20, 100)], ids=str)
def test_alike_arms_differ_at_any_look_no_more_often_than_alpha(orders: tuple[int, int]) -> None:
    rng = np.random.default_rng([11, *orders])
    found = []
    for _ in range(RUNS):
        arms = [arm(rng, n) for n in orders]
        found.append(claimed([compare(*(one.head(seen) for one in arms), VALUE) for seen in (40, 80, 120)]))
    assert np.mean(found) <= most(RUNS)
