"""The response model from logged decisions with offers."""

from dataclasses import replace

import numpy as np
import pytest

from tactful.models.base.gbm import Parameters
from tactful.models.scores.classifier import FittedModel
from tactful.training.data.errors import TrainingError
from tactful.training.data.rows import DecisionRows
from tactful.training.jobs.response_logged import train
from tests.training.decided import windowed

SMALL = Parameters(rounds=60, leaves=4, leaf_rows=40, learning_rate=0.1, threads=1)
FEATURES = windowed("spend", "contacts_7d")
OFFERS = {"coupon": {"discount": 5.0}, "news": {"discount": 0.0}}
DAY = 86_400_000_000


def contacts(seed: int = 0, count: int = 4000) -> DecisionRows:
    """Contacts over 200 days: answered by spenders, more so with a coupon, less when tired."""
    rng = np.random.default_rng(seed)
    features = np.column_stack([rng.normal(size=count), rng.poisson(1, count)])
    taken = rng.integers(1, 4, count)
    odds = -1.5 + features[:, 0] + 1.0 * (taken == 1) - 0.5 * features[:, 1]
    moments = np.sort(rng.integers(0, 200, count)) * DAY
    return DecisionRows(
        ids=np.array([f"d{i}" for i in range(count)], dtype=object),
        customers=np.array([f"c{i}" for i in rng.integers(0, 800, count)], dtype=object),
        moments=moments,
        settled=moments + 7 * DAY,
        features=features,
        feature_names=FEATURES.names,
        arms=("silence", "coupon", "news", "welcome"),
        taken=taken,
        probabilities=np.full((count, 4), 0.25),
        outcomes=(rng.random(count) < 1 / (1 + np.exp(-odds))).astype(float),
        values=np.zeros(count),
        channels=np.where(rng.random(count) < 0.5, "email", "push").astype(object),
    )


def test_answers_are_learnt_with_offer_channel_and_pressure() -> None:
    told: list[str] = []
    found = train(
        contacts(), OFFERS, feature_set=FEATURES, parameters=SMALL, progress=lambda step, *_: told.append(step)
    )
    assert told == ["features", "fit", "evaluation"]
    assert isinstance(found.model, FittedModel)
    assert found.model.trees.columns == ("spend", "contacts_7d", "channel", "discount")
    assert found.metrics["baselines"]["message"]["auc_gain"]["low"] > 0
    assert {one["arm"] for one in found.metrics["by_action"]} == {"coupon", "news"}
    assert all(abs(one["predicted"] - one["observed"]) < 3 * one["error"] for one in found.metrics["by_action"])
    assert found.refusals == () or found.refusals[0].startswith("not calibrated")
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found.gains_over(found.model) == {"AUC": nothing, "log-loss": nothing}
    assert list(found.figures()) == ["calibration", "roc", "importance"]


def test_the_test_lies_after_what_was_settled() -> None:
    found = train(contacts(), OFFERS, feature_set=FEATURES, parameters=SMALL)
    rows = found.metrics["rows"]
    assert rows["test"] < rows["pool"] < 4000 * 2 / 3


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(TrainingError, match="no contact with an offer"):
        train(contacts(), {"other": {"discount": 1.0}}, feature_set=FEATURES, parameters=SMALL)
    with pytest.raises(TrainingError, match="other features than the model's: got 2; wanted the 1"):
        train(contacts(), OFFERS, feature_set=windowed("spend"), parameters=SMALL)
    young = contacts().where(np.arange(4000) < 60)
    with pytest.raises(TrainingError, match="too short a log"):
        train(replace(young, settled=young.moments + 90 * DAY), OFFERS, feature_set=FEATURES, parameters=SMALL)
