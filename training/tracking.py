"""The record of training runs and verdicts, in MLflow on SQLite."""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tactful.models.bundles.registry import connect, experiment
from tactful.training.fit.candidate import Candidate
from tactful.training.fit.job import TrainingResult
from tactful.training.gate.registry_gate import Verdict
from tactful.training.gate.release import Release
from tactful.training.gate.report import page
from tactful.training.jobs.classifier_candidate import candidate_of

EXPERIMENT = "training"
RELEASES = "releases"
_CONCLUDED = "concluded"
_RECORD = "record.json"
_NOTE = "mlflow.note.content"
"""MLflow's tag for the description of a run."""
_LEADING = ("auc", "log_loss", "ece", "deviance", "absolute_error", "bias", "gain", "n", "customers", "decisions")
"""The metrics that a run is first judged by, most telling first; a run leads with the first four that it has."""
_DETAIL = "detail/"


def find(folder: Path, key: str) -> dict[str, Any] | None:
    """The result of a finished job, so that it need not run again; None if it is not finished.

    Args:
        folder: Of the MLflow store, made if need be.
        key: See `tactful.training.fit.candidate.job_key`.
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


def track(candidate: Candidate | TrainingResult, folder: Path, *, key: str = "", begun: datetime | None = None) -> str:
    """Records a training run: parameters, data set digest, metrics with intervals, plots, native model text.

    The four leading metrics have short names; all others, and every end of an interval, begin with `detail/`. The run
    lasts until `conclude` adds the verdict, and is found again only then: a job that was cut short is done anew.

    Args:
        candidate: The trained model.
        folder: Of the MLflow store, made if need be.
        key: The key that identifies the run.
        begun: When the job began, aware; now where None.

    Returns:
        The id of the run.
    """
    if isinstance(candidate, TrainingResult):
        candidate = candidate_of(candidate)
    client = connect(folder)
    from mlflow.entities import Dataset, DatasetInput, Metric, Param

    begun = begun or datetime.now(UTC)
    where = experiment(
        client, folder, EXPERIMENT, "A run a training job: what was fitted, how it did, and the verdict."
    )
    tags = {"key": key, _NOTE: f"{candidate.name}: {candidate.label}" if candidate.label else candidate.name}
    name = f"{candidate.name} {begun:%Y-%m-%d %H:%M:%S}"
    found = client.create_run(where, start_time=_milliseconds(begun), run_name=name, tags=tags)
    run = str(found.info.run_id)
    digest = candidate.data_digest
    data = Dataset(name="events", digest=digest[:36], source_type="local", source=json.dumps({"sha256": digest}))
    client.log_inputs(run, [DatasetInput(data)])
    now = int(time.time() * 1000)
    client.log_batch(
        run,
        metrics=[Metric(name, value, now, 0) for name, value in _named(candidate.metrics)],
        params=[Param(name, str(value)) for name, value in _parameters(candidate).items()],
    )
    with tempfile.TemporaryDirectory() as scratch:
        _write(candidate, Path(scratch))
        client.log_artifacts(run, scratch)
    return run


def conclude(folder: Path, run: str, verdict: Verdict, record: Mapping[str, Any]) -> None:
    """Ends the run of a job with the gate's verdict and the job's record, by which the job is known to be done.

    Args:
        folder: Of the MLflow store.
        run: From `track`.
        verdict: Of the gate; the run's tags `verdict`, `reason` and `version` say it, and so does its description.
        record: JSON's values, for `find`.
    """
    client = connect(folder)
    client.log_dict(run, dict(record), _RECORD)
    answer = "champion" if verdict.promoted else "refused"
    reason = "; ".join(verdict.reasons) or "nothing forbids it"
    note = client.get_run(run).data.tags.get(_NOTE, "")
    described = {_NOTE: f"{note}\n\nVersion {verdict.version} is {answer}: {reason}."}
    for name, value in {"verdict": answer, "reason": reason, "version": verdict.version, **described}.items():
        client.set_tag(run, name, value)
    client.set_tag(run, _CONCLUDED, "yes")
    client.set_terminated(run)


def track_release(release: Release, folder: Path, *, name: str, parameters: Mapping[str, Any]) -> str:
    """Records a verdict of the release gate: its figures, and a report with plots as a page.

    Args:
        release: The verdict.
        folder: Of the MLflow store, made if need be.
        name: Of the candidate.
        parameters: The compared versions.

    Returns:
        The id of the run.
    """
    client = connect(folder)
    from mlflow.entities import Metric, Param

    reason = "; ".join(release.reasons) or "nothing forbids it"
    tags = {"verdict": release.answer, "reason": reason, _NOTE: f"{name}: {release.answer}. {reason}"}
    where = experiment(client, folder, RELEASES, "A run a verdict of the release gate on logged decisions.")
    found = client.create_run(where, run_name=f"{name}: {release.answer}", tags=tags)
    run = str(found.info.run_id)
    now = int(time.time() * 1000)
    client.log_batch(
        run,
        metrics=[Metric(path, value, now, 0) for path, value in _named(release.figures)],
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
    (folder / f"{candidate.name}{candidate.model.SUFFIX}").write_text(candidate.model.dump())
    for name, figure in candidate.figures().items():
        figure.savefig(folder / f"{name}.png", dpi=120)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _named(values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of nested mappings: the leading ones by their own names, the others as details."""
    numbers = dict(_flat(values))
    leading = [name for name in _LEADING if name in numbers][:4]
    for name, value in numbers.items():
        yield (name if name in leading else f"{_DETAIL}{name}"), value


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of nested mappings: an estimate's value by its own name, its interval beside it."""
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        elif isinstance(value, int | float):
            yield path.removesuffix(".value"), float(value)
