"""The kinds of models a bundle keeps, each as a file of native text or JSON and an entry of the manifest."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, TypeAlias

from tactful.models.base import calibration
from tactful.models.base.errors import ModelError
from tactful.models.base.gbm import TreeModel
from tactful.models.effects.scorer import EffectScorer
from tactful.models.scores.bgnbd import Outlook
from tactful.models.scores.classifier import ActionFeature, FittedModel
from tactful.models.scores.frequency import PressureModel
from tactful.models.scores.rhythm import RhythmModel
from tactful.models.scores.value import ValueModel

Model: TypeAlias = FittedModel | ValueModel | PressureModel | RhythmModel | EffectScorer
"""What a bundle may hold."""

CustomerModel: TypeAlias = FittedModel | ValueModel | PressureModel | RhythmModel
"""What gives a customer a score."""

_KINDS: Mapping[str, type[Model]] = {
    "trees": FittedModel,
    "value": ValueModel,
    "pressure": PressureModel,
    "effects": EffectScorer,
    "rhythm": RhythmModel,
}
_VALUE = ("window_days", "horizon_days", "retention", "margin")


def kind_of(model: Model) -> str:
    """The kind's name in a manifest."""
    return next(kind for kind, made in _KINDS.items() if isinstance(model, made))


def file_name(name: str, model: Model) -> str:
    """The file a model is kept in."""
    return f"{name}.json" if isinstance(model, EffectScorer | PressureModel | RhythmModel) else f"{name}.txt"


def written(model: Model) -> str:
    """The contents of a model's file."""
    if isinstance(model, EffectScorer | PressureModel | RhythmModel):
        return json.dumps(model.to_json(), indent=1, sort_keys=True, allow_nan=False) + "\n"
    return model.trees.text


def described(model: Model) -> dict[str, Any]:
    """What the manifest says of a model besides its file."""
    common = {
        "kind": kind_of(model),
        "data_digest": model.data_digest,
        "metrics": model.metrics,
        "learnt_until": None if model.learnt_until is None else model.learnt_until.isoformat(),
    }
    if isinstance(model, ValueModel):
        return {**common, **{name: getattr(model, name) for name in _VALUE}}
    if not isinstance(model, FittedModel):
        return common
    return {
        **common,
        "per_action": model.per_action,
        "action_features": [asdict(feature) for feature in model.action_features],
        "calibration": calibration.to_json(model.calibration),
        "outlook": None if model.outlook is None else model.outlook.to_json(),
    }


def read(entry: Mapping[str, Any], text: str) -> Model:
    """The model of a manifest's entry and its file's contents.

    An entry without a kind is of the first format; one of the first two knows no outlook, and one of the first three
    not until when it learnt.

    Raises:
        ModelError: A kind of a later release, or contents that are none of its.
    """
    until = entry.get("learnt_until")
    return replace(_model(entry, text), learnt_until=None if until is None else datetime.fromisoformat(until))


def _model(entry: Mapping[str, Any], text: str) -> Model:
    kind = _KINDS.get(entry.get("kind", "trees"))
    record = (entry["data_digest"], entry["metrics"])
    if kind is EffectScorer or kind is PressureModel or kind is RhythmModel:
        return kind.from_json(json.loads(text), *record)
    if kind is ValueModel:
        settings = {name: entry[name] for name in _VALUE}
        return ValueModel(TreeModel(text), data_digest=record[0], metrics=record[1], **settings)
    if kind is None:
        raise ModelError("a model of an unknown kind", got=entry["kind"], wanted=f"one of {list(_KINDS)}")
    outlook = entry.get("outlook")
    return FittedModel(
        trees=TreeModel(text),
        calibration=calibration.from_json(entry["calibration"]),
        per_action=entry["per_action"],
        action_features=tuple(
            ActionFeature(feature["name"], tuple(feature["categories"])) for feature in entry["action_features"]
        ),
        data_digest=entry["data_digest"],
        metrics=entry["metrics"],
        outlook=None if outlook is None else Outlook.from_json(outlook),
    )
