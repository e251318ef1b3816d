"""Doubly robust scores: for each row and action, an unbiased guess of what the action would have brought.

Robins, Rotnitzky, Zhao (1994), Estimation of regression coefficients when some regressors are not always
observed, JASA 89. Chernozhukov et al. (2018), Double/debiased machine learning for treatment and structural
parameters, Econometrics Journal 21.
"""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from tactful.features.array_types import Floats, Ints
from tactful.models.base.gbm import Parameters, fit
from tactful.models.effects.log import Log

Nuisance: TypeAlias = Literal["trees", "linear"]

_RIDGE = 10.0
_BORROWED_ROWS = 10.0


class Scores(NamedTuple):
    """Scores of a log and what they say on average.

    Attributes:
        difference: Each action's score minus the baseline's, shape (n, k).
        average: Their mean over comparable rows, shape (k,); NaN where it or the baseline was never taken there.
        covariance: Of the averages, customers independent, shape (k, k).
    """

    difference: Floats
    average: Floats
    covariance: Floats


def scores(design: Floats, log: Log, fold: Ints, nuisance: Nuisance, parameters: Parameters) -> Scores:
    """Augmented inverse-probability scores with cross-fitted outcome models.

    Γ_a = m_a(x) + 1{A = a} / e_a · (y − m_a(x)), where m_a was fitted to other customers (Robins et al. 1994,
    Chernozhukov et al. 2018). With true probabilities e, the mean of Γ_a is unbiased whatever m is; a good m
    makes it precise.

    Args:
        design: Rows as numbers, shape (n, k).
        log: Of the same rows.
        fold: Of each row, the same for all rows of a customer, shape (n,).
        nuisance: Boosted trees, for outcomes of 0 and 1, or a ridge regression.
        parameters: Of the trees.
    """
    expected = np.empty((len(design), len(log.actions)))
    for j in np.unique(fold):
        learn, ask = fold != j, fold == j
        model = _fit_trees if nuisance == "trees" and 0 < log.outcome[learn].mean() < 1 else _fit_linear
        expected[ask] = model(
            design[learn], log.action[learn], log.outcome[learn], design[ask], expected.shape[1], parameters
        )
    row = np.arange(len(design))
    residual = log.outcome - expected[row, log.action]
    score = expected.copy()
    score[row, log.action] += residual / log.probability
    difference = score - score[:, :1]
    return _averaged(difference, residual, log)


def _fit_trees(
    rows: Floats, action: Ints, outcome: Floats, ask: Floats, actions: int, parameters: Parameters
) -> Floats:
    """One model of all actions, which borrows strength for the rare ones; predictions for each, shape (n, actions)."""
    columns = [f"x{i}" for i in range(rows.shape[1] + actions)]
    model = fit(np.hstack([rows, np.eye(actions)[action]]), outcome > 0, columns, parameters)
    flags = np.eye(actions)
    return np.column_stack([model.predict(np.hstack([ask, np.tile(flag, (len(ask), 1))])) for flag in flags])


def _fit_linear(rows: Floats, action: Ints, outcome: Floats, ask: Floats, actions: int, _: Parameters) -> Floats:
    """Ridge regression on the rows and the action, around the mean outcome."""
    design = np.hstack([rows, np.eye(actions)[action]])
    mean = outcome.mean()
    gram = design.T @ design + _RIDGE * np.eye(design.shape[1])
    slopes = np.linalg.solve(gram, design.T @ (outcome - mean))
    return np.asarray(mean + (ask @ slopes[: rows.shape[1]])[:, None] + slopes[rows.shape[1] :])


def _averaged(difference: Floats, residual: Floats, log: Log) -> Scores:
    comparable = log.comparable()
    rows = comparable.sum(axis=0)
    taken = (comparable & np.eye(len(log.actions), dtype=bool)[log.action]).sum(axis=0)
    left_alone = (comparable & (log.action == 0)[:, None]).sum(axis=0)
    average = np.where(comparable, difference, 0).sum(axis=0) / np.maximum(rows, 1)
    average[(taken == 0) | (left_alone == 0)] = np.nan
    influence = np.where(comparable, difference - np.nan_to_num(average), 0) / np.maximum(rows, 1)
    of_customer = np.zeros((log.customer.max() + 1, len(log.actions)))
    np.add.at(of_customer, log.customer, influence)
    return Scores(difference, average, of_customer.T @ of_customer + _borrowed(residual, rows, log))


def _borrowed(residual: Floats, rows: Ints, log: Log) -> Floats:
    """Variance that few rows of an action cannot show: five customers without an answer look certain.

    The residual variance of an action counts as if ten more rows had that of the whole log.
    """
    size = len(log.actions)
    weight = np.bincount(log.action, log.probability**-2, minlength=size)
    own = np.bincount(log.action, (residual / log.probability) ** 2, minlength=size)
    taken = np.bincount(log.action, minlength=size)
    lacking = np.maximum(weight * residual.var() - own, 0) * _BORROWED_ROWS / (_BORROWED_ROWS + taken)
    shared = np.full((size, size), lacking[0])
    return np.asarray((shared + np.diag(lacking)) / np.maximum(np.outer(rows, rows), 1))
