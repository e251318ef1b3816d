"""What a log must hold before a policy is judged on it."""

import numpy as np
import pytest

from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.support import Wanted, support
from tests.experiments.gated import simulated


def test_the_figures_by_hand() -> None:
    log = Log(
        choices=[0, 0, 1, 1],
        logged=[[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.75, 0.25, 0.0], [0.5, 0.5, 0.0]],
        target=[[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]],
        rewards=[1, 2, 3, 4],
        customers=["ada", "ada", "ben", "cem"],
    )
    found = support(log)
    assert log.weights.tolist() == [2.0, 0.0, 4.0, 1.0]
    assert (found.n, found.customers) == (4, 3)
    assert found.effective == pytest.approx(49 / 21)
    assert found.effective_customers == pytest.approx(49 / 21)
    assert found.largest_weight == 4.0
    assert found.unsupported == pytest.approx(0.5 / 4)
    assert found.mean_weight == pytest.approx(7 / 4)


def test_a_policy_is_worth_all_of_its_own_decisions() -> None:
    log, _ = simulated(1)
    found = support(Log(log.choices, log.logged, log.logged, log.rewards, log.customers))
    assert found.effective == pytest.approx(len(log))
    assert found.largest_weight == found.mean_weight == pytest.approx(1.0)
    assert found.refusal() is None


def test_one_busy_customer_is_no_crowd() -> None:
    log, _ = simulated(2)
    busy = np.where(np.arange(len(log)) < len(log) - 10, 0, np.arange(len(log)))
    found = support(Log(log.choices, log.logged, log.target, log.rewards, busy))
    refusal = found.refusal(Wanted(effective=50))
    assert refusal is not None
    assert "effective sample size 1 of 11 customers, wanted at least 50" in refusal
    assert "decisions" not in refusal


def test_a_choice_that_was_never_open_to_chance_is_missing() -> None:
    log, _ = simulated(3)
    logged = np.where(np.arange(5) == 3, 0.0, log.logged)
    logged /= logged.sum(axis=1, keepdims=True)
    kept = log.choices != 3
    found = support(Log(log.choices[kept], logged[kept], log.target[kept], log.rewards[kept], log.customers[kept]))
    assert found.unsupported == pytest.approx(log.target[kept, 3].mean())
    assert "of its choices could never be made, wanted at most 1.0%" in (found.refusal() or "")


def test_the_mean_weight_is_one_where_the_probabilities_are_right() -> None:
    means = [support(simulated(seed)[0]) for seed in range(200)]
    misses = np.array([(s.mean_weight - 1) / s.mean_weight_error for s in means])
    assert abs(misses.mean()) < 3 / np.sqrt(len(misses))
    assert 0.9 < misses.std() < 1.1
    assert all(s.refusal() is None for s in means)
