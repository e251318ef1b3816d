"""Monitoring and retraining on the command line."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tactful.cli.commands.learning.retrain import Schedule, unit
from tactful.cli.main import app
from tactful.cli.wiring.judging import promoted
from tactful.features.errors import TactfulError
from tactful.serving.settings import Settings
from tactful.training.data.errors import TrainingError
from tactful.training.gate.evidence import Reward
from tactful.training.gate.release import Limits
from tests.cli.answered import opened
from tests.serving.shop import NOW, export_bundle, service_of
from tests.training.shops import campaigns, frame, write


def run(*arguments: str | Path) -> Any:
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"}, catch_exceptions=False)


def test_a_log_of_events_is_watched(tmp_path: Path) -> None:
    write(frame(), tmp_path / "events")
    result = run("monitor", "--events", tmp_path / "events", "--period", "12w", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == (1 if told["alerts"] else 0)
    assert [rate["name"] for rate in told["rates"]] == ["lapse", "responses"]


def test_decisions_of_one_moment_cannot_be_compared(tmp_path: Path) -> None:
    data = opened(tmp_path)
    with pytest.raises(TrainingError, match="nothing to compare: got '400 decisions before, 0 within the last 14"):
        run("monitor", "--data", data, "--period", "14d")


def test_a_service_that_stops_contacting_alerts_and_what_vanished_is_named(tmp_path: Path) -> None:
    data = opened(tmp_path)
    service = service_of(Settings.of(data), lambda: NOW + timedelta(days=20))
    for number in range(60):
        service.decide(f"buyer{number:03}", f"later-{number}")
    service.store.close()
    result = run("monitor", "--data", data, "--period", "14d")
    assert result.exit_code == 1
    assert "decisions that contact went from" in result.stdout
    assert "programmes that are vanished: thanks" in result.stdout
    told = json.loads(run("monitor", "--data", data, "--period", "14d", "--json").stdout)
    assert told["programmes"] == {"new": [], "vanished": ["thanks"]}


def test_an_alert_is_exit_code_1(tmp_path: Path) -> None:
    events = frame()
    late = events["time"] > events["time"].max() - timedelta(days=100)
    events.loc[late & (events["type"] == "purchase"), "amount"] *= 5
    write(events, tmp_path / "events")
    result = run("monitor", "--events", tmp_path / "events", "--period", "16w")
    assert result.exit_code == 1
    assert "shifted: stability index" in result.stdout


def test_a_number_that_was_missing_for_everybody_alerts(tmp_path: Path) -> None:
    events = frame()
    contact = events["type"] == "contact"
    write(events[~contact | (events["time"] > events["time"].max() - timedelta(days=100))], tmp_path / "events")
    result = run("monitor", "--events", tmp_path / "events", "--period", "16w", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    found = {one["name"]: one for one in told["features"] if one["missing_before"] == 1}
    print({k: (v["alert"], v["missing_after"]) for k, v in found.items()})
    assert found["days_since_contact"]["alert"]


def test_models_that_are_refused_leave_the_service_as_it_was(tmp_path: Path) -> None:
    write(frame(customers=200, days=300), tmp_path / "events")
    campaigns(300).to_parquet(tmp_path / "campaigns.parquet")
    arguments = ("retrain", "--events", tmp_path / "events", "--data", tmp_path, "--store", tmp_path / "mlflow")
    result = run(*arguments, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert not told["release"]["promoted"]
    (reason,) = told["release"]["reasons"]
    assert reason.startswith("no champion: got 'version 1, refused: ")
    assert "or --anyway REASON, which puts it into use and keeps the reason; at lapse" in reason
    assert {"lapse", "response"} <= set(told["models"])
    assert not (tmp_path / "champion").exists()
    again = json.loads(run(*arguments, "--json").stdout)
    assert all(model["found"] for model in again["models"].values())


def test_the_first_bundle_needs_no_gate(tmp_path: Path) -> None:
    version = export_bundle(tmp_path / "made")
    found = promoted(tmp_path / "made", tmp_path, Reward(), Limits(), tmp_path / "mlflow")
    assert (found["version"], found["promoted"], found["reasons"]) == (version, True, ["there was none before"])
    assert (tmp_path / "champion").is_file()


def test_schedules_call_the_command_with_the_same_arguments() -> None:
    given = ["retrain", "--events", "var/my events", "--schedule", "cron", "--margin", "0.3"]
    cron = unit(Schedule.CRON, given)
    assert "tactful retrain --events 'var/my events' --margin 0.3 >>" in cron
    assert "--schedule" not in cron.splitlines()[1]
    service = unit(Schedule.SYSTEMD, ["retrain", "--events", "50%", "--schedule=systemd"])
    assert "tactful retrain --events 50%%\n" in service
    assert "SuccessExitStatus=1" in service
    assert "OnCalendar=" in service
    with pytest.raises(TactfulError, match="a newline in an argument"):
        unit(Schedule.CRON, ["retrain", "a\nb"])
