"""The middle steps: features become calibrated models, and the models that pass the gate a serving bundle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tactful.cli.demo import plots
from tactful.cli.demo.data import Grocer
from tactful.cli.demo.reporter import Step
from tactful.features.definitions.standard import STANDARD
from tactful.models.bundles.manifest import MANIFEST
from tactful.models.bundles.registry import MlflowRegistry
from tactful.training.fit.job import TrainingResult
from tactful.training.gate.registry_gate import Verdict, promote, release
from tactful.training.jobs import lapse
from tactful.training.jobs import response_imported as response
from tactful.training.tracking import conclude, track

HORIZON_DAYS, LOOKBACK_DAYS = 28, 56
QUESTIONS = {
    lapse.NAME: f"lapse: who bought in the last {LOOKBACK_DAYS} days and will buy nothing in the next {HORIZON_DAYS}?",
    response.NAME: "response: who is mailed coupons and will redeem one before their campaign ends?",
}
METRICS = ("auc", "log_loss", "ece")


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model with its evidence and what the gate said of it."""

    result: TrainingResult
    verdict: Verdict

    @property
    def figures(self) -> dict[str, Any]:
        """For the report: metrics with intervals, of the model and of each baseline alone."""
        metrics = self.result.metrics
        return {
            **{name: metrics[name] for name in (*METRICS, "n", "positives", "baselines", "split", "rounds")},
            "calibration": metrics["calibration"]["kind"],
            "champion": self.verdict.promoted,
            "refused_because": list(self.verdict.reasons),
        }


def train(grocer: Grocer, folder: Path, step: Step) -> list[Trained]:
    """Trains, tracks and registers both models, and asks the gate.

    Args:
        grocer: The data.
        folder: Of the run; MLflow's store goes to `mlflow/`.
        step: The step of the report.
    """
    store = folder / "mlflow"
    begun = [datetime.now(UTC)]
    with step.progress("lapse model") as advance:
        results = [
            lapse.train(
                grocer.dataset,
                horizon_days=HORIZON_DAYS,
                lookback_days=LOOKBACK_DAYS,
                progress=lambda _, number, of: advance(number - 1, of),
            )
        ]
    begun.append(datetime.now(UTC))
    with step.progress("response model") as advance:
        results += [
            response.train(grocer.dataset, grocer.campaigns, progress=lambda _, number, of: advance(number - 1, of))
        ]
    with step.progress("tracking, release gate"):
        registry = MlflowRegistry(store)
        trained = [_judged(result, since, registry, store) for result, since in zip(results, begun, strict=True)]
    step.say(
        "LightGBM, split in time with an embargo: what a model learns from was settled before the first day it is "
        "tested on. Baselines are one number alone in a logistic regression; recency, frequency and spend in one "
        "(rfm); and the BG/NBD model. In brackets: 95% intervals, from resampled households; the gain is the "
        "model's over the baseline, paired. ECE: expected calibration error."
    )
    for model in trained:
        _tell(model, step)
    step.say(f"Runs, data digests, metrics, plots and model texts are in {store}, an MLflow store on SQLite.")
    return trained


def _judged(result: TrainingResult, begun: datetime, registry: MlflowRegistry, store: Path) -> Trained:
    run = track(result, store, begun=begun)
    verdict = promote(result, registry, run=run)
    conclude(store, run, verdict, {"name": result.name, "promotion": asdict(verdict)})
    return Trained(result, verdict)


def export(trained: list[Trained], folder: Path, step: Step) -> dict[str, Any]:
    """Puts the champions together into the bundle that the service loads, and returns its manifest.

    Args:
        trained: The models.
        folder: Of the run; the bundle goes to `champion/`.
        step: The step of the report.

    Raises:
        RegistryError: The gate let one of the models not through.
    """
    names = [model.result.name for model in trained]
    bundle = folder / "champion"
    version = release(MlflowRegistry(folder / "mlflow"), names, bundle, STANDARD)
    manifest: dict[str, Any] = json.loads((bundle / MANIFEST).read_text())
    step.say(
        f"Bundle {version} in {bundle}, for features {manifest['fingerprint'][:12]}. A worker compares each digest "
        "before it parses a model, since LightGBM aborts the whole process on a truncated text."
    )
    files = {entry["file"]: entry["sha256"] for entry in manifest["models"].values()}
    step.table(
        ("file", "bytes", "sha256"),
        [
            (file.name, file.stat().st_size, files[file.name][:16] if file.name in files else None)
            for file in sorted(bundle.iterdir())
        ],
        numbers=("bytes",),
    )
    return manifest


def _tell(model: Trained, step: Step) -> None:
    metrics = model.result.metrics
    learnt, tested = metrics["split"]["pool"], metrics["split"]["test"]
    step.table(
        ("", "AUC", "log-loss", "ECE", "gain in AUC"),
        [
            ("the model", *(_interval(metrics[name]) for name in METRICS), None),
            *(
                (name.replace("_", " "), *(_interval(baseline[metric]) for metric in (*METRICS, "auc_gain")))
                for name, baseline in metrics["baselines"].items()
            ),
        ],
        title=QUESTIONS[model.result.name],
    )
    step.say(
        f"Learnt from {learnt['rows']:,} rows of {_days(learnt)}, all settled by {learnt['settled']}; tested on "
        f"{tested['rows']:,} rows of {_days(tested)}, {tested['positives'] / tested['rows']:.1%} positive. "
        f"{metrics['rounds']} trees, calibration: {metrics['calibration']['kind']}. {_verdict(model.verdict)}"
    )
    step.figure(_evidence(model.result), f"The {model.result.name} model on its test rows.")


def _evidence(result: TrainingResult) -> str:
    outcomes, probability = result.test.outcomes, result.test.probability
    return plots.evidence(
        outcomes.positive,
        {"model": probability, **result.test.baselines},
        outcomes.reliability(probability),
        result.model.trees.importance(),
    )


def _verdict(verdict: Verdict) -> str:
    if verdict.promoted:
        return f"The gate lets it through: version {verdict.version} is the champion."
    return f"The gate refuses version {verdict.version}: {'; '.join(verdict.reasons)}."


def _days(part: Mapping[str, Any]) -> str:
    return part["from"] if part["from"] == part["to"] else f"{part['from']} to {part['to']}"


def _interval(estimate: Mapping[str, float]) -> str:
    """A value and its interval, without the noughts before the point of the latter."""
    value, low, high = (f"{estimate[name]:.3f}" for name in ("value", "low", "high"))
    return f"{value} ({low.removeprefix('0')}–{high.removeprefix('0')})"
