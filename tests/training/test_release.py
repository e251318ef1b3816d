"""The release gate against shops whose truth is known: it lets the better through and says no to the worse."""

from dataclasses import replace

import numpy as np
import pytest

from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.predictions import cross_fitted
from tactful.training.data.errors import TrainingError
from tactful.training.fit.by_action import ArmCalibration, by_arm, jointly, slope, whatever_ties
from tactful.training.gate.release import Evidence, Limits, contact_share, judge
from tests.experiments.gated import LEARNED, MARKETER, MISTAKEN, among, simulated

FREE = Limits(contacts=1.0, unsubscribes=0.02)


def shop(seed: int, candidate: np.ndarray, customers: int = 1500) -> Evidence:
    """The marketer's decisions, judged with other scores."""
    log, segment = simulated(seed, customers)
    incumbent = Log(
        log.choices, log.logged, among(log.options, MARKETER[segment]), log.rewards, log.customers, log.options
    )
    judged = replace(incumbent, target=among(log.options, candidate[segment]))
    left = np.random.default_rng(seed).random(len(log)) < 0.01
    return Evidence(judged, incumbent, left, cross_fitted(judged, np.eye(3)[segment]))


def test_a_better_policy_ships() -> None:
    verdict = judge(shop(0, LEARNED), FREE)
    assert (verdict.answer, verdict.reasons) == ("ship", ())
    assert verdict.figures["gain"]["low"] > 0
    assert verdict.figures["estimator"] == "doubly_robust"


def test_a_worse_policy_does_not() -> None:
    verdict = judge(shop(0, MISTAKEN), FREE)
    assert verdict.answer == "no"
    assert verdict.reasons[0].startswith("worth less: -0.")


def test_the_same_policy_ships_with_a_gain_of_exactly_nothing() -> None:
    evidence = shop(0, MARKETER)
    verdict = judge(replace(evidence, candidate=evidence.incumbent), Limits(tolerance=0.0, unsubscribes=0.0))
    assert verdict.answer == "ship"
    assert verdict.figures["gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_of_many_worse_policies_hardly_one_gets_through() -> None:
    worse = 0.7 * MARKETER + 0.3 * MISTAKEN
    answers = [judge(shop(seed, worse, 400), FREE).answer for seed in range(60)]
    assert answers.count("ship") <= 2


def test_where_the_log_cannot_tell_an_experiment_may() -> None:
    verdict = judge(shop(0, LEARNED, customers=40), FREE)
    assert verdict.answer == "experiment"
    assert "cannot be judged: effective sample size" in verdict.reasons[0]


def test_a_policy_that_never_was_is_no_crash() -> None:
    evidence = shop(0, LEARNED, 100)
    chosen = np.eye(5)[evidence.candidate.choices]
    other = replace(evidence.candidate, target=np.roll(chosen, 1, axis=1), options=np.ones_like(chosen, dtype=bool))
    verdict = judge(replace(evidence, candidate=other, predictions=None), FREE)
    assert verdict.answer == "experiment"
    assert verdict.figures["gain"] is None
    assert verdict.figures["values"]["candidate"]["snips"] is None


def test_contacts_and_unsubscriptions_have_guard_rails() -> None:
    evidence = shop(0, LEARNED)
    assert contact_share(evidence.candidate) < 1
    louder = evidence.candidate.target.copy()
    louder[louder[:, 0] < 1, 0] = 0
    louder /= louder.sum(axis=1, keepdims=True)
    loud = judge(replace(evidence, candidate=replace(evidence.candidate, target=louder)), Limits(unsubscribes=1))
    assert loud.answer == "no"
    assert any(reason.startswith("contacts at 9") for reason in loud.reasons)
    driven = np.random.default_rng(0).random(len(evidence.unsubscribes)) < 0.2 * (evidence.candidate.choices == 3)
    away = judge(replace(evidence, unsubscribes=driven), Limits(contacts=1))
    assert any(check.name == "unsubscribes" and check.answer == "no" for check in away.checks)


def test_that_nobody_left_is_no_proof_for_a_small_log() -> None:
    evidence = shop(0, LEARNED, 300)
    nobody = replace(evidence, unsubscribes=np.zeros(len(evidence.unsubscribes), dtype=bool))
    assert "by the rule of three" in judge(nobody, Limits(contacts=1)).reasons[-1]
    assert judge(nobody, FREE).checks[3].answer == "ship"


def test_one_who_left_elsewhere_is_no_proof_either() -> None:
    evidence = shop(0, LEARNED, 300)
    less = evidence.candidate.weights < evidence.incumbent.weights
    one = np.arange(len(less)) == np.flatnonzero(less)[0]
    verdict = judge(replace(evidence, unsubscribes=one), Limits(contacts=1))
    assert verdict.checks[3].answer == "experiment"
    assert "by the rule of three" in verdict.checks[3].sentence


def test_rewards_that_never_vary_tell_no_policies_apart() -> None:
    evidence = shop(0, LEARNED)
    nothing = np.zeros(len(evidence.candidate))
    logs = {name: replace(getattr(evidence, name), rewards=nothing) for name in ("candidate", "incumbent")}
    assert judge(replace(evidence, **logs, predictions=None), FREE).checks[1].answer == "experiment"
    same = {"candidate": logs["incumbent"], "incumbent": logs["incumbent"]}
    assert judge(replace(evidence, **same, predictions=None), FREE).answer == "ship"


def test_predictions_must_hold_by_action() -> None:
    evidence = shop(0, LEARNED)
    honest = [ArmCalibration(f"m{i}", 500, 0.1, 0.1 + 0.01 * (-1) ** i, 0.01) for i in range(6)]
    assert judge(replace(evidence, calibration=honest), FREE).answer == "ship"
    proud = [*honest, ArmCalibration("promise", 500, 0.3, 0.1, 0.02)]
    verdict = judge(replace(evidence, calibration=proud), FREE)
    assert verdict.answer == "no"
    assert "beyond two errors: promise" in verdict.reasons[0]
    unheard = [ArmCalibration("promise", 20, 0.9, 0.1, 0.1)]
    assert judge(replace(evidence, calibration=unheard), FREE).answer == "experiment"
    assert judge(replace(evidence, calibration=[]), FREE).answer == "experiment"
    worse = [*honest, ArmCalibration("promise", 500, 0.4, 0.1, 0.02)]
    assert judge(replace(evidence, calibration=proud, calibration_before=worse), FREE).answer == "ship"


def test_an_arm_nobody_answered_is_no_surprise_where_few_answers_were_expected() -> None:
    probability = np.random.default_rng(0).uniform(0.001, 0.003, 300)
    (arm,) = by_arm(["mail"] * 300, probability, np.zeros(300), np.arange(300))
    assert arm.error == pytest.approx(np.sqrt((probability * (1 - probability)).sum()) / 300)
    assert arm.holds


def test_biases_against_one_silence_are_tied_and_their_bound_knows() -> None:
    rng = np.random.default_rng(0)
    errors = 0.9**0.5 * rng.normal(size=(500, 1)) + 0.1**0.5 * rng.normal(size=(500, 8))
    drawn = [[ArmCalibration(f"m{i}", 500, 0.01 * one, 0.0, 0.01) for i, one in enumerate(row)] for row in errors]
    assert np.mean([jointly(arms) < 0.01 for arms in drawn]) > 0.05
    assert np.mean([whatever_ties(arms) < 0.05 for arms in drawn]) < 0.05
    assert whatever_ties([*drawn[0], ArmCalibration("promise", 500, 0.06, 0.0, 0.01)]) < 1e-6


def test_biases_by_arm_are_found_and_true_probabilities_pass() -> None:
    rng = np.random.default_rng(0)
    arms = rng.choice(["mail", "push"], 8000)
    probability = rng.uniform(0.05, 0.4, 8000)
    outcome = (rng.random(8000) < probability).astype(float)
    customers = rng.integers(0, 2000, 8000)
    honest = by_arm(arms, probability, outcome, customers)
    assert all(abs(one.deviation) < 3.5 for one in honest)
    assert jointly(honest) > 0.001
    found = slope(probability, outcome, customers)
    assert found["low"] is not None
    assert found["high"] is not None
    assert found["low"] < 1 < found["high"]
    proud = by_arm(arms, probability + 0.05 * (arms == "push"), outcome, customers)
    assert {one.arm: one.holds for one in proud}["push"] is False
    assert jointly(proud) < 1e-4
    assert slope(probability, np.zeros(8000), customers) == {"value": None, "low": None, "high": None}


def test_overconfident_probabilities_have_a_slope_below_one() -> None:
    rng = np.random.default_rng(1)
    odds = rng.normal(-1, 1, 20_000)
    outcome = (rng.random(20_000) < 1 / (1 + np.exp(-odds))).astype(float)
    found = slope(1 / (1 + np.exp(-2 * odds - 1)), outcome, np.arange(20_000))
    assert found["value"] == pytest.approx(0.5, abs=0.03)


def test_mistakes_are_told() -> None:
    evidence = shop(0, LEARNED, 100)
    with pytest.raises(TrainingError, match="arrays that do not fit"):
        judge(replace(evidence, unsubscribes=np.zeros(3, dtype=bool)))
    with pytest.raises(TrainingError, match="unfit limit: got -1; wanted at least 0; at tolerance"):
        Limits(tolerance=-1)
    with pytest.raises(TrainingError, match="unfit level"):
        Limits(level=1.0)
