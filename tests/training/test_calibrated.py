"""What the calibration gate refuses, against a known truth: honest models rarely, wrong ones mostly."""

import re

import numpy as np
import pytest
from scipy.special import expit, logit

from tactful.models.base.metrics import Outcomes
from tactful.training.fit.calibrated import by_action, doubts
from tactful.training.fit.evaluation import TestRows, as_json

ROWS, TRIALS = 2000, 40
ACTIONS = ["letter", "coupon", "call", "visit"]


def refused(seed: int, *, slope: float = 1.0, shift: float = 0.0, tied: float = 0.0, rows: int = ROWS) -> str:
    """What is said of probabilities, where the truth has this slope, one action is shifted, and customers are tied.

    Every customer has two rows; `tied` is the share of customers whose two outcomes are the same.
    """
    rng = np.random.default_rng(seed)
    customers = np.repeat(np.arange(rows // 2), 2)
    odds = np.repeat(rng.normal(-2.0, 1.2, rows // 2), 2)
    actions = rng.integers(0, len(ACTIONS), rows)
    centre = logit(0.16)
    truth = expit(centre + slope * (odds - centre)) + shift * (actions == 0)
    draw = rng.random(rows)
    draw = np.where(np.repeat(rng.random(rows // 2) < tied, 2), np.repeat(draw[::2], 2), draw)
    outcomes = Outcomes.of(draw < truth, customers)
    probability = expit(odds)
    estimates = outcomes.estimate({"slope": outcomes.slope(probability), "ece": outcomes.ece(probability)}, draws=100)
    test = TestRows(outcomes, probability, {}, np.empty((rows, 0)))
    told = {name: as_json(estimate) for name, estimate in estimates.items()}
    metrics = {**told, "n": rows, "positives": int(outcomes.positive.sum())}
    return "; ".join(doubts(metrics | by_action(test, [ACTIONS[i] for i in actions])))


@pytest.mark.parametrize("tied", [0.0, 0.7])
def test_probabilities_that_are_true_are_rarely_refused(tied: float) -> None:
    assert sum(bool(refused(seed, tied=tied)) for seed in range(TRIALS)) <= 0.1 * TRIALS


def test_a_model_that_is_too_shy_is_found() -> None:
    found = [refused(seed, slope=1.3) for seed in range(TRIALS)]
    assert sum("slope" in reason for reason in found) >= 0.7 * TRIALS


def test_one_action_that_is_off_is_found_and_named() -> None:
    found = [refused(seed, shift=0.08) for seed in range(TRIALS)]
    assert sum("biases of letter" in reason for reason in found) >= 0.8 * TRIALS


def test_few_outcomes_judge_nothing() -> None:
    assert re.fullmatch(
        r"cannot be judged: (\d+) test rows with the outcome and \d+ without, 100 of each wanted: (\d+) too few",
        refused(0, rows=400),
    )
    assert refused(0, rows=200, slope=3.0).startswith("cannot be judged: ")


def test_what_true_probabilities_show_by_accident_is_as_simulated() -> None:
    rng = np.random.default_rng(0)
    probability = expit(rng.normal(-2.0, 1.2, ROWS))
    shown = []
    for _ in range(300):
        drawn = Outcomes.of(rng.random(ROWS) < probability, np.arange(ROWS))
        shown.append(drawn.value(drawn.ece(probability)))
    told = drawn.ece_by_chance(probability, 0.95)
    assert np.mean(np.array(shown) > told) == pytest.approx(0.05, abs=0.035)
