"""A classifier of a training job as a candidate: its refusals, and its gains over the champion."""

import math
from typing import Any, cast

import numpy as np

from tactful.features.definitions.definitions import FeatureSet
from tactful.models.base.model import CustomerModel, Model, Target
from tactful.models.scores.classifier import FittedModel
from tactful.models.scores.rhythm import RhythmModel
from tactful.training.figures.plots import figures
from tactful.training.fit.calibrated import by_action, doubts
from tactful.training.fit.candidate import Candidate, Interval, above, short_of, shown
from tactful.training.fit.evaluation import TestRows, as_json
from tactful.training.fit.fallback import rhythm_candidate
from tactful.training.fit.job import TrainingResult

TOLERANCES = {"log-loss": 0.01, "AUC": math.inf}
"""What a challenger may be worse by than the champion, at the low end of the interval; AUC is reported, no more."""
_PROBABILITIES = {FittedModel.KIND, RhythmModel.KIND}


def candidate_of(result: TrainingResult) -> Candidate:
    """A model of probabilities, judged by its test rows.

    It must beat each baseline in log-loss, a proper score, with the whole 95 % interval of the paired difference, and
    be calibrated, see `tactful.training.fit.calibrated`. AUC is reported beside it and refuses nothing: it tells ranks
    alone.

    Args:
        result: Of a training job.
    """
    metrics = {**result.metrics, **by_action(result.test, _kinds(result.test))}
    return Candidate(
        name=result.name,
        label=result.label,
        model=result.model,
        feature_set=result.feature_set,
        data_digest=result.dataset.digest,
        parameters=result.parameters,
        metrics=metrics,
        refusals=refusals(metrics),
        tolerances=TOLERANCES,
        gains_over=lambda champion: gains(result.test, champion, result.model, result.feature_set),
        figures=lambda: figures(result),
        fallback=lambda: rhythm_candidate(result),
    )


def refusals(metrics: dict[str, Any]) -> tuple[str, ...]:
    """Why a model of probabilities may not be used, by its figures."""
    reasons = [
        f"not better than {name} alone: log-loss gain {shown(gain)}, {short_of(gain, 0.0)}"
        for name, baseline in metrics["baselines"].items()
        if not above(gain := baseline["log_loss_gain"], 0.0)
    ]
    return (*reasons, *doubts(metrics))


def gains(test: TestRows, champion: Model, model: FittedModel, feature_set: FeatureSet) -> dict[str, Interval]:
    """By how much a model is better than another on the same test rows, on the same draws of customers.

    Returns:
        `AUC` and `log-loss`, above 0 where it is better; empty where the other scores something else.
    """
    if champion.KIND not in _PROBABILITIES or champion.target is not model.target:
        return {}
    positions = [feature_set.names.index(name) for name in champion.customer_columns]
    rows = test.features[:, positions]
    if champion.target is Target.ACTIONS:
        rows = np.hstack([rows, cast("FittedModel", champion).encode(test.offers)])
    probability = cast("CustomerModel", champion).score(rows)
    outcomes = test.outcomes
    found = outcomes.estimate(
        {
            "AUC": outcomes.auc(test.probability) - outcomes.auc(probability),
            "log-loss": outcomes.log_loss(probability) - outcomes.log_loss(test.probability),
        }
    )
    return {measure: as_json(estimate) for measure, estimate in found.items()}


def _kinds(test: TestRows) -> list[str]:
    """The offers, in words; empty where there were none."""
    return [" ".join(str(value) for _, value in sorted(offer.items())) for offer in test.offers]
