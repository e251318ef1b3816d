"""The record of training runs, in MLflow on SQLite."""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.registry import connect, experiment
from training.job import TrainingResult
from training.plots import figures

EXPERIMENT = "training"


def track(result: TrainingResult, folder: Path) -> str:
    """Records a training run: parameters, data set digest, metrics with intervals, plots, native model text.

    Args:
        result: Of a training job.
        folder: Of the MLflow store, made if need be.

    Returns:
        The id of the run.
    """
    client = connect(folder)
    from mlflow.entities import Dataset, DatasetInput, Metric, Param

    run = client.create_run(experiment(client, folder, EXPERIMENT), run_name=result.name).info.run_id
    digest = result.dataset.digest
    data = Dataset(name="events", digest=digest[:36], source_type="local", source=json.dumps({"sha256": digest}))
    client.log_inputs(run, [DatasetInput(data)])
    now = int(time.time() * 1000)
    client.log_batch(
        run,
        metrics=[Metric(name, value, now, 0) for name, value in _flat(result.metrics)],
        params=[Param(name, str(value)) for name, value in _parameters(result).items()],
    )
    with tempfile.TemporaryDirectory() as scratch:
        _write(result, Path(scratch))
        client.log_artifacts(run, scratch)
    client.set_terminated(run)
    return str(run)


def _parameters(result: TrainingResult) -> dict[str, Any]:
    return {
        **result.parameters,
        "calibration": result.metrics["calibration"]["kind"],
        "features": len(result.feature_set),
        "fingerprint": result.feature_set.fingerprint,
        "data": result.dataset.digest,
    }


def _write(result: TrainingResult, folder: Path) -> None:
    (folder / "metrics.json").write_text(json.dumps(result.metrics, indent=2, sort_keys=True, allow_nan=False) + "\n")
    (folder / f"{result.name}.txt").write_text(result.model.trees.text)
    for name, figure in figures(result).items():
        figure.savefig(folder / f"{name}.png", dpi=120)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of nested mappings: an estimate's value by its own name, its interval beside it."""
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        elif isinstance(value, int | float):
            yield path.removesuffix(".value"), float(value)
