"""What is registered is an MLflow model: MLflow itself loads it, serves it and finds it after a move."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.bundles.bundle import export
from tactful.models.bundles.mlflow_model import ScoredTable, open_bundle
from tactful.models.bundles.registry import MlflowRegistry, connect
from tests.models.trees import FEATURES, lapse_model, response_model
from tests.patience import PATIENCE

ROWS = pd.DataFrame({"first": [1.0, np.nan], "second": [0.1, 2.0], "third": [0.0, -1.0], "more": [5, 6]})
OFFERS = pd.DataFrame({"type": ["a", None], "price": [1.0, np.nan]})


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two champions that was moved after they were registered."""
    folder = tmp_path_factory.mktemp("moved")
    registry = MlflowRegistry(folder / "before" / "mlflow")
    for name, model in (("lapse", lapse_model()), ("response", response_model())):
        export(folder / name, {name: model}, FEATURES)
        registry.set_alias(name, "champion", registry.register(name, folder / name))
    return (folder / "before").rename(folder / "after") / "mlflow"


def loaded(store: Path, name: str):
    connect(store)
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{store / 'mlflow.db'}")
    return mlflow.pyfunc.load_model(f"models:/{name}@champion")


def test_mlflow_scores_customers_as_the_bundle_does(moved: Path) -> None:
    bundle = open_bundle(moved.parents[1] / "lapse")
    values = ROWS.reindex(columns=list(bundle.feature_names)).to_numpy(dtype=float)
    assert loaded(moved, "lapse").predict(ROWS)["lapse"].tolist() == bundle.score_customers(values)["lapse"].tolist()


def test_mlflow_scores_offers_as_the_bundle_does(moved: Path) -> None:
    bundle = open_bundle(moved.parents[1] / "response")
    values = ROWS.reindex(columns=list(bundle.feature_names)).to_numpy(dtype=float)
    model = loaded(moved, "response")
    both = model.predict(ROWS.join(OFFERS))["response"].tolist()
    assert both == bundle.score_actions(values, [{"type": "a", "price": 1.0}, {}]).tolist()
    assert model.predict(ROWS)["response"].tolist() == bundle.score_actions(values, [{}, {}]).tolist()


def test_the_signature_refuses_a_table_without_a_column(moved: Path) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="second"):
        loaded(moved, "lapse").predict(ROWS.drop(columns="second"))
    with pytest.raises(ModelError, match="second"):
        ScoredTable(open_bundle(moved.parents[1] / "lapse")).predict(ROWS.drop(columns="second"))


def test_the_command_of_mlflow_predicts_and_no_pickle_is_kept(moved: Path, tmp_path: Path) -> None:
    connect(moved)
    table = tmp_path / "rows.csv"
    ROWS.to_csv(table, index=False)
    command = [sys.executable, "-m", "mlflow", "models", "predict", "--env-manager", "local", "--content-type", "csv"]
    settings = {"MLFLOW_TRACKING_URI": f"sqlite:///{moved / 'mlflow.db'}", "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run(
        [*command, "--model-uri", "models:/lapse@champion", "--input-path", str(table)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={"PATH": os.defpath, "MLFLOW_DISABLE_TELEMETRY": "true", **settings},
    )
    assert result.returncode == 0, result.stderr
    (printed,) = (json.loads(line) for line in result.stdout.splitlines() if line.startswith("{"))
    scored = loaded(moved, "lapse").predict(ROWS)["lapse"].tolist()
    assert [row["lapse"] for row in printed["predictions"]] == scored
    assert not [file for file in moved.rglob("*") if file.suffix in (".pkl", ".pickle", ".joblib")]


def test_a_store_that_moved_hands_out_and_takes_in(moved: Path, tmp_path: Path) -> None:
    registry = MlflowRegistry(moved)
    assert (registry.download("lapse", "1", tmp_path / "back") / "manifest.json").exists()
    assert registry.register("lapse", tmp_path / "back") == "2"
    assert all(str(moved) in run.info.artifact_uri for run in connect(moved).search_runs(["1"]))
