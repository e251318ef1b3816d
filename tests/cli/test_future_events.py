"""Training without the events that a wrong clock has dated in the future."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tactful.cli.main import app
from tactful.cli.wiring.contract_jobs import contract_job
from tactful.cli.wiring.training_jobs import log_of
from tactful.features.events.dataset import EventDataset, write_events
from tactful.features.events.schema import validate
from tactful.features.timestamps import AHEAD, microseconds
from tactful.training.data.labels import lapses, span
from tactful.training.data.splits import snapshots

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def written(folder: Path, *later: datetime) -> EventDataset:
    """A year of purchases, ten days apart, by twenty customers, and purchases at later moments."""
    times = [NOW - timedelta(days=day) for day in range(1, 365, 10)] * 20 + list(later)
    frame = pd.DataFrame({"time": pd.to_datetime(times, utc=True), "type": "purchase", "amount": 5.0})
    frame["customer_id"] = [f"c{place // 37:02}" for place in range(len(frame))]
    frame["event_id"] = [f"e{place}" for place in range(len(frame))]
    return write_events(validate(frame).events, folder, zone="Europe/Berlin", buckets=2)


def test_few_events_ahead_of_the_clock_are_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "events", datetime(2036, 1, 1, tzinfo=UTC), NOW + AHEAD, NOW)
    dataset = log_of(tmp_path / "events", NOW)
    assert "left out: 2 of 743 events, later than 2026-07-01 13:00 UTC, ahead of our clock" in capsys.readouterr().err
    assert span(dataset).end == microseconds(NOW) + 1
    assert dataset.table(0, ["customer_id"]).column_names == ["customer_id"]
    moments = snapshots(span(dataset), dataset.zone, horizon_days=28, lookback_days=90)
    assert len(lapses(dataset, moments, horizon_days=28, lookback_days=90)) > 0


def test_contracts_and_the_watch_leave_them_out_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = datetime.now(UTC)
    times = [begun - timedelta(days=day) for day in range(1, 365, 10)]
    dataset = written(tmp_path / "events", *times, begun + timedelta(days=3650))
    until = begun - timedelta(days=40)
    pd.DataFrame({"customer_id": ["c00"], "start": [until - timedelta(days=365)], "end": [until]}).to_parquet(
        tmp_path / "contracts.parquet"
    )
    assert dataset.last is not None
    assert dataset.last > (begun + timedelta(days=3000)).isoformat()
    contract_job(tmp_path / "events", tmp_path / "contracts.parquet")
    assert "left out: 1 of 778 events" in capsys.readouterr().err
    watched = CliRunner().invoke(app, ["monitor", "--events", str(tmp_path / "events"), "--period", "16w", "--json"])
    assert "left out: 1 of 778 events" in watched.stderr
    assert datetime.fromisoformat(json.loads(watched.stdout)["times"]["until"]) < datetime.now(UTC)


def test_a_log_without_such_events_is_read_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = written(tmp_path / "events", NOW)
    assert log_of(tmp_path / "events", NOW) == dataset
    assert capsys.readouterr().err == ""


def test_a_log_that_lies_in_the_future_as_a_whole_is_left_as_it_is(tmp_path: Path) -> None:
    dataset = written(tmp_path / "events")
    assert log_of(tmp_path / "events", NOW - timedelta(days=200)) == dataset
