"""The record of training runs and verdicts, in MLflow on SQLite."""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.kinds import file_name, written
from models.registry import connect, experiment
from training.candidate import Candidate
from training.job import TrainingResult
from training.promote import candidate_of
from training.release import Release
from training.release_report import page

EXPERIMENT = "training"
RELEASES = "releases"
_CONCLUDED = "concluded"
_RECORD = "record.json"


def find(folder: Path, key: str) -> dict[str, Any] | None:
    """What was told of a job that is done, so that it need not be done again; None if it is not.

    Args:
        folder: Of the MLflow store, made if need be.
        key: See `training.candidate.job_key`.
    """
    client = connect(folder)
    where = [experiment(client, folder, EXPERIMENT)]
    runs = client.search_runs(where, f"tags.key = '{key}' and tags.{_CONCLUDED} = 'yes'", max_results=1)
    if not runs:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(client.download_artifacts(runs[0].info.run_id, _RECORD, scratch))
        found: dict[str, Any] = json.loads(told.read_bytes())
    return found


def track(candidate: Candidate | TrainingResult, folder: Path, *, key: str = "") -> str:
    """Records a training run: parameters, data set digest, metrics with intervals, plots, native model text.

    It is found again only once `conclude` has added the verdict: a job that was cut short is done anew.

    Args:
        candidate: What was trained.
        folder: Of the MLflow store, made if need be.
        key: What the run is found by.

    Returns:
        The id of the run.
    """
    if isinstance(candidate, TrainingResult):
        candidate = candidate_of(candidate)
    client = connect(folder)
    from mlflow.entities import Dataset, DatasetInput, Metric, Param

    found = client.create_run(experiment(client, folder, EXPERIMENT), run_name=candidate.name, tags={"key": key})
    run = str(found.info.run_id)
    digest = candidate.data_digest
    data = Dataset(name="events", digest=digest[:36], source_type="local", source=json.dumps({"sha256": digest}))
    client.log_inputs(run, [DatasetInput(data)])
    now = int(time.time() * 1000)
    client.log_batch(
        run,
        metrics=[Metric(name, value, now, 0) for name, value in _flat(candidate.metrics)],
        params=[Param(name, str(value)) for name, value in _parameters(candidate).items()],
    )
    with tempfile.TemporaryDirectory() as scratch:
        _write(candidate, Path(scratch))
        client.log_artifacts(run, scratch)
    client.set_terminated(run)
    return run


def conclude(folder: Path, run: str, record: Mapping[str, Any]) -> None:
    """Keeps what is told of a job with its run, by which the job is known to be done.

    Args:
        folder: Of the MLflow store.
        run: From `track`.
        record: JSON's values, for `find`.
    """
    client = connect(folder)
    client.log_dict(run, dict(record), _RECORD)
    client.set_tag(run, _CONCLUDED, "yes")


def track_release(release: Release, folder: Path, *, name: str, parameters: Mapping[str, Any]) -> str:
    """Records a verdict of the release gate: its figures, and a report with plots as a page.

    Args:
        release: The verdict.
        folder: Of the MLflow store, made if need be.
        name: Of the candidate.
        parameters: What was compared.

    Returns:
        The id of the run.
    """
    client = connect(folder)
    from mlflow.entities import Metric, Param

    found = client.create_run(experiment(client, folder, RELEASES), run_name=name, tags={"answer": release.answer})
    run = str(found.info.run_id)
    now = int(time.time() * 1000)
    client.log_batch(
        run,
        metrics=[Metric(path, value, now, 0) for path, value in _flat(release.figures)],
        params=[Param(path, str(value)) for path, value in parameters.items()],
    )
    client.log_dict(run, release.as_dict(), "verdict.json")
    client.log_text(run, page(release, name, parameters), "release.html")
    client.set_terminated(run)
    return run


def _parameters(candidate: Candidate) -> dict[str, Any]:
    calibration = candidate.metrics.get("calibration")
    return {
        **candidate.parameters,
        **({"calibration": calibration["kind"]} if isinstance(calibration, Mapping) else {}),
        "features": len(candidate.feature_set),
        "fingerprint": candidate.feature_set.fingerprint,
        "data": candidate.data_digest,
    }


def _write(candidate: Candidate, folder: Path) -> None:
    metrics = json.dumps(candidate.metrics, indent=2, sort_keys=True, allow_nan=False)
    (folder / "metrics.json").write_text(metrics + "\n")
    (folder / file_name(candidate.name, candidate.model)).write_text(written(candidate.model))
    for name, figure in candidate.figures().items():
        figure.savefig(folder / f"{name}.png", dpi=120)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of nested mappings: an estimate's value by its own name, its interval beside it."""
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        elif isinstance(value, int | float):
            yield path.removesuffix(".value"), float(value)
