"""`tactful kpis`: from a folder of events and from a service's store, for people and for machines."""

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from tactful.experiments.samples.customers import END, generate
from tactful.features.errors import TactfulError
from tactful.features.events.dataset import write_events
from tests.cli.shopfront import opened, tactful, words
from tests.serving.shop import CATALOGUE


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("log")
    write_events(generate(150, seed=4).table, folder / "events", zone="Europe/London", buckets=1)
    (folder / "catalogue.yaml").write_text(CATALOGUE, encoding="utf-8")
    return ["kpis", "--data", str(folder), "--events", str(folder / "events")]


def test_figures_are_told_with_their_intervals(arguments: list[str]) -> None:
    result = tactful(*arguments, "--until", END.isoformat(), "--by", "cohort", "--every", "14d")
    assert result.exit_code == 0, result.output
    text = words(result.output)
    assert "2026-06-03 to 2026-07-01" in text
    assert "Repeat purchase rate" in text
    assert "2024-07" in text
    assert "2026-06-17" in text
    assert "incremental value: " in text


def test_the_json_has_everything(arguments: list[str]) -> None:
    told = json.loads(tactful(*arguments, "--until", END.isoformat(), "--json").stdout)
    figure = told["figures"]["average_order_value"]
    assert figure["low"] < figure["value"] < figure["high"]
    assert "unknown" in told["incremental"]
    assert {"programme", "channel", "response_rate", "unsubscribe_rate"} <= set(told["programmes"][0])


def test_what_cannot_be_counted_is_refused(arguments: list[str], tmp_path: Path) -> None:
    def error(*more: str) -> str:
        return str(tactful(*arguments, *more).exception)

    assert "unknown cut" in error("--by", "cohorts")
    assert "not a moment" in error("--since", "May")
    assert "ends before it begins" in error("--since", "2030-01-01")
    assert "not a duration" in error("--every", "month")
    result = tactful("kpis", "--data", str(tmp_path))
    assert isinstance(result.exception, TactfulError)
    assert "no catalogue" in str(result.exception)


def test_a_store_tells_of_decisions(tmp_path: Path) -> None:
    data = opened(tmp_path / "shop")
    told = json.loads(tactful("kpis", "--data", str(data), "--json").stdout)
    assert 0 < told["figures"]["share_of_silence"]["value"] < 1
    until = pd.Timestamp(told["until"])
    assert pd.Timestamp(told["since"]) == until - timedelta(days=28)
