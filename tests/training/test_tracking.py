"""Runs in a real MLflow store."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from matplotlib.image import imread

from tactful.models.bundles.registry import MlflowRegistry, connect
from tactful.training.figures.plots import figures
from tactful.training.fit.candidate import job_key
from tactful.training.fit.job import TrainingResult
from tactful.training.gate.registry_gate import Verdict, promote
from tactful.training.gate.release import judge
from tactful.training.jobs.classifier_candidate import candidate_of
from tactful.training.tracking import EXPERIMENT, RELEASES, conclude, find, track, track_release
from tests.experiments.gated import LEARNED
from tests.training.test_release import FREE, shop


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


def test_a_run_can_be_read_back(lapsed: TrainingResult, store: Path, tmp_path: Path) -> None:
    client = connect(store)
    run = client.get_run(track(lapsed, store))
    experiment = client.get_experiment(run.info.experiment_id)
    assert (run.info.status, experiment.name) == ("RUNNING", EXPERIMENT)
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    assert "verdict" in experiment.tags["mlflow.note.content"]
    assert run.data.params["horizon_days"] == "28"
    assert run.data.params["data"] == lapsed.dataset.digest
    metrics = candidate_of(lapsed).metrics
    assert run.data.metrics["auc"] == metrics["auc"]["value"]
    assert {name for name in run.data.metrics if "/" not in name} == {"auc", "ece", "log_loss", "n"}
    assert run.data.metrics["detail/auc.low"] == metrics["auc"]["low"]
    gain = metrics["baselines"]["recency"]["auc_gain"]["high"]
    assert run.data.metrics["detail/baselines.recency.auc_gain.high"] == gain
    assert run.inputs.dataset_inputs[0].dataset.digest == lapsed.dataset.digest[:36]
    kept = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert sorted(file.name for file in kept.iterdir()) == [
        "calibration.png", "importance.png", "lapse.txt", "metrics.json", "roc.png",
    ]  # fmt: skip
    assert (kept / "lapse.txt").read_text() == lapsed.model.trees.text
    assert json.loads((kept / "metrics.json").read_text()) == metrics
    assert imread(kept / "roc.png").std() > 0.05


def test_a_version_knows_its_run(lapsed: TrainingResult, store: Path) -> None:
    run = track(lapsed, store)
    verdict = promote(lapsed, MlflowRegistry(store), run=run)
    assert connect(store).get_model_version("lapse", verdict.version).run_id == run


def test_a_job_that_was_concluded_is_found_and_one_cut_short_is_not(lapsed: TrainingResult, store: Path) -> None:
    candidate = candidate_of(lapsed)
    key = job_key("lapse", candidate.data_digest, candidate.feature_set, candidate.parameters)
    begun = datetime(2026, 5, 4, 9, tzinfo=UTC)
    run = track(candidate, store, key=key, begun=begun)
    assert find(store, key) is None
    conclude(store, run, Verdict("7", promoted=False, reasons=("too few rows",)), {"promoted": False, "seconds": 1.5})
    assert find(store, key) == {"promoted": False, "seconds": 1.5}
    ended = connect(store).get_run(run)
    assert ended.info.status == "FINISHED"
    assert ended.info.run_name == "lapse 2026-05-04 09:00:00"
    assert ended.info.start_time == begun.timestamp() * 1000 < ended.info.end_time
    assert [ended.data.tags[name] for name in ("verdict", "reason", "version")] == ["refused", "too few rows", "7"]
    assert ended.data.tags["mlflow.note.content"].endswith("Version 7 is refused: too few rows.")
    assert find(store, job_key("lapse", "other data", candidate.feature_set, candidate.parameters)) is None


def test_a_verdict_becomes_a_page_with_plots(store: Path, tmp_path: Path) -> None:
    verdict = judge(shop(0, LEARNED, 300), FREE)
    client = connect(store)
    run = client.get_run(track_release(verdict, store, name="learned <b>", parameters={"policy": "softmax"}))
    assert client.get_experiment(run.info.experiment_id).name == RELEASES
    assert run.data.tags["verdict"] == verdict.answer
    assert run.data.tags["reason"]
    assert run.info.run_name == f"learned <b>: {verdict.answer}"
    assert run.data.metrics["gain"] == verdict.figures["gain"]["value"]
    kept = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert json.loads((kept / "verdict.json").read_text()) == verdict.as_dict()
    told = (kept / "release.html").read_text()
    assert "Release gate: learned &lt;b&gt;" in told
    assert 'src="data:image/png;base64,' in told
    assert "http" not in told.replace("http-equiv", "")


@pytest.mark.parametrize("job", ["lapsed", "responded"])
def test_figures_show_what_they_say(job: str, request: pytest.FixtureRequest) -> None:
    result: TrainingResult = request.getfixturevalue(job)
    drawn = figures(result)
    assert list(drawn) == ["calibration", "roc", "importance"]
    curves = drawn["roc"].axes[0].get_legend().get_texts()
    area = result.metrics["auc"]["value"]
    assert curves[0].get_text() == f"model {area:.3f}"
    assert len(curves) == 1 + len(result.metrics["baselines"])
    bars = drawn["importance"].axes[0].patches
    assert [bar.get_width() for bar in bars] == sorted((bar.get_width() for bar in bars), reverse=True)
