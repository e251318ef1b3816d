"""The kinds of models a bundle keeps, each as a file of native text or JSON and an entry of the manifest."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from models import calibration
from models.effect_scorer import EffectScorer
from models.errors import ModelError
from models.gbm import TreeModel
from models.scorer import ActionFeature, FittedModel

Model: TypeAlias = FittedModel | EffectScorer
"""What a bundle may hold."""

_TREES = "trees"
_AS_JSON: Mapping[str, type[EffectScorer]] = {"effects": EffectScorer}


def kind_of(model: Model) -> str:
    """The kind's name in a manifest."""
    return next((kind for kind, made in _AS_JSON.items() if isinstance(model, made)), _TREES)


def written(model: Model) -> str:
    """The contents of a model's file."""
    if isinstance(model, FittedModel):
        return model.trees.text
    return json.dumps(model.to_json(), indent=1, sort_keys=True, allow_nan=False) + "\n"


def file_name(name: str, model: Model) -> str:
    """The file a model is kept in."""
    return f"{name}.txt" if isinstance(model, FittedModel) else f"{name}.json"


def described(model: Model) -> dict[str, Any]:
    """What the manifest says of a model besides its file."""
    common = {"kind": kind_of(model), "data_digest": model.data_digest, "metrics": model.metrics}
    if not isinstance(model, FittedModel):
        return common
    return {
        **common,
        "per_action": model.per_action,
        "action_features": [asdict(feature) for feature in model.action_features],
        "calibration": calibration.to_json(model.calibration),
    }


def read(entry: Mapping[str, Any], text: str) -> Model:
    """The model of a manifest's entry and its file's contents; an entry without a kind is of the first release.

    Raises:
        ModelError: A kind of a later release, or contents that are none of its.
    """
    kind = entry.get("kind", _TREES)
    if kind != _TREES:
        if kind not in _AS_JSON:
            raise ModelError("a model of an unknown kind", got=kind, wanted=f"one of {[_TREES, *_AS_JSON]}")
        return _AS_JSON[kind].from_json(json.loads(text), entry["data_digest"], entry["metrics"])
    return FittedModel(
        trees=TreeModel(text),
        calibration=calibration.from_json(entry["calibration"]),
        per_action=entry["per_action"],
        action_features=tuple(
            ActionFeature(feature["name"], tuple(feature["categories"])) for feature in entry["action_features"]
        ),
        data_digest=entry["data_digest"],
        metrics=entry["metrics"],
    )
