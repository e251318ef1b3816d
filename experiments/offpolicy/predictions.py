"""Predicted rewards where no model is at hand: a ridge regression by option, fitted on other customers."""

import numpy as np
from numpy.typing import ArrayLike

from tactful.experiments.base.errors import LogError
from tactful.experiments.offpolicy.log import Log
from tactful.features.array_types import Floats


def cross_fitted(log: Log, features: ArrayLike, *, folds: int = 5, penalty: float = 10.0, seed: int = 0) -> Floats:
    """The reward of each option as predicted by a model that has not seen the customer.

    One ridge regression for each option and fold, its level drawn towards the mean of all options, so that an option
    rarely chosen is predicted to be an ordinary one.

    Source: Chernozhukov and others (2018), Double/Debiased Machine Learning, for the cross-fitting.

    Args:
        log: The log.
        features: The features known before each decision, shape (n, p), finite.
        folds: Parts into which the customers are divided, at least 2 and at most as many as there are customers.
        penalty: Weight of the prior, in decisions; above 0.
        seed: Another seed divides the customers otherwise.

    Returns:
        Shape (n, k), in the unit of the rewards.

    Raises:
        LogError: If the features do not fit the log, or there are too few customers.
    """
    given = np.asarray(features, dtype=np.float64)
    if given.ndim != 2 or len(given) != len(log) or not np.isfinite(given).all():
        raise LogError("features that do not fit", got=given.shape, wanted=f"finite, shape ({len(log)}, p)")
    if not 2 <= folds <= log.customer_count:
        raise LogError("folds that cannot be", got=folds, wanted=f"2 to {log.customer_count}, the customers")
    spread = given.std(axis=0)
    scaled = (given - given.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    fold = (np.random.default_rng(seed).permutation(log.customer_count) % folds)[log.clusters]
    predictions = np.empty(log.target.shape)
    for held in range(folds):
        seen = fold != held
        level = float(log.rewards[seen].mean())
        for option in range(log.target.shape[1]):
            rows = seen & (log.choices == option)
            predictions[~seen, option] = _ridge(scaled[rows], log.rewards[rows], scaled[~seen], level, penalty)
    return predictions


def _ridge(known: Floats, rewards: Floats, unknown: Floats, level: float, penalty: float) -> Floats:
    """Predictions for unknown rows; the level for all where nothing is known."""
    if not len(known):
        return np.full(len(unknown), level)
    centre = known.mean(axis=0)
    moved = known - centre
    slopes = np.linalg.solve(moved.T @ moved + penalty * np.eye(known.shape[1]), moved.T @ (rewards - rewards.mean()))
    intercept = (rewards.sum() + penalty * level) / (len(known) + penalty)
    predicted: Floats = intercept + (unknown - centre) @ slopes
    return predicted
