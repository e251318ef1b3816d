"""The columns that moved the scores of the rows a model was tested on."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tactful.models.base.shap import Reason, by_family, reasons
from tactful.models.scores.bgnbd import BGNBD_FEATURES
from tactful.training.fit.job import TrainingResult
from tactful.training.studies.segments import Bands, Segment, mean_by_segment


def tree_rows(result: TrainingResult) -> NDArray[np.float64]:
    """The test rows as the trees read them: the customer's columns, then the predictions or the offer's."""
    names, model, test = result.feature_set.names, result.model, result.test
    customer = test.features[:, [names.index(column) for column in model.customer_columns]]
    return np.hstack([customer, model.encode(test.offers)]) if model.per_action else model.tree_rows(customer)


def family_weights(result: TrainingResult) -> list[Segment]:
    """By how much each family of features moves the log-odds of a test row, up or down, on average; most first."""
    parts = result.model.trees.contributions(tree_rows(result))
    families = {**result.feature_set.families, "outlook": tuple(BGNBD_FEATURES)}
    everyone = np.zeros(len(parts), dtype=np.int64)
    weights = [
        mean_by_segment(result.test.outcomes, np.abs(moved), Bands((family,), everyone))[0]
        for family, moved in by_family(parts, result.model.trees.columns, families).items()
    ]
    return sorted(weights, key=lambda weight: -weight.estimate.value)


def reasons_of(result: TrainingResult, row: int, *, most: int = 4) -> list[Reason]:
    """The reasons for the score of one test row; a category of its offer stands by its name.

    Args:
        result: Of a training job.
        row: Its position among the test rows.
        most: How many at most.
    """
    offer = result.test.offers[row] if result.test.offers else {}
    found = reasons(result.model.trees, tree_rows(result)[row], most=most)
    return [replace(reason, value=offer.get(reason.column, reason.value)) for reason in found]


def reasons_in_words(result: TrainingResult, row: int, *, most: int = 4) -> list[str]:
    """The same as clauses, in the features' own descriptions."""
    descriptions = {feature.name: feature.description for feature in result.feature_set.features}
    return [reason.in_words({**BGNBD_FEATURES, **descriptions}) for reason in reasons_of(result, row, most=most)]
