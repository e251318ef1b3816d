"""The release gate: a model takes over only if it is better than what it replaces, and says true probabilities."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.definitions import FeatureSet
from models.bundle import Bundle, export, load
from models.errors import BundleError, RegistryError
from models.registry import CHAMPION, Registry
from training.evaluation import as_json
from training.job import TrainingResult

MAX_ECE = 0.03
TOLERANCE = 0.01
"""What a challenger may be worse by than the champion, in AUC, at the low end of the interval."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided.

    Attributes:
        version: The version registered, or the champion's, where that is the same model.
        promoted: Whether that version is the champion now.
        reasons: Why not; empty if it is.
        champion_gain: AUC of the model less that of the champion before it, with its interval; None if there was none
            or it read other features.
    """

    version: str
    promoted: bool
    reasons: tuple[str, ...]
    champion_gain: dict[str, float | None] | None = None


def promote(result: TrainingResult, registry: Registry, *, run: str = "", max_ece: float = MAX_ECE) -> Verdict:
    """Registers a model, and makes it the champion if the gate lets it through.

    It must beat each baseline in AUC with the whole 95 % interval of the paired difference, keep its expected
    calibration error within `max_ece`, and not be worse than the present champion on the same rows, up to
    `TOLERANCE` at the low end of the interval. A model that is the champion already is not registered again.

    Args:
        result: Of a training job.
        registry: Where it goes.
        run: The tracked run it came from.
        max_ece: Largest expected calibration error on the test rows.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        contents = export(folder / "candidate", {result.name: result.model}, result.feature_set)
        champion = registry.champion(result.name)
        if champion is not None and registry.tags(result.name, champion).get("contents") == contents:
            return Verdict(champion, promoted=True, reasons=())
        gain = None if champion is None else _gain_over(champion, result, registry, folder / "champion")
        reasons = (*_refusals(result.metrics, max_ece), *_worse(gain))
        tags = {"contents": contents, "data": result.dataset.digest, "fingerprint": result.feature_set.fingerprint}
        version = registry.register(result.name, folder / "candidate", run=run, tags=tags)
    if not reasons:
        registry.set_alias(result.name, CHAMPION, version)
    return Verdict(version, promoted=not reasons, reasons=reasons, champion_gain=gain)


def _refusals(metrics: dict[str, Any], max_ece: float) -> list[str]:
    reasons = [
        f"not better than {name} alone: AUC gain {_shown(baseline['auc_gain'])}"
        for name, baseline in metrics["baselines"].items()
        if not _above(baseline["auc_gain"], 0.0)
    ]
    if metrics["ece"]["value"] is None or metrics["ece"]["value"] > max_ece:
        reasons.append(f"not calibrated: expected calibration error {_shown(metrics['ece'])}, at most {max_ece} wanted")
    return reasons


def _worse(gain: dict[str, float | None] | None) -> list[str]:
    if gain is None or _above(gain, -TOLERANCE):
        return []
    return [f"worse than the champion: AUC gain {_shown(gain)}, low end above {-TOLERANCE} wanted"]


def _gain_over(
    version: str, result: TrainingResult, registry: Registry, folder: Path
) -> dict[str, float | None] | None:
    try:
        champion = load(registry.download(result.name, version, folder), fingerprint=result.feature_set.fingerprint)
    except BundleError:
        return None
    outcomes = result.test.outcomes
    gain = outcomes.auc(result.test.probability) - outcomes.auc(_scores(champion, result))
    return as_json(outcomes.estimate({"gain": gain})["gain"])


def _scores(champion: Bundle, result: TrainingResult) -> NDArray[np.float64]:
    if result.model.per_action:
        return champion.score_actions(result.test.features, result.test.offers)
    return champion.score_customers(result.test.features)[result.name]


def _above(estimate: dict[str, float | None], bound: float) -> bool:
    low = estimate["low"]
    return low is not None and low > bound


def _shown(estimate: dict[str, float | None]) -> str:
    value, low, high = ("?" if estimate[name] is None else f"{estimate[name]:.4f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def release(registry: Registry, names: Sequence[str], folder: Path, feature_set: FeatureSet) -> str:
    """Puts champions together into the bundle a service loads.

    Args:
        registry: Where they are.
        names: Of the scores the service needs.
        folder: Of the bundle, replaced as a whole.
        feature_set: What the service computes.

    Returns:
        The bundle's version.

    Raises:
        RegistryError: A score has no champion.
        BundleError: A champion is damaged or reads other features.
    """
    models = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            version = registry.champion(name)
            if version is None:
                raise RegistryError(
                    "no champion", got=list(registry.versions(name)), wanted="a promoted version", where=name
                )
            kept = registry.download(name, version, Path(scratch) / name)
            models[name] = load(kept, fingerprint=feature_set.fingerprint).models[name]
    return export(folder, models, feature_set)
