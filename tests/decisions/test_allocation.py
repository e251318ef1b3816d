"""Capacity shared by prices: against the linear programme's optimum, and with every capacity kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tactful.decisions.base.errors import AllocationError
from tactful.population.allocation import SILENCE, Demand, allocate, best, clearing_prices, demand


def market(seed: int, customers: int, tightness: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers, eight actions on three channels, and a budget; half of the actions excluded."""
    chance = np.random.default_rng(seed)
    uses = np.zeros((8, 4))
    uses[np.arange(8), chance.integers(0, 3, 8)] = 1.0
    uses[:, 3] = chance.choice([0.1, 0.5, 1.0], 8)
    values = chance.gamma(1.5, 2.0, (customers, 1)) * chance.gamma(2.0, 0.5, (customers, 8)) - 1.0
    values[chance.random((customers, 8)) < 0.5] = -np.inf
    return values, uses, customers * tightness * np.array([0.1, 0.05, 0.2, 0.1])


def optimum(values: np.ndarray, uses: np.ndarray, capacity: np.ndarray) -> float:
    """Of the linear programme, by HiGHS."""
    n, a = values.shape
    once = np.kron(np.eye(n), np.ones(a))
    limits = np.vstack([once, np.tile(uses.T, (1, n))])
    worth = np.where(np.isfinite(values), values, -1e3).ravel()
    found = linprog(-worth, A_ub=limits, b_ub=np.r_[np.ones(n), capacity], bounds=(0, 1), method="highs")
    return float(-found.fun)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([20, 60, 150]), st.floats(0.1, 4.0))
def test_every_capacity_is_kept_and_the_bound_holds(seed: int, customers: int, tightness: float) -> None:
    values, uses, capacity = market(seed, customers, tightness)
    found = allocate(values, uses, capacity)
    assert np.all(found.usage <= capacity + 1e-9)
    assert np.all(found.prices >= 0)
    best_of_all = optimum(values, uses, capacity)
    assert found.value <= best_of_all + 1e-6
    assert found.bound >= best_of_all - 1e-6
    chosen = found.choice[found.choice != SILENCE]
    assert np.all(values[np.flatnonzero(found.choice != SILENCE), chosen] > 0)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_within_a_part_in_two_hundred_of_the_optimum(seed: int) -> None:
    values, uses, capacity = market(seed, 400, 1.0)
    found = allocate(values, uses, capacity)
    assert found.value >= 0.995 * optimum(values, uses, capacity)
    assert found.bound == pytest.approx(optimum(values, uses, capacity), rel=1e-4)


def test_what_is_not_scarce_has_no_price() -> None:
    values, uses, _ = market(0, 100, 1.0)
    found = allocate(values, uses, np.full(4, 1e6))
    assert found.prices.tolist() == [0.0] * 4
    assert found.choice.tolist() == best(values, uses, np.zeros(4)).tolist()
    assert found.gap == pytest.approx(0.0)


def test_without_capacity_everybody_is_left_alone() -> None:
    values, uses, _ = market(0, 50, 1.0)
    assert set(allocate(values, uses, np.zeros(4)).choice) == {SILENCE}


def test_buckets_answer_apart_what_they_answer_together() -> None:
    values, uses, capacity = market(1, 300, 1.0)
    buckets = np.array_split(values, 7)

    def ask(prices: np.ndarray, temperature: float) -> Demand:
        first, *rest = (demand(bucket, uses, prices, temperature) for bucket in buckets)
        return sum(rest, start=first)

    apart = clearing_prices(ask, capacity, scale=2.0)
    together = clearing_prices(lambda p, t: demand(values, uses, p, t), capacity, scale=2.0)
    assert apart == pytest.approx(together, abs=1e-6)


def test_demand_falls_with_its_price_as_its_curvature_says() -> None:
    values, uses, _ = market(2, 200, 1.0)
    prices = np.array([0.5, 1.0, 0.2, 0.1])
    here = demand(values, uses, prices, 0.3)
    for k in range(4):
        step = 1e-5 * np.eye(4)[k]
        there = demand(values, uses, prices + step, 0.3)
        assert (there.surplus - here.surplus) / 1e-5 == pytest.approx(-here.usage[k], rel=1e-3)
        assert (there.usage - here.usage) / 1e-5 == pytest.approx(-here.curvature[k], rel=1e-2, abs=1e-2)


@pytest.mark.parametrize(
    ("values", "uses", "capacity", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 1)), np.ones(1), "shapes that do not fit"),
        (np.full((3, 2), np.nan), np.ones((2, 1)), np.ones(1), "a value that is no number"),
        (np.ones((3, 2)), -np.ones((2, 1)), np.ones(1), "uses and capacities that cannot be"),
        (np.ones((3, 2)), np.ones((2, 1)), np.array([np.inf]), "uses and capacities that cannot be"),
    ],
)
def test_what_does_not_fit_is_refused(values: np.ndarray, uses: np.ndarray, capacity: np.ndarray, message: str) -> None:
    with pytest.raises(AllocationError, match=message):
        allocate(values, uses, capacity)
