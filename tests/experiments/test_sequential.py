"""Looking whenever one likes: false positives stay below alpha, intervals hold at every look."""

import numpy as np
import pytest

from tactful.experiments.readout.sequential import always_valid, tuned_to, widening

RUNS, LOOKS, EACH = 2_000, 40, 100


def walks(effect: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences and their errors at each look, shape (runs, looks); the variance is estimated as it goes."""
    rng = np.random.default_rng(seed)
    blocks = rng.normal(effect, 1.0, (RUNS, LOOKS, EACH))
    n = EACH * np.arange(1, LOOKS + 1)
    mean = blocks.sum(axis=2).cumsum(axis=1) / n
    square = np.square(blocks).sum(axis=2).cumsum(axis=1) / n
    return mean, np.sqrt((square - mean**2) / n)


def test_peeking_makes_fixed_tests_err_and_this_one_not() -> None:
    mean, error = walks(0.0, seed=1)
    found = always_valid(mean, error, tuned_to(float(error[:, -1].mean())))
    assert (np.abs(mean / error) > 1.96).any(axis=1).mean() > 0.25
    assert (found.pvalue[:, -1] < 0.05).mean() < 0.05
    assert ((found.low > 0) | (found.high < 0)).any(axis=1).mean() < 0.05


def test_the_interval_holds_the_truth_at_every_look() -> None:
    mean, error = walks(0.05, seed=2)
    found = always_valid(mean, error, tuned_to(float(error[:, -1].mean())))
    assert ((found.low <= 0.05) & (found.high >= 0.05)).all(axis=1).mean() > 0.95


def test_the_pvalue_says_what_the_interval_says() -> None:
    mean, error = walks(0.03, seed=3)
    found = always_valid(mean, error, tuned_to(float(error[:, -1].mean())))
    excluded = (found.low > 0) | (found.high < 0)
    assert np.array_equal(np.logical_or.accumulate(excluded, axis=1), found.pvalue < 0.05)


def test_the_interval_is_shortest_where_it_was_tuned_to() -> None:
    def width(tuned: float) -> float:
        found = always_valid([0.0], [0.05], tuned)
        return float(found.high[0] - found.low[0])

    best = width(tuned_to(0.05))
    assert best < width(0.5 * tuned_to(0.05))
    assert best < width(2.0 * tuned_to(0.05))


def test_an_always_valid_test_of_so_many_more_customers_has_the_power() -> None:
    n = 1_000.0
    effect = (1.959964 + 0.841621) / np.sqrt(n)
    rng = np.random.default_rng(4)
    error = 1 / np.sqrt(n * widening())
    found = always_valid(rng.normal(effect, error, (4_000, 1)), np.full((4_000, 1), error), tuned_to(error))
    assert (found.pvalue[:, -1] < 0.05).mean() == pytest.approx(0.8, abs=0.025)
