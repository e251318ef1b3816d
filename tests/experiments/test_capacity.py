"""Scarce channels: prices keep most of the value, and their price is what one more slot brings."""

import numpy as np
import pytest

from tactful.population.allocation import SILENCE, allocate
from tactful.population.capacity import best_first, by_prices, first_come, kept_of_bound, price_curve, worth


def crowd(seed: int, customers: int = 400) -> np.ndarray:
    """Two channels; those who are worth much by the first are worth nearly as much by the second."""
    chance = np.random.default_rng(seed)
    first = chance.gamma(2.0, 2.0, customers)
    second = first * chance.choice([0.2, 0.95], customers)
    values = np.column_stack([first, second])
    values[chance.random(values.shape) < 0.1] = -np.inf
    return values


@pytest.mark.parametrize("rule", [by_prices, first_come, best_first])
@pytest.mark.parametrize("seed", range(3))
def test_every_rule_keeps_to_the_capacities(seed: int, rule: object) -> None:
    values, capacity = crowd(seed), np.array([40.0, 90.0])
    choice = rule(values, capacity)  # type: ignore[operator]
    assert all((choice == channel).sum() <= capacity[channel] for channel in (0, 1))
    chosen = np.flatnonzero(choice != SILENCE)
    assert np.all(values[chosen, choice[chosen]] > 0)


@pytest.mark.parametrize("seed", range(5))
def test_prices_keep_most_and_first_come_the_least(seed: int) -> None:
    values, capacity = crowd(seed), np.array([60.0, 60.0])
    total = {rule: worth(values, rule(values, capacity)).sum() for rule in (by_prices, best_first, first_come)}
    assert total[by_prices] >= total[best_first] >= total[first_come]
    assert total[by_prices] >= 0.99 * allocate(values, np.eye(2), capacity).bound


def test_the_price_is_what_one_more_slot_brings() -> None:
    values, capacity = crowd(1, customers=4_000), np.array([400.0, 600.0])
    here = allocate(values, np.eye(2), capacity)
    more = allocate(values, np.eye(2), capacity + np.array([20.0, 0.0]))
    assert (more.bound - here.bound) / 20 == pytest.approx(here.prices[0], rel=0.05)


def test_prices_fall_with_capacity_and_bear_intervals() -> None:
    values = crowd(2)
    curve = price_curve(values, np.array([40.0, 90.0]), 0, [20, 80, 160, 500], draws=20)
    assert [e.low <= e.value <= e.high for e in curve.values()] == [True] * 4
    assert [e.value for e in curve.values()] == sorted((e.value for e in curve.values()), reverse=True)
    assert curve[500].value == 0.0
    kept = kept_of_bound(values, np.array([40.0, 90.0]), by_prices, draws=20)
    assert 0.97 < kept.low <= kept.high <= 1.0
