"""Retraining beside a service with a log of decisions: what judges is not learnt from, and what is judged ships."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from tactful.cli.main import app
from tactful.features.definitions.standard import STANDARD
from tactful.models.bundles.bundle import load
from tactful.models.bundles.registry import MlflowRegistry
from tactful.serving.engine.in_force.pointer import bundle_folder
from tests.cli.answered import opened
from tests.serving.shop import NOW
from tests.training.shops import OPENED, campaigns, frame, write

DAYS = 300
LAST = NOW + timedelta(days=35)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Decisions in three weeks, the last five weeks after the first, and a log of events that ends today."""
    folder = opened(tmp_path_factory.mktemp("shop"), timedelta(days=7), LAST - NOW)
    moved = LAST + timedelta(days=28) - (OPENED + pd.Timedelta(days=DAYS)).to_pydatetime()
    events, offers = frame(customers=200, days=DAYS), campaigns(DAYS)
    events["time"] += moved
    write(events, folder / "log")
    offers.assign(start=offers["start"] + moved, end=offers["end"] + moved).to_parquet(folder / "campaigns.parquet")
    return folder


def retrained(shop: Path, store: Path, *more: str) -> Any:
    words = ["retrain", "--events", str(shop / "log"), "--data", str(shop), "--store", str(store), "--json", *more]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    return json.loads(result.stdout)


def learnt_until(store: Path, model: str, folder: Path) -> datetime | None:
    registry = MlflowRegistry(store)
    kept = registry.download(model, registry.versions(model)[-1], folder / model)
    return load(kept, fingerprint=STANDARD.fingerprint).learnt_until


def test_what_is_kept_to_judge_by_is_not_learnt_from(shop: Path, tmp_path: Path) -> None:
    store = tmp_path / "mlflow"
    told = retrained(shop, store)
    assert told["models"]["effect"]["n"] == 400
    for model in ("lapse", "effect"):
        until = learnt_until(store, model, tmp_path)
        assert until is not None
        assert until <= LAST - timedelta(days=28)
    again = retrained(shop, store)
    assert all(model["found"] for model in again["models"].values())
    assert again["release"]["version"] == told["release"]["version"]


def test_what_was_judged_is_what_ships(shop: Path, tmp_path: Path) -> None:
    wide = ("--tolerance", "5", "--max-contacts", "1", "--max-unsubscribes", "0.1", "--judge-by", "14d")
    found = retrained(shop, tmp_path / "mlflow", *wide)
    assert found["release"]["answer"] == "ship"
    assert found["models"]["effect"]["promotion"]["promoted"]
    present = load(bundle_folder(shop / "champion"), fingerprint=STANDARD.fingerprint)
    assert present.version == found["release"]["version"]
    assert present.learnt_until == NOW + timedelta(days=14)
