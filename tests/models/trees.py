"""Small fitted models to try things on."""

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tactful.features.definitions.definitions import Aggregation, Feature, FeatureSet
from tactful.models.base.calibration import Platt
from tactful.models.base.gbm import Parameters, TreeModel, fit
from tactful.models.bundles.manifest import MANIFEST, version_of
from tactful.models.scores.classifier import ActionFeature, FittedModel

PARAMETERS = Parameters(rounds=30, leaf_rows=20)
COLUMNS = ("first", "second", "third")


def rows(seed: int = 0, count: int = 600, width: int = 3) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Rows, a tenth of their values missing, and outcomes that depend on the first two columns."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(count, width))
    odds = 1.5 * values[:, 0] - values[:, 1] - 1
    positive = generator.random(count) < 1 / (1 + np.exp(-odds))
    values[generator.random(values.shape) < 0.1] = np.nan
    return values, positive


def trees(seed: int = 0) -> TreeModel:
    """Trees of the three columns."""
    return fit(*rows(seed), COLUMNS, PARAMETERS)


def feature_set(*names: str) -> FeatureSet:
    """Features of these names; what they count does not matter."""
    return FeatureSet(
        tuple(Feature(name=name, family="any", description="any", aggregation=Aggregation.COUNT) for name in names)
    )


FEATURES = feature_set("third", "first", "unused", "second")


def lapse_model(seed: int = 0) -> FittedModel:
    """A model of the three columns, as a customer's score."""
    return FittedModel(trees(seed), Platt(0.9, -0.1), per_action=False, action_features=(), data_digest="d", metrics={})


def response_model() -> FittedModel:
    """A model of two columns and an offer's type and price."""
    values, positive = rows(width=4)
    values[:, 2] = np.arange(len(values)) % 2
    outcomes = positive | (values[:, 2] == 1)
    columns = ("first", "second", "type", "price")
    actions = (ActionFeature("type", ("a", "b")), ActionFeature("price"))
    fitted = fit(values, outcomes, columns, PARAMETERS, categorical=("type",))
    return FittedModel(fitted, Platt(1.0, 0.0), per_action=True, action_features=actions, data_digest="d", metrics={})


def replace_model(folder: Path, name: str, text: str) -> None:
    """Another text in a bundle's file, with digest and version made right."""
    manifest = json.loads((folder / MANIFEST).read_text())
    entry = manifest["models"][name]
    (folder / entry["file"]).write_text(text)
    entry["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    manifest["version"] = version_of(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
