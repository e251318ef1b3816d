"""Gradient-boosted trees for a yes-or-no outcome: LightGBM on plain arrays, read from and kept as its native text.

Ke et al. (2017), LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 30.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, TypeAlias

import lightgbm
import numpy as np
from numpy.typing import NDArray

from tactful.models.base.errors import ModelError
from tactful.models.base.tree_text import check_trees

Rows: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.bool_]

_SMALL_BATCH = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The settings of a fit.

    The defaults are strong regularisation for tens of thousands of rows: many small steps, small trees,
    large leaves. Classes are never reweighted, which would ruin the probabilities.

    Attributes:
        rounds: Trees at most; fewer where validation stops earlier.
        patience: Rounds without improvement on the validation rows after which the fit stops.
        learning_rate: Shrinkage of each tree.
        leaves: Leaves of a tree at most.
        leaf_rows: Rows in a leaf at least.
        row_sample: Share of the rows each tree sees.
        column_sample: Share of the columns each tree sees.
        l2: Ridge penalty on leaf values.
        seed: Of the samples of rows and columns.
        threads: A fit gives the same text for the same number of threads.
    """

    rounds: int = 600
    patience: int = 50
    learning_rate: float = 0.03
    leaves: int = 4
    leaf_rows: int = 100
    row_sample: float = 0.8
    column_sample: float = 0.4
    l2: float = 5.0
    seed: int = 7
    threads: int = 2

    def lightgbm(self) -> dict[str, Any]:
        """The same in LightGBM's names."""
        return {
            "objective": "binary",
            "metric": "binary_logloss",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.leaf_rows,
            "bagging_fraction": self.row_sample,
            "bagging_freq": 1,
            "feature_fraction": self.column_sample,
            "lambda_l2": self.l2,
            "seed": self.seed,
            "num_threads": self.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }

    def as_dict(self) -> dict[str, int | float]:
        """For the record."""
        return asdict(self)


class TreeModel:
    """Boosted trees that give the probability of an outcome, uncalibrated.

    Args:
        text: LightGBM's native text.

    Attributes:
        text: The same text; everything a model is.
        columns: Names of the columns it takes, in order.
        rounds: Number of trees.

    Raises:
        ModelError: The trees of the text cannot be walked; LightGBM would end the process or never return.
    """

    def __init__(self, text: str) -> None:
        check_trees(text)
        self.text = text
        self._booster = lightgbm.Booster(model_str=text)
        self.columns: tuple[str, ...] = tuple(self._booster.feature_name())
        self.rounds: int = self._booster.current_iteration()

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.text,)

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Probabilities of the outcome.

        A row gets the same bits alone and among others. Small batches run on one thread, which is faster and
        leaves the other cores to other requests.

        Args:
            rows: Shape (n, len(columns)); NaN is missing.

        Returns:
            Shape (n,), in (0, 1).

        Raises:
            ModelError: The rows have another number of columns.
        """
        self._check(rows)
        if not len(rows):
            return np.empty(0)
        threads = 1 if len(rows) <= _SMALL_BATCH else os.cpu_count() or 1
        return np.asarray(self._booster.predict(np.ascontiguousarray(rows), num_threads=threads))

    def contributions(self, rows: Rows) -> NDArray[np.float64]:
        """The part of each column in the log-odds of each row, before calibration: Shapley values.

        Lundberg, Erion and Lee (2018), Consistent Individualized Feature Attribution for Tree Ensembles,
        arXiv:1802.03888.

        Args:
            rows: Shape (n, len(columns)); NaN is missing.

        Returns:
            Shape (n, len(columns) + 1). The last column is the log-odds of the average row fitted to; a row sums to
            its log-odds.

        Raises:
            ModelError: The rows have another number of columns.
        """
        self._check(rows)
        return np.asarray(self._booster.predict(np.ascontiguousarray(rows), pred_contrib=True, num_threads=1))

    def importance(self) -> dict[str, float]:
        """Share of the total gain each column brought, largest first; the shares sum to 1, or are all 0."""
        gain = self._booster.feature_importance("gain")
        share = gain / gain.sum() if gain.sum() > 0 else gain
        return {self.columns[i]: float(share[i]) for i in np.argsort(-share, kind="stable")}

    def _check(self, rows: Rows) -> None:
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise ModelError("rows do not fit the model", got=rows.shape, wanted=f"(n, {len(self.columns)})")


def fit(
    rows: Rows,
    outcomes: Labels,
    columns: Sequence[str],
    parameters: Parameters,
    *,
    categorical: Sequence[str] = (),
    validation: tuple[Rows, Labels] | None = None,
) -> TreeModel:
    """Fits boosted trees to an outcome.

    Args:
        rows: Shape (n, k); NaN is missing.
        outcomes: Shape (n,).
        columns: Their k names.
        parameters: How to fit.
        categorical: The columns that hold category codes; the codes are small non-negative integers.
        validation: Later rows and their outcomes. Where given, the model keeps the number of trees at which
            their log-loss was least.

    Raises:
        ModelError: The outcome never varies, in the rows or among the validation rows.

    Example:
        >>> generator = np.random.default_rng(0)
        >>> rows = generator.normal(size=(2000, 2))
        >>> model = fit(rows, rows[:, 0] > 0, ["signal", "noise"], Parameters(rounds=20))
        >>> next(iter(model.importance()))
        'signal'
    """
    _check_varies(outcomes, "rows to fit")
    train = _dataset(rows, outcomes, columns, categorical, None)
    callbacks, held_out = [], []
    if validation is not None:
        _check_varies(validation[1], "rows to validate")
        held_out = [_dataset(*validation, columns, categorical, train)]
        callbacks = [lightgbm.early_stopping(parameters.patience, verbose=False)]
    booster = lightgbm.train(parameters.lightgbm(), train, parameters.rounds, valid_sets=held_out, callbacks=callbacks)
    return TreeModel(booster.model_to_string(num_iteration=booster.best_iteration or -1))


def _dataset(rows: Rows, outcomes: Labels, columns: Sequence[str], categorical: Sequence[str], like: Any) -> Any:
    return lightgbm.Dataset(
        np.ascontiguousarray(rows),
        outcomes.astype(np.float64),
        feature_name=list(columns),
        categorical_feature=list(categorical),
        reference=like,
        params={"verbosity": -1, "deterministic": True},
    )


def _check_varies(outcomes: Labels, where: str) -> None:
    positives = int(outcomes.sum())
    if not 0 < positives < len(outcomes):
        raise ModelError(
            "an outcome that never varies",
            got=f"{positives} of {len(outcomes)}",
            wanted="both outcomes",
            where=where,
        )
