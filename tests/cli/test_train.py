import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tactful.cli.commands.learning.train import train_app
from tactful.cli.wiring.training_jobs import value_job
from tactful.features.errors import EventError
from tactful.models.base.errors import RegistryError
from tactful.models.bundles.registry import MlflowRegistry
from tactful.training.data.errors import TrainingError
from tactful.training.fit.job import STEPS
from tests.training.shops import campaigns, frame, write
from tests.training.test_renewals import generated


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write(frame(), folder / "events")
    campaigns().to_parquet(folder / "campaigns.parquet")
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(train_app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def answered(*arguments: str | Path) -> Any:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_churn_says_what_it_learnt_in_json(shop: Path) -> None:
    told = answered("churn", "--events", shop / "events", "--no-track", "--json")
    assert told["name"] == "lapse"
    assert told["parameters"]["horizon_days"] == 28
    assert {"auc", "log_loss", "ece", "n", "positives", "baselines", "split"} <= set(told)
    assert (told["run"], told["promotion"]) == (None, None)
    assert told["data"]["events"] == len(frame())


def test_churn_says_what_it_learnt_in_a_table(shop: Path) -> None:
    result = run("churn", "--events", shop / "events", "--no-track", "--horizon", "6w", "--lookback", "90d")
    assert result.exit_code == 0
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    assert lines[0].startswith("lapse: 2")
    assert [line.split("  ")[0] for line in lines[3:8]] == ["the model", "frequency", "recency", "rfm", "bgnbd"]
    assert lines[8].startswith("Learnt from ")


def test_churn_learns_contracts_that_are_not_renewed(tmp_path: Path) -> None:
    _, table, _ = generated(tmp_path, customers=1500)
    table.to_parquet(tmp_path / "contracts.parquet")
    told = answered(
        "churn", "--events", tmp_path / "events", "--contracts", tmp_path / "contracts.parquet", "--no-track", "--json"
    )
    assert told["name"] == "contract_churn"
    assert told["parameters"]["notice_days"] == 30
    assert set(told["baselines"]) == {"use", "rfm"}
    missing = run("churn", "--events", tmp_path / "events", "--contracts", tmp_path / "none.parquet", "--no-track")
    assert "no contracts" in str(missing.exception)


def test_response_takes_the_campaigns_beside_the_events(shop: Path) -> None:
    told = answered("response", "--events", shop / "events", "--no-track", "--json")
    assert told["parameters"]["window"] == "campaign"
    same = answered(
        "response", "--events", shop / "events", "--campaigns", shop / "campaigns.parquet", "--no-track", "--json"
    )
    assert same["auc"] == told["auc"]


def test_response_takes_a_window_instead(shop: Path) -> None:
    told = answered("response", "--events", shop / "events", "--window", "20d", "--no-track", "--json")
    assert told["parameters"]["window"] == "20 days"


def test_all_tracks_and_registers_and_releases_nothing_the_gate_refused(shop: Path, tmp_path: Path) -> None:
    store, bundle = tmp_path / "mlflow", tmp_path / "bundle"
    result = run("all", "--events", shop / "events", "--store", store, "--bundle", bundle, "--json")
    assert isinstance(result.exception, RegistryError)
    assert not bundle.exists()
    models = json.loads(result.stdout)["models"]
    registry = MlflowRegistry(store)
    for name in ("lapse", "response"):
        assert models[name]["run"]
        assert models[name]["promotion"]["promoted"] is False
        assert models[name]["promotion"]["reasons"]
        assert (registry.versions(name), registry.champion(name)) == (("1",), None)


@pytest.mark.parametrize("horizon", ["28", "0d", "12h", "a month"])
def test_a_horizon_that_is_none_is_told(shop: Path, horizon: str) -> None:
    result = run("churn", "--events", shop / "events", "--horizon", horizon)
    assert result.exit_code == 2
    assert "such as" in " ".join(result.stderr.split())


def test_what_is_missing_is_told(shop: Path, tmp_path: Path) -> None:
    assert isinstance(run("churn", "--events", tmp_path).exception, EventError)
    error = run("response", "--events", shop / "events", "--campaigns", tmp_path / "none.parquet").exception
    assert isinstance(error, TrainingError)
    assert "wanted a Parquet file of campaigns, or --window" in str(error)
    error = run("churn", "--events", shop / "events", "--horizon", "200d").exception
    assert isinstance(error, TrainingError)
    assert "too short a log: got '300 days" in str(error)


def test_the_same_job_is_found_and_not_done_again(shop: Path, tmp_path: Path) -> None:
    arguments = ("value", "--events", shop / "events", "--window", "8w", "--store", tmp_path, "--json")
    first, again = (json.loads(run(*arguments).stdout) for _ in range(2))
    assert (first["found"], again["found"]) == (False, True)
    assert {**again, "found": False} == first
    other = json.loads(run(*arguments, "--margin", "0.5").stdout)
    assert other["found"] is False
    assert other["parameters"]["margin"] == 0.5


def test_value_says_what_it_learnt_in_a_table(shop: Path) -> None:
    result = run("value", "--events", shop / "events", "--window", "8w", "--no-track")
    assert result.exit_code == 0, result.output
    assert "past spend" in result.stdout
    assert "deviance" in result.stdout


def test_the_value_job_tells_its_steps(shop: Path) -> None:
    told: list[tuple[str, int, int]] = []
    value_job(shop / "events", 56, 1.0).train(lambda *step: told.append(step))
    assert told == [(step, number, len(STEPS)) for number, step in enumerate(STEPS, 1)]


def test_campaigns_cannot_show_an_effect(shop: Path) -> None:
    with pytest.raises(TrainingError, match="a log that cannot show an effect: got 'imported contacts without"):
        CliRunner().invoke(train_app, ["effect", "--events", str(shop / "events")], catch_exceptions=False)


def test_a_log_in_which_nobody_leaves_shows_no_pressure(shop: Path) -> None:
    with pytest.raises(TrainingError, match="a log that cannot show who leaves"):
        CliRunner().invoke(train_app, ["pressure", "--events", str(shop / "events")], catch_exceptions=False)


def test_a_refused_model_exits_with_1_until_somebody_insists(shop: Path, tmp_path: Path) -> None:
    arguments = ("churn", "--events", shop / "events", "--store", tmp_path)
    refused, found = run(*arguments), run(*arguments)
    assert (refused.exit_code, found.exit_code) == (1, 1)
    assert "Version 1: not promoted." in refused.stdout
    assert "--anyway REASON makes it the champion" in refused.stdout
    insisted = run(*arguments, "--anyway", "the shop opens today", "--json")
    assert insisted.exit_code == 0
    assert json.loads(insisted.stdout)["promotion"]["promoted"] is True
    registry = MlflowRegistry(tmp_path)
    assert registry.champion("lapse") == "1"
    assert registry.tags("lapse", "1")["anyway"] == "the shop opens today"
    assert registry.tags("lapse", "1")["refused"]


def test_without_events_or_a_service_there_is_nothing_to_learn_from() -> None:
    error = run("churn", "--no-track").exception
    assert str(error) == "nothing to learn from: got 'neither --events nor --data'; wanted one of them"
