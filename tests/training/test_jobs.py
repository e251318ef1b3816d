"""Both jobs on a small generated shop, through the real features."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset
from tactful.models.base.calibration import KINDS
from tactful.models.base.errors import ModelError
from tactful.models.base.metrics import Outcomes
from tactful.models.scores.bgnbd import BGNBD_FEATURES
from tactful.training.data.errors import TrainingError
from tactful.training.data.splits import Split
from tactful.training.fit.evaluation import univariate
from tactful.training.fit.fitting import Table, fit_calibrated
from tactful.training.fit.job import STEPS, TrainingResult, learnable
from tactful.training.jobs import lapse
from tactful.training.jobs import response_imported as response
from tests.training.conftest import SMALL
from tests.training.shops import campaigns, frame, rows, write

JOBS = pytest.mark.parametrize("job", ["lapsed", "responded"])


@JOBS
def test_a_model_of_a_habit_beats_the_baselines(job: str, request: pytest.FixtureRequest) -> None:
    metrics = request.getfixturevalue(job).metrics
    assert metrics["auc"]["value"] > 0.6
    assert metrics["auc"]["low"] < metrics["auc"]["value"] < metrics["auc"]["high"]
    for baseline in metrics["baselines"].values():
        gain = metrics["auc"]["value"] - baseline["auc"]["value"]
        assert baseline["auc_gain"]["value"] == pytest.approx(gain)
        assert baseline["auc_gain"]["low"] <= gain <= baseline["auc_gain"]["high"]
        assert baseline["log_loss_gain"]["value"] == pytest.approx(
            baseline["log_loss"]["value"] - metrics["log_loss"]["value"]
        )


@JOBS
def test_the_record_is_json_and_complete(job: str, request: pytest.FixtureRequest) -> None:
    result: TrainingResult = request.getfixturevalue(job)
    assert json.loads(json.dumps(result.metrics, allow_nan=False)) == result.metrics
    split = result.metrics["split"]
    assert split["train"]["settled"] <= split["validation"]["from"]
    assert split["pool"]["settled"] <= split["test"]["from"]
    assert result.metrics["n"] == split["test"]["rows"] == len(result.test.probability)
    assert result.metrics["calibration"]["kind"] in KINDS
    assert result.parameters["seed"] == SMALL.seed


@JOBS
def test_the_model_that_is_kept_is_the_one_that_was_tested(job: str, request: pytest.FixtureRequest) -> None:
    result: TrainingResult = request.getfixturevalue(job)
    columns = [STANDARD.names.index(name) for name in result.model.customer_columns]
    values = result.test.features[:, columns]
    if result.model.per_action:
        values = np.hstack([values, result.model.encode(result.test.offers)])
    assert result.model.score(values).tolist() == result.test.probability.tolist()


def test_training_again_gives_the_same_model(shop: EventDataset, lapsed: TrainingResult) -> None:
    again = lapse.train(shop, parameters=SMALL)
    assert again.model.trees.text == lapsed.model.trees.text
    assert (again.model.calibration, again.metrics) == (lapsed.model.calibration, lapsed.metrics)


def test_the_order_events_arrived_in_changes_nothing(tmp_path: Path, lapsed: TrainingResult) -> None:
    shuffled = frame().sample(frac=1, random_state=0).reset_index(drop=True)
    again = lapse.train(write(shuffled, tmp_path / "events"), parameters=SMALL)
    assert again.model.trees.text == lapsed.model.trees.text


def test_what_happens_in_the_test_horizon_changes_no_model(tmp_path: Path, lapsed: TrainingResult) -> None:
    events = frame()
    future = events["time"] >= events["time"].max() - np.timedelta64(20, "D")
    last = future & (events["time"] == events["time"].max())
    fewer = events[~(future & (events["type"] == "purchase")) | last]
    other = lapse.train(write(fewer, tmp_path / "events"), parameters=SMALL)
    assert other.model.trees.text == lapsed.model.trees.text
    assert other.metrics["positives"] > lapsed.metrics["positives"]


def test_a_job_tells_its_steps(shop: EventDataset) -> None:
    told: list[tuple[str, int, int]] = []
    lapse.train(shop, parameters=SMALL, progress=lambda *step: told.append(step))
    assert told == [(step, number, len(STEPS)) for number, step in enumerate(STEPS, 1)]


def test_offers_are_coded_by_what_was_seen_before_the_test(responded: TrainingResult) -> None:
    coded = {feature.name: feature.categories for feature in responded.model.action_features}
    assert coded == {"campaign_type": ("A", "B"), "channel": ("mail",)}


def test_a_horizon_and_a_lookback_are_ones_own(shop: EventDataset) -> None:
    result = lapse.train(shop, horizon_days=60, lookback_days=90, parameters=SMALL)
    assert result.parameters["horizon_days"] == 60
    assert result.metrics["positives"] < result.metrics["n"]


def test_a_response_can_have_a_window_instead_of_a_campaign(shop: EventDataset, responded: TrainingResult) -> None:
    result = response.train(shop, window_days=20, parameters=SMALL)
    assert result.metrics["n"] == responded.metrics["n"]
    assert [feature.name for feature in result.model.action_features] == ["channel"]


def test_too_short_a_log_is_told(tmp_path: Path) -> None:
    dataset = write(frame(days=90), tmp_path / "events")
    with pytest.raises(TrainingError, match=r"too short a log: got '\d+ days, .*wanted at least 114 days"):
        lapse.train(dataset)
    with pytest.raises(TrainingError, match="too short a log to split"):
        response.train(dataset, campaigns())


def test_nobody_who_lapses_is_told(tmp_path: Path) -> None:
    daily = [rows(f"c{number}", "purchase", np.arange(0, 200)) for number in range(4)]
    with pytest.raises(ModelError, match=r"an outcome that never varies: got '0 of \d+'"):
        lapse.train(write(pd.concat(daily), tmp_path / "events"))


def test_what_names_the_moment_is_not_learnt_from() -> None:
    names = learnable(STANDARD)
    assert not {"weekday", "year_sin", "purchases_total", "days_since_first_purchase"} & set(names)
    assert {"purchases_28d", "days_since_purchase", "gap_last", "redemptions_365d"} <= set(names)
    assert list(names) == [name for name in STANDARD.names if name in names]


def test_other_features_can_be_learnt_from(shop: EventDataset) -> None:
    few: FeatureSet = STANDARD.subset(["days_since_purchase", "purchases_28d"])
    result = lapse.train(shop, feature_set=few, parameters=SMALL)
    assert result.model.customer_columns == few.names


def test_a_calibration_mends_what_trees_overdo() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(6000, 3))
    positive = generator.random(6000) < 1 / (1 + np.exp(-values[:, 0]))
    customers = np.array([f"c{number}" for number in range(6000)], dtype=object)
    part = np.repeat([0, 1, 2], [1200, 1200, 3600])
    split = Split(part == 0, part == 1, part <= 1, part == 2)
    overshooting = replace(SMALL, rounds=1, learning_rate=4.0, column_sample=1.0)
    found = fit_calibrated(Table(values, positive, customers, ("a", "b", "c")), split, overshooting)
    assert found.validation_log_loss["platt"] < found.validation_log_loss["identity"]
    outcomes = Outcomes.of(positive[part == 2], customers[part == 2])
    raw = found.trees.predict(values[part == 2])
    mended = found.calibration.apply(raw)
    assert outcomes.value(outcomes.log_loss(mended)) < outcomes.value(outcomes.log_loss(raw))
    assert outcomes.value(outcomes.ece(mended)) < outcomes.value(outcomes.ece(raw)) / 2


def test_a_baseline_ranks_by_its_one_number() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan] * 20)
    said = univariate(values, values >= 3, np.arange(120) < 60)
    assert list(np.argsort(said[:5])) == [0, 1, 2, 3, 4]
    assert said[5] == said[0]


def test_lapse_reads_what_the_rhythm_foretells_where_that_helps_on_validation(
    lapsed: TrainingResult, responded: TrainingResult
) -> None:
    losses = lapsed.metrics["outlook_log_loss"]
    assert (lapsed.model.outlook is not None) == (losses["with"] < losses["without"])
    assert (lapsed.model.trees.columns[-2:] == tuple(BGNBD_FEATURES)) == (lapsed.model.outlook is not None)
    assert responded.model.outlook is None
