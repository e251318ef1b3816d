"""Off-policy estimates against worlds whose truth is known, against obp, and against what must always hold."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tactful.experiments.base.errors import LogError, SupportError
from tactful.experiments.offpolicy.estimators import (
    Estimate,
    direct,
    doubly_robust,
    ips,
    snips,
    switch_dr,
    switch_threshold,
)
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.predictions import cross_fitted
from tactful.experiments.offpolicy.support import Wanted
from tests.experiments.gated import FITTED, MISTAKEN, REWARDS, simulated, truth
from tests.proofs import covered, runs

WEIGHTED = (
    "ips",
    "snips",
    "doubly robust",
    "doubly robust, mistaken",
    "doubly robust, cross-fitted",
    "switch-dr",
    "switch-dr, weights up to 3, true",
)
Study = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module", params=runs(200, 1000))
def study(request: pytest.FixtureRequest) -> Study:
    """By estimator: value and whether the interval holds the truth, of each log, shape (logs, 2)."""
    found: dict[str, list[Estimate]] = {}
    for seed in range(request.param):
        log, segment = simulated(seed)
        for name, estimate in _estimates(log, segment).items():
            found.setdefault(name, []).append(estimate)
    value = truth()
    return {name: np.array([(e.value, e.low <= value <= e.high) for e in made]) for name, made in found.items()}


def _estimates(log: Log, segment: NDArray[np.int64]) -> dict[str, Estimate]:
    fitted, mistaken = FITTED[segment], MISTAKEN[segment]
    everywhere = np.full(log.logged.shape, 1 / log.logged.shape[1])
    misread = Log(log.choices, everywhere, log.target, log.rewards, log.customers)
    return {
        "ips": ips(log),
        "snips": snips(log),
        "direct": direct(log, fitted),
        "direct, mistaken": direct(log, mistaken),
        "doubly robust": doubly_robust(log, fitted),
        "doubly robust, mistaken": doubly_robust(log, mistaken),
        "doubly robust, cross-fitted": doubly_robust(log, cross_fitted(log, np.eye(3)[segment])),
        "switch-dr": switch_dr(log, fitted),
        "switch-dr, weights up to 3, true": switch_dr(log, REWARDS[segment], 3.0),
        "switch-dr, weights up to 3": switch_dr(log, fitted, 3.0),
        "ips, misread": ips(misread, wanted=None),
    }


def _rows(log: Log, rows: NDArray[np.int64]) -> Log:
    return Log(
        log.choices[rows], log.logged[rows], log.target[rows], log.rewards[rows], log.customers[rows], log.options[rows]
    )


def _bias(study: Study, name: str) -> tuple[float, float]:
    """Mean error and its standard error."""
    values = study[name][:, 0]
    return float(values.mean() - truth()), float(values.std(ddof=1) / np.sqrt(len(values)))


@pytest.mark.parametrize("name", WEIGHTED)
def test_estimates_by_weights_are_unbiased(study: Study, name: str) -> None:
    bias, error = _bias(study, name)
    assert abs(bias) < 3 * error


@pytest.mark.parametrize("name", WEIGHTED)
def test_intervals_hold_the_truth_as_often_as_they_say(study: Study, name: str) -> None:
    least, most = covered(len(study[name]))
    assert least <= study[name][:, 1].mean() <= most


def test_a_mistaken_model_leads_the_direct_method_astray_and_no_doubly_robust_one(study: Study) -> None:
    assert _bias(study, "direct, mistaken")[0] < -0.4
    assert study["direct, mistaken"][:, 1].mean() == 0
    assert abs(_bias(study, "doubly robust, mistaken")[0]) < 0.02


def test_a_threshold_below_the_weights_takes_over_the_models_bias(study: Study) -> None:
    assert _bias(study, "direct")[0] < _bias(study, "switch-dr, weights up to 3")[0] < -0.05


def test_a_fair_model_makes_estimates_steadier(study: Study) -> None:
    spread = {name: study[name][:, 0].std() for name in WEIGHTED}
    assert spread["doubly robust"] < spread["snips"] < spread["ips"]


def test_probabilities_over_all_options_in_place_of_the_survivors_mislead(study: Study) -> None:
    right, _ = _bias(study, "ips")
    wrong, error = _bias(study, "ips, misread")
    assert abs(wrong) > 10 * max(abs(right), error)


def test_probabilities_that_were_not_those_of_the_choices_are_refused() -> None:
    log, _ = simulated(0)
    misread = Log(log.choices, np.full(log.logged.shape, 0.2), log.target, log.rewards, log.customers)
    with pytest.raises(SupportError, match="the logged probabilities are not those of the choices"):
        ips(misread)


@pytest.mark.parametrize("estimator", [ips, snips, partial(direct, predictions=FITTED[:1].repeat(400, axis=0))])
def test_a_greedy_log_judges_nobody_but_its_own_policy(estimator: Callable[[Log], Estimate]) -> None:
    rng = np.random.default_rng(3)
    best, other = np.eye(5)[rng.integers(0, 5, 400)], np.eye(5)[rng.integers(0, 5, 400)]
    greedy = Log(best.argmax(axis=1), best, best, rng.normal(size=400), np.arange(400))
    assert estimator(greedy).n == 400
    with pytest.raises(SupportError, match=r"cannot be judged: effective sample size \d+ of 400 decisions"):
        estimator(Log(greedy.choices, best, other, greedy.rewards, greedy.customers))


def test_nothing_is_told_of_a_policy_none_of_whose_choices_was_made() -> None:
    log = Log([0, 0], [[0.5, 0.5]] * 2, [[0, 1]] * 2, [1, 2], [1, 2])
    with pytest.raises(SupportError, match="effective sample size 0 of 2 decisions, wanted at least 1"):
        snips(log, wanted=None)


def test_one_customer_has_no_interval() -> None:
    log, _ = simulated(1)
    with pytest.raises(SupportError, match="one customer"):
        ips(Log(log.choices, log.logged, log.target, log.rewards, np.zeros(len(log))), wanted=None)


def _published() -> tuple[Log, NDArray[np.float64]]:
    row, column = np.mgrid[0:60, 0:4]
    logged = 1.0 + (row * 7 + column * 5) % 11
    target = 1.0 + (row * 3 + column * 7) % 13
    i = np.arange(60)
    choices = (i * 5 + i // 7) % 4
    log = Log(
        choices,
        logged / logged.sum(axis=1, keepdims=True),
        target / target.sum(axis=1, keepdims=True),
        ((i * 11) % 17) / 4.0 + choices,
        i,
    )
    return log, (row % 5) / 2.0 + column


# obp 0.4.1 (Open Bandit Pipeline) on the log of `_published`: `estimate_policy_value` of InverseProbabilityWeighting,
# SelfNormalizedInverseProbabilityWeighting, DirectMethod, DoublyRobust and SwitchDoublyRobust(tau=1.5).
OBP = {
    "ips": 4.899088011166143,
    "snips": 3.2465651659816346,
    "direct": 2.4973780240659647,
    "doubly robust": 4.313628546920451,
    "switch-dr": 3.1487441161920575,
}


def test_the_figures_are_those_of_the_open_bandit_pipeline() -> None:
    log, predictions = _published()
    ours = {
        "ips": ips(log, wanted=None),
        "snips": snips(log, wanted=None),
        "direct": direct(log, predictions, wanted=None),
        "doubly robust": doubly_robust(log, predictions, wanted=None),
        "switch-dr": switch_dr(log, predictions, 1.5, wanted=None),
    }
    assert {name: estimate.value for name, estimate in ours.items()} == pytest.approx(OBP, rel=1e-12)


def test_an_interval_by_hand() -> None:
    log = Log([0, 1, 0, 1], [[0.5, 0.5]] * 4, [[0.5, 0.5]] * 4, [1, 3, 5, 7], ["ada", "ada", "ben", "ben"])
    found = ips(log, wanted=None)
    assert (found.value, found.n) == (4.0, 4)
    assert found.standard_error == pytest.approx(np.sqrt(2 * (16 + 16)) / 4)
    assert found.high - found.value == pytest.approx(12.706204736 * found.standard_error)


def test_the_interval_of_a_ratio_by_hand() -> None:
    log = Log(
        [0, 1, 0, 1], [[0.5, 0.5]] * 4, [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.5, 0.5]], [1, 3, 5, 7], [1, 1, 2, 2]
    )
    found = snips(log, wanted=None)
    assert log.weights.tolist() == [2, 2, 1, 1]
    assert found.value == pytest.approx(10 / 3)
    assert found.standard_error == pytest.approx(16 / 9)


def test_telling_each_decision_twice_adds_no_certainty() -> None:
    log, segment = simulated(2)
    twice = _rows(log, np.repeat(np.arange(len(log)), 2))
    for once, again in (
        (ips(log), ips(twice)),
        (snips(log), snips(twice)),
        (doubly_robust(log, FITTED[segment]), doubly_robust(twice, np.repeat(FITTED[segment], 2, axis=0))),
    ):
        assert again.standard_error == pytest.approx(once.standard_error)
        assert again.n == 2 * once.n


def test_a_freak_weight_is_switched_off() -> None:
    n = 20_000
    logged, target = np.tile([1 - 1e-6, 1e-6], (n, 1)), np.tile([0.995, 0.005], (n, 1))
    choices, rewards = np.zeros(n, dtype=int), np.arange(n) % 2.0
    choices[7], rewards[7] = 1, 1.0
    log, predictions = Log(choices, logged, target, rewards, np.arange(n)), np.full((n, 2), 0.5)
    assert switch_threshold(log, predictions) < 1
    assert doubly_robust(log, predictions, wanted=None).value > 0.6
    assert switch_dr(log, predictions, wanted=None).value == pytest.approx(0.5, abs=0.001)


def test_the_ends_of_the_threshold_are_the_direct_and_the_doubly_robust_method() -> None:
    log, segment = simulated(4)
    predictions = FITTED[segment]
    assert switch_dr(log, predictions, 0.0) == direct(log, predictions)
    assert switch_dr(log, predictions, np.inf) == doubly_robust(log, predictions)


def test_a_prediction_is_needed_only_where_the_policy_may_choose() -> None:
    log, segment = simulated(5)
    sparse = np.where(log.target > 0, FITTED[segment], np.nan)
    assert doubly_robust(log, sparse) == doubly_robust(log, FITTED[segment])
    sparse[3, 0] = np.nan
    with pytest.raises(LogError, match=r"a prediction missing: wanted .*; at predictions, row 3"):
        doubly_robust(log, sparse)
    with pytest.raises(LogError, match="predictions of another shape"):
        direct(log, sparse[:, :4])


def test_what_is_wanted_is_the_callers_to_say() -> None:
    log, _ = simulated(6)
    assert ips(log, wanted=Wanted(effective=10)) == ips(log)
    with pytest.raises(SupportError, match="wanted at least 5,000"):
        ips(log, wanted=Wanted(effective=5000))


def test_a_higher_level_is_a_wider_interval_around_the_same_value() -> None:
    log, _ = simulated(7)
    narrow, wide = snips(log, level=0.8), snips(log, level=0.99)
    assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high


seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_a_policy_judged_on_its_own_log_earned_the_mean_reward(seed: int) -> None:
    log, _ = simulated(seed, customers=20)
    own = Log(log.choices, log.logged, log.logged, log.rewards, log.customers)
    mean = float(log.rewards.mean())
    assert snips(own, wanted=None).value == pytest.approx(mean, rel=1e-12)
    assert ips(own, wanted=None).value == pytest.approx(mean, rel=1e-12)


@given(seeds)
def test_the_order_of_decisions_and_the_names_of_customers_mean_nothing(seed: int) -> None:
    log, segment = simulated(seed, customers=20)
    order = np.random.default_rng(seed).permutation(len(log))
    names = np.array([f"customer {id_}" for id_ in log.customers])
    shuffled = _rows(Log(log.choices, log.logged, log.target, log.rewards, names, log.options), order)
    predictions = FITTED[segment]
    for before, after in (
        (ips(log, wanted=None), ips(shuffled, wanted=None)),
        (snips(log, wanted=None), snips(shuffled, wanted=None)),
        (switch_dr(log, predictions, wanted=None), switch_dr(shuffled, predictions[order], wanted=None)),
    ):
        assert (after.value, after.low, after.high) == pytest.approx((before.value, before.low, before.high))


@given(seeds, st.floats(-1e3, 1e3))
def test_snips_and_doubly_robust_move_along_with_a_constant(seed: int, constant: float) -> None:
    log, segment = simulated(seed, customers=20)
    moved = Log(log.choices, log.logged, log.target, log.rewards + constant, log.customers)
    predictions = FITTED[segment]
    assert snips(moved, wanted=None).value == pytest.approx(snips(log, wanted=None).value + constant, abs=1e-7)
    expected = doubly_robust(log, predictions, wanted=None).value + constant
    assert doubly_robust(moved, predictions + constant, wanted=None).value == pytest.approx(expected, abs=1e-7)


@given(seeds)
def test_snips_stays_within_the_rewards_and_every_interval_around_its_value(seed: int) -> None:
    log, segment = simulated(seed, customers=20)
    assert (log.weights >= 0).all()
    assert log.rewards.min() <= snips(log, wanted=None).value <= log.rewards.max()
    for estimate in (ips(log, wanted=None), direct(log, FITTED[segment], wanted=None)):
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate == replace(estimate, n=len(log))


@pytest.mark.parametrize("level", [95, 1.5, 1.0, 0.0, -1, np.nan])
@pytest.mark.parametrize("estimate", [ips, snips, partial(doubly_robust, predictions=FITTED[[0] * 60])])
def test_a_level_that_is_no_coverage_is_refused(level: float, estimate: Callable[..., Estimate]) -> None:
    log = _rows(simulated(0)[0], np.arange(60))
    with pytest.raises(LogError, match=r"an impossible coverage: got .*; wanted between 0 and 1; at level"):
        estimate(log, level=level, wanted=None)
