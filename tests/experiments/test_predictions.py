"""Predictions of rewards by models that have not seen the customer."""

import numpy as np
import pytest

from tactful.experiments.base.errors import LogError
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.predictions import cross_fitted
from tests.experiments.gated import REWARDS, simulated


def test_with_many_decisions_the_predictions_are_the_means() -> None:
    log, segment = simulated(0, customers=20_000)
    predictions = cross_fitted(log, np.eye(3)[segment])
    assert np.abs(predictions - REWARDS[segment]).max() < 0.15


def test_what_a_customer_did_moves_no_prediction_for_them() -> None:
    log, segment = simulated(1)
    own = log.customers == log.customers[0]
    rewards = np.where(own, log.rewards + 1000, log.rewards)
    changed = Log(log.choices, log.logged, log.target, rewards, log.customers, log.options)
    before, after = (cross_fitted(made, np.eye(3)[segment]) for made in (log, changed))
    assert (before[own] == after[own]).all()
    assert (before[~own] != after[~own]).any()


def test_an_option_never_chosen_is_predicted_to_be_an_ordinary_one() -> None:
    log = Log([0, 0, 0, 0], [[0.9, 0.1]] * 4, [[0.5, 0.5]] * 4, [1, 1, 3, 3], [0, 0, 1, 1])
    assert cross_fitted(log, np.zeros((4, 1)), folds=2)[:, 1].tolist() == [3, 3, 1, 1]


@pytest.mark.parametrize(
    ("features", "folds", "message"),
    [
        (np.zeros(4), 2, "features that do not fit"),
        (np.zeros((3, 1)), 2, "features that do not fit"),
        (np.full((4, 1), np.nan), 2, "features that do not fit"),
        (np.zeros((4, 1)), 1, "folds that cannot be: got 1; wanted 2 to 2"),
        (np.zeros((4, 1)), 3, "folds that cannot be: got 3"),
    ],
)
def test_what_cannot_be_fitted_is_refused(features: np.ndarray, folds: int, message: str) -> None:
    log = Log([0, 0, 0, 0], [[0.9, 0.1]] * 4, [[0.5, 0.5]] * 4, [1, 1, 3, 3], [0, 0, 1, 1])
    with pytest.raises(LogError, match=message):
        cross_fitted(log, features, folds=folds)
