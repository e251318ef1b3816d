"""The kinds of models that a bundle keeps, each as a file of native text or JSON and an entry of the manifest."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tactful.models.base.errors import ModelError
from tactful.models.base.model import Model
from tactful.models.effects.scorer import EffectScorer
from tactful.models.scores.classifier import FittedModel
from tactful.models.scores.frequency import PressureModel
from tactful.models.scores.rhythm import RhythmModel
from tactful.models.scores.value import ValueModel

_KINDS: Mapping[str, type[Model]] = {
    kind.KIND: kind for kind in (FittedModel, ValueModel, PressureModel, EffectScorer, RhythmModel)
}


def described(model: Model) -> dict[str, Any]:
    """The manifest's entry for a model, apart from its file."""
    return {
        "kind": model.KIND,
        "data_digest": model.data_digest,
        "metrics": model.metrics,
        "learnt_until": None if model.learnt_until is None else model.learnt_until.isoformat(),
        **model.settings(),
    }


def read(entry: Mapping[str, Any], text: str) -> Model:
    """The model of a manifest's entry and its file's contents.

    An entry without a kind is of the first format; one of the first three formats does not say until when its model
    learnt.

    Raises:
        ModelError: A kind of a later release, or contents that are none of its.
    """
    kind = _KINDS.get(entry.get("kind", FittedModel.KIND))
    if kind is None:
        raise ModelError("a model of an unknown kind", got=entry["kind"], wanted=f"one of {list(_KINDS)}")
    until = entry.get("learnt_until")
    model: Any = kind.load(text, entry)
    read: Model = replace(model, learnt_until=None if until is None else datetime.fromisoformat(until))
    return read
