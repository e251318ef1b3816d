"""The BG/NBD model by itself as a candidate: what may be the first champion where the trees do not beat it."""

from dataclasses import replace

import numpy as np

from tactful.models.scores.bgnbd import HISTORY
from tactful.models.scores.rhythm import RhythmModel
from tactful.training.fit.calibrated import by_action, doubts
from tactful.training.fit.candidate import Candidate
from tactful.training.fit.evaluation import evaluate
from tactful.training.fit.job import TrainingResult


def rhythm_candidate(result: TrainingResult) -> Candidate | None:
    """The BG/NBD model by itself, judged by its calibration on the same test rows; None where it was not fitted.

    Args:
        result: Of the lapse job.
    """
    if result.outlook is None:
        return None
    positions = [result.feature_set.names.index(name) for name in HISTORY]
    model = RhythmModel(result.outlook, result.dataset.digest, {}, result.model.learnt_until)
    probability = model.score(result.test.features[:, positions])
    if not np.isfinite(probability).all():
        return None
    test = replace(result.test, probability=probability, baselines={})
    metrics = {**evaluate(test), **by_action(test, ())}
    summary = {name: metrics[name] for name in ("auc", "log_loss", "ece", "n", "positives")}
    return Candidate(
        name=result.name,
        label=result.label,
        model=replace(model, metrics=summary),
        feature_set=result.feature_set,
        data_digest=result.dataset.digest,
        parameters={"horizon_days": result.outlook.horizon_days},
        metrics=metrics,
        refusals=doubts(metrics),
    )
