"""Trees and calibration from rows split in time.

1. Trees fitted to `train` stop at the number of rounds with the least log-loss on `validation`.
2. Each calibration is fitted to what trees say of customers of `train` they were not fitted to. The one with
   the least log-loss on `validation` is chosen; none, if none is better than no calibration.
3. Trees with that number of rounds are fitted to `pool`, so that the latest settled outcomes count, and the
   chosen calibration to what trees say of customers of `pool` they were not fitted to.

The third step is scikit-learn's `CalibratedClassifierCV(ensemble=False)` with folds of customers.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tactful.models.base.calibration import KINDS, Beta, Identity, Platt
from tactful.models.base.gbm import Parameters, TreeModel, fit
from tactful.models.base.metrics import Outcomes
from tactful.training.data.splits import Split

FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows to fit to.

    Attributes:
        values: Shape (n, k); NaN is missing.
        positive: Outcomes, shape (n,).
        customers: Ids, shape (n,).
        columns: Names, length k.
        categorical: Those of them that hold category codes.
    """

    values: NDArray[np.float64]
    positive: NDArray[np.bool_]
    customers: NDArray[np.object_]
    columns: tuple[str, ...]
    categorical: tuple[str, ...] = ()

    def rows(self, mask: NDArray[np.bool_]) -> "Table":
        """The masked rows."""
        return replace(self, values=self.values[mask], positive=self.positive[mask], customers=self.customers[mask])


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The fitted model, and the reasons for its form.

    Attributes:
        trees: Fitted to the pool.
        calibration: The chosen kind, fitted to the pool.
        validation_log_loss: Of each kind of calibration.
    """

    trees: TreeModel
    calibration: Identity | Platt | Beta
    validation_log_loss: dict[str, float]


def fit_calibrated(table: Table, split: Split, parameters: Parameters) -> Fit:
    """Fits trees and calibration as this module's head describes.

    Raises:
        ModelError: The outcome never varies in one of the parts.
    """
    train, validation, pool = (table.rows(mask) for mask in (split.train, split.validation, split.pool))
    early = _trees(train, parameters, validation)
    settled = replace(parameters, rounds=early.rounds)
    out_of_fold = _out_of_fold(train, settled)
    predicted = early.predict(validation.values)
    outcomes = Outcomes.of(validation.positive, validation.customers)
    losses = {
        name: outcomes.value(outcomes.log_loss(kind.fit(out_of_fold, train.positive).apply(predicted)))
        for name, kind in KINDS.items()
    }
    chosen = KINDS[min(losses, key=losses.__getitem__)]
    calibration = Identity() if chosen is Identity else chosen.fit(_out_of_fold(pool, settled), pool.positive)
    return Fit(_trees(pool, settled), calibration, losses)


def validation_log_loss(table: Table, split: Split, parameters: Parameters) -> float:
    """Of trees fitted to `train` that stop where it is least, uncalibrated: by this, columns are chosen.

    Raises:
        ModelError: The outcome never varies in one of the parts.
    """
    validation = table.rows(split.validation)
    outcomes = Outcomes.of(validation.positive, validation.customers)
    predicted = _trees(table.rows(split.train), parameters, validation).predict(validation.values)
    return float(outcomes.value(outcomes.log_loss(predicted)))


def _trees(table: Table, parameters: Parameters, validation: Table | None = None) -> TreeModel:
    later = None if validation is None else (validation.values, validation.positive)
    return fit(
        table.values,
        table.positive,
        table.columns,
        parameters,
        categorical=table.categorical,
        validation=later,
    )


def _out_of_fold(table: Table, parameters: Parameters) -> NDArray[np.float64]:
    """The prediction for each row of trees that were fitted to the other folds of customers."""
    fold = np.unique(table.customers.astype(str), return_inverse=True)[1] % FOLDS
    predicted = np.empty(len(fold))
    for number in range(FOLDS):
        held_out = fold == number
        predicted[held_out] = _trees(table.rows(~held_out), parameters).predict(table.values[held_out])
    return predicted
