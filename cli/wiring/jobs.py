"""Training jobs as the command runs them: found where they were done before, else trained, tracked and judged."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from tactful.cli.console import console, print_json, progress, say, table
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.models.bundles.registry import MlflowRegistry
from tactful.training.fit.calibrated import UNJUDGED
from tactful.training.fit.candidate import Candidate, job_key
from tactful.training.fit.job import Progress
from tactful.training.gate.registry_gate import insist, promote
from tactful.training.tracking import conclude, find, track

_MEASURES = {
    "auc": "AUC",
    "log_loss": "log-loss",
    "ece": "calibration error",
    "deviance": "deviance",
    "absolute_error": "absolute error",
    "bias": "bias",
}
_FEW = (
    "More customers give more test rows; for a lapse, so does a longer --lookback, which counts more of them. Until "
    "then the service decides without this score, by what the catalogue states."
)


@dataclass(frozen=True)
class Job:
    """A training job.

    Attributes:
        name: Of the score.
        data: The training data, for the record: `digest` and a description.
        settings: Everything else the model depends on, as JSON's values.
        train: Does it.
        feature_set: The features that the model reads.
    """

    name: str
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    train: Callable[[Progress], Candidate]
    feature_set: FeatureSet = STANDARD


def done(job: Job, store: Path, *, no_track: bool = False, anyway: str = "") -> dict[str, Any]:
    """Does a job, or finds it done: equal data and settings give equal models.

    Args:
        job: The job.
        store: Folder of the MLflow store.
        no_track: Neither look, nor track, nor register.
        anyway: Why the model becomes the champion whatever the gate says; the gate decides where empty.

    Returns:
        The result, as JSON's values; `found` says whether it had been done before, `refused` whether the gate
        keeps the model out of use. What it says of its
        promotion holds at present: a champion may have been taken back since.
    """
    key = job_key(job.name, str(job.data["digest"]), job.feature_set, job.settings)
    if not no_track and (record := find(store, key)) is not None:
        registry = MlflowRegistry(store)
        if anyway and not record["promotion"]["promoted"]:
            insist(registry, record["name"], record["promotion"]["version"], anyway)
        standing = _standing(record, registry)
        refused = not record["promotion"]["promoted"] and not standing["promoted"]
        return {**record, "promotion": standing, "refused": refused, "found": True}
    begun, since = datetime.now(UTC), time.perf_counter()
    with progress(f"training {job.name}", console(stderr=True)) as advance:
        candidate = job.train(lambda _, step, steps: advance(step - 1, steps))
    told = {
        "name": candidate.name,
        **candidate.metrics,
        "parameters": dict(candidate.parameters),
        "data": dict(job.data),
        "run": None,
        "promotion": None,
        "seconds": round(time.perf_counter() - since, 1),
    }
    if not no_track:
        with progress(f"tracking {job.name}", console(stderr=True)):
            run = track(candidate, store, key=key, begun=begun)
            verdict = promote(candidate, MlflowRegistry(store), run=run, anyway=anyway)
            told |= {"run": run, "promotion": asdict(verdict)}
            conclude(store, run, verdict, told)
    return {**told, "refused": told["promotion"] is not None and not told["promotion"]["promoted"], "found": False}


def _standing(record: Mapping[str, Any], registry: MlflowRegistry) -> dict[str, Any]:
    """The promotion of a job that was done before, as it stands now."""
    before, champion = record["promotion"], registry.champion(record["name"])
    if before["promoted"] == (before["version"] == champion):
        return dict(before)
    told = () if champion == before["version"] else (f"version {champion} is the champion since",)
    return {**before, "promoted": champion == before["version"], "reasons": told}


def report(told: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Prints the results of jobs."""
    if as_json:
        print_json({"models": {one["name"]: one for one in told}} if len(told) > 1 else told[0])
        return
    out = console()
    for one in told:
        say(out, _measured(one) if "baselines" in one else _effects(one))
        if "by_action" in one:
            say(out, _by_action(one))
        for line in _lines(one):
            say(out, line)
        say(out, "")


def _measured(one: Mapping[str, Any]) -> Table:
    scored = {"the model": one} | {name.replace("_", " "): values for name, values in one["baselines"].items()}
    measures = [name for name in _MEASURES if name in one]
    rows = [(name, *(shown(values.get(measure)) for measure in measures)) for name, values in scored.items()]
    positive = f", {one['positives']:,} positive" if "positives" in one else ""
    title = f"{one['name']}: {one['n']:,} test rows{positive}, 95 % intervals"
    return table(("", *(_MEASURES[measure] for measure in measures)), rows, title=title)


def _effects(one: Mapping[str, Any]) -> Table:
    rows = [
        (
            message,
            figures["taken"],
            *(_number(figures[name]) for name in ("estimate", "prior", "effect", "uncertainty")),
        )
        for message, figures in one["effects"].items()
    ]
    title = f"{one['name']}: {one['n']:,} decisions about {one['customers']:,} customers"
    headings = ("message", "sent", "estimate", "prior", "effect", "uncertainty")
    return table(headings, rows, numbers=headings[1:], title=title)


def _by_action(one: Mapping[str, Any]) -> Table:
    rows = [
        (arm["arm"], arm["rows"], _number(arm["predicted"]), _number(arm["observed"]), "yes" if arm["holds"] else "no")
        for arm in one["by_action"]
    ]
    title = f"by action, on the test rows: joint p = {one['by_action_p']:.3f}"
    headings = ("", "rows", "predicted", "observed")
    return table((*headings, "within 2 errors"), rows, numbers=headings[1:], title=title)


def shown(estimate: Any) -> str:
    """An estimate with its interval."""
    if estimate is None:
        return "–"
    value, low, high = ("–" if estimate[name] is None else _number(estimate[name]) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _lines(one: Mapping[str, Any]) -> list[str]:
    lines = [*_learnt(one), f"Took {one['seconds']:.1f} s."]
    if one["found"]:
        lines.append(f"Found: the same data and settings were trained on before, in run {one['run']}.")
    if one["promotion"] is None:
        return lines
    promotion = one["promotion"]
    state = "the champion" if promotion["promoted"] else "not promoted"
    lines += [f"Version {promotion['version']}: {state}.", *(f"  {reason}" for reason in promotion["reasons"])]
    return lines if promotion["promoted"] else [*lines, *_advice(promotion)]


def _advice(promotion: Mapping[str, Any]) -> list[str]:
    """Advice about a refusal."""
    instead = promotion.get("instead")
    few = any(UNJUDGED in reason for reason in promotion["reasons"])
    return [
        *([f"Version {instead}, the BG/NBD model by itself, is the first champion instead."] if instead else []),
        _FEW if few else "A longer log narrows the intervals.",
        "--anyway REASON makes it the champion all the same, and keeps the reason.",
    ]


def _learnt(one: Mapping[str, Any]) -> list[str]:
    lines = []
    if "split" in one:
        pool, test = one["split"]["pool"], one["split"]["test"]
        settled = f"{pool['from']} to {pool['to']}, settled by {pool['settled']}"
        lines.append(f"Learnt from {pool['rows']:,} rows, {settled}.")
        lines.append(f"Tested on {test['rows']:,} rows, {test['from']} to {test['to']}.")
    if "rounds" in one:
        lines.append(f"{one['rounds']} trees, calibration: {one['calibration']['kind']}.")
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in one.get("left_out", {}).items() if count)
    return [*lines, f"Left out: {left_out}."] if left_out else lines
