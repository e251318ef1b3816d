"""The value model on generated shops: labels, figures, what it refuses."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import DAY, microseconds
from tactful.models.base.gbm import Parameters
from tactful.models.scores.value import ValueModel
from tactful.training.data.errors import TrainingError
from tactful.training.fit.candidate import Candidate
from tactful.training.jobs import value
from tests.training.shops import OPENED, frame, rows, write

SMALL = Parameters(rounds=80, leaves=4, leaf_rows=40, learning_rate=0.1, threads=1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> EventDataset:
    return write(frame(0), tmp_path_factory.mktemp("shop") / "events")


@pytest.fixture(scope="module")
def trained(dataset: EventDataset) -> Candidate:
    return value.train(dataset, window_days=56, parameters=SMALL, margin=0.5)


def test_spend_counts_from_the_moment_to_the_end_of_the_window(tmp_path: Path) -> None:
    events = pd.concat([rows("ada", "purchase", [1.0, 10.0, 37.9, 38.0]), rows("ben", "purchase", [20.0])])
    moment = microseconds((OPENED + pd.Timedelta(days=10)).to_pydatetime())
    found = value.spends(write(events, tmp_path / "e"), [moment], 28)
    assert dict(zip(found.customers, found.spend, strict=True)) == {"ada": 20.0}
    before = value.spends_between(write(events, tmp_path / "f"), moment - 9 * DAY, moment)
    assert before == {"ada": 10.0, "ben": 0.0}


def test_the_test_lies_after_all_that_was_learnt_from(trained: Candidate) -> None:
    assert trained.metrics["rows"]["pool"] > trained.metrics["rows"]["test"] > 200
    assert set(trained.metrics["baselines"]) == {"past spend"}
    assert (
        trained.metrics["deviance"]["low"] < trained.metrics["deviance"]["value"] < trained.metrics["deviance"]["high"]
    )


def test_the_score_is_the_margin_of_a_year(trained: Candidate) -> None:
    model = trained.model
    assert isinstance(model, ValueModel)
    assert 0 < model.retention <= 1
    ask = np.zeros((3, len(model.customer_columns)))
    assert model.score(ask) == pytest.approx(model.trees.predict(ask) * model.extension * 0.5)
    assert model.extension <= 365 / 56
    assert list(trained.figures()) == ["calibration", "importance"]


def test_customers_who_leave_are_seen_in_the_retention(trained: Candidate) -> None:
    assert trained.metrics["retention"]["windows"] > 0
    assert trained.metrics["retention"]["value"] < 1


def test_a_champion_that_says_the_same_gains_nothing(trained: Candidate) -> None:
    assert trained.gains_over(trained.model) == {"deviance": {"value": 0.0, "low": 0.0, "high": 0.0}}


def test_the_same_log_gives_the_same_model(dataset: EventDataset, trained: Candidate) -> None:
    again = value.train(dataset, window_days=56, parameters=SMALL, margin=0.5)
    assert isinstance(again.model, ValueModel)
    assert isinstance(trained.model, ValueModel)
    assert again.model.trees.text == trained.model.trees.text
    assert again.metrics == trained.metrics


@pytest.mark.parametrize("ends", ["2024-05-20", "2024-12-16"])
def test_windows_end_at_local_midnights_whatever_the_clocks_do(tmp_path: Path, ends: str) -> None:
    events = frame(0, customers=120, days=200)
    events["time"] += pd.Timestamp(ends, tz="UTC") - events["time"].max()
    shop = write(events, tmp_path / "events", zone="Europe/London")
    found = value.train(shop, window_days=28, parameters=SMALL)
    assert found.model.learnt_until is not None
    last = pd.Timestamp(found.model.learnt_until).tz_convert("Europe/London")
    assert last == last.normalize()
    midnights = [last - pd.DateOffset(days=28 * back) for back in range(8)]
    earlier = [at.tz_convert("UTC").value // 1000 for at in midnights[1:]]
    labelled = value.spends(shop, [at for at in earlier if at >= microseconds(events["time"].min()) + 28 * DAY], 28)
    assert found.metrics["rows"]["pool"] == len(labelled.spend)
    assert found.metrics["retention"]["windows"] > 0


def test_what_cannot_be_is_told(dataset: EventDataset) -> None:
    with pytest.raises(TrainingError, match="unfit margin: got 0"):
        value.train(dataset, margin=0)
    with pytest.raises(TrainingError, match="too short a log for a value"):
        value.train(dataset, window_days=150)
