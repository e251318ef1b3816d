"""The models a service scores with, as a folder that proves itself before it is parsed.

folder/
  manifest.json    version, features and their fingerprint; for each model its kind, file, sha256 and record
  lapse.txt        LightGBM's native text, one file a model; effects and the like as JSON
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tactful.features.definitions.definitions import FeatureSet
from tactful.features.timestamps import EARLIEST
from tactful.models.base.errors import BundleError, ModelError
from tactful.models.base.gbm import Rows
from tactful.models.base.model import CustomerModel, Model, Target
from tactful.models.base.shap import Reason, reasons
from tactful.models.bundles import kinds
from tactful.models.bundles.manifest import FORMAT, MANIFEST, UNLEARNT, Names, contents_of, read_manifest, version_of
from tactful.models.bundles.signature import signature
from tactful.models.effects.scorer import EffectScorer
from tactful.models.scores.classifier import ActionFeature, FittedModel


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Models that score rows of one feature set.

    Attributes:
        version: The first 12 digits of the contents' digest: equal versions, equal scores.
        fingerprint: Of the feature set.
        feature_names: Its columns, in order.
        models: By the name of the score they give; at most one of them scores actions, and at most one effects.
    """

    version: str
    fingerprint: str
    feature_names: tuple[str, ...]
    models: Mapping[str, Model]
    _positions: Mapping[str, NDArray[np.intp]]

    @property
    def customer_scores(self) -> tuple[str, ...]:
        """Names of the scores a customer gets, such as "lapse"."""
        return tuple(self._of_customers())

    @property
    def explained(self) -> tuple[str, ...]:
        """Those of them that are probabilities of trees and have `reasons`."""
        return tuple(name for name, model in self._of_customers().items() if model.KIND == FittedModel.KIND)

    @property
    def action_features(self) -> tuple[str, ...]:
        """Names of the offer's properties that the response depends on."""
        return tuple(feature.name for feature in self.offered)

    @property
    def offered(self) -> tuple[ActionFeature, ...]:
        """The offer's properties that the response depends on, each with its categories."""
        return tuple(feature for _, model in self._of_actions() for feature in model.action_features)

    @property
    def names(self) -> Names:
        """The names that its models read and give."""
        offers = {feature.name: feature.categories or None for feature in self.offered}
        return Names(self.feature_names, self.customer_scores, offers, bool(self.models))

    @property
    def messages(self) -> tuple[str, ...]:
        """The messages of which an effect was learnt."""
        return tuple(message for _, model in self._of_effects() for message in model.messages)

    @property
    def learnt_until(self) -> datetime | None:
        """The latest moment whose outcome any of the models learnt from; None where one of them does not say."""
        known = [model.learnt_until for model in self.models.values()]
        told = [moment for moment in known if moment is not None]
        return max(told, default=EARLIEST) if len(told) == len(known) else None

    def score_customers(self, features: Rows) -> dict[str, NDArray[np.float64]]:
        """The scores of customers.

        Args:
            features: Shape (n, len(feature_names)).

        Returns:
            By score a calibrated probability for each customer, or a value in currency, shape (n,).

        Raises:
            ModelError: The rows have another number of columns.
        """
        self._check(features)
        return {name: model.score(features[:, self._positions[name]]) for name, model in self._of_customers().items()}

    def reasons(self, score: str, features: NDArray[np.float64], *, most: int = 4) -> list[Reason]:
        """The columns that moved a customer's score furthest, up or down, furthest first.

        Args:
            score: Its name, one of `explained`.
            features: The customer's, shape (len(feature_names),).
            most: How many at most.

        Raises:
            ModelError: No such score, or another number of features.
        """
        self._check(features[None])
        if score not in self.explained:
            raise ModelError("no score with reasons", got=score, wanted=list(self.explained))
        model = cast("FittedModel", self.models[score])
        (row,) = model.tree_rows(features[None, self._positions[score]])
        return reasons(model.trees, row, most=most)

    def score_actions(self, features: Rows, offers: Sequence[Mapping[str, float | str]]) -> NDArray[np.float64]:
        """The probability that a customer responds to an offer.

        Args:
            features: The customer's features, a row for each offer, shape (m, len(feature_names)).
            offers: Their m properties; one that is absent or unknown to the model counts as missing.

        Returns:
            Calibrated probabilities, shape (m,); NaN, which is unknown, from a bundle without a model of responses.

        Raises:
            ModelError: Rows and offers do not fit.
        """
        self._check(features)
        if len(offers) != len(features):
            raise ModelError("unequal numbers of rows and offers", got=len(offers), wanted=len(features))
        for name, model in self._of_actions():
            return model.score(np.hstack([features[:, self._positions[name]], model.encode(offers)]))
        return np.full(len(offers), np.nan)

    def score_effects(self, features: Rows, messages: Sequence[str]) -> NDArray[np.float64]:
        """The effects of messages.

        Args:
            features: The customer's features, a row for each message, shape (m, len(feature_names)).
            messages: Their m ids.

        Returns:
            Columns effect (difference in the probability of the outcome against silence), probability of the outcome
            in silence, and standard error of the effect, shape (m, 3); NaN in each where the bundle knows nothing of
            the message.

        Raises:
            ModelError: Rows and messages do not fit.
        """
        self._check(features)
        if len(messages) != len(features):
            raise ModelError("unequal numbers of rows and messages", got=len(messages), wanted=len(features))
        for name, model in self._of_effects():
            return model.score(features[:, self._positions[name]], messages)
        return np.full((len(messages), 3), np.nan)

    def _of_customers(self) -> dict[str, CustomerModel]:
        return {name: cast("CustomerModel", model) for name, model in self._of(Target.CUSTOMERS)}

    def _of_actions(self) -> list[tuple[str, FittedModel]]:
        return [(name, cast("FittedModel", model)) for name, model in self._of(Target.ACTIONS)]

    def _of_effects(self) -> list[tuple[str, EffectScorer]]:
        return [(name, cast("EffectScorer", model)) for name, model in self._of(Target.EFFECTS)]

    def _of(self, target: Target) -> list[tuple[str, Model]]:
        return [(name, model) for name, model in self.models.items() if model.target is target]

    def _check(self, features: Rows) -> None:
        if features.ndim != 2 or features.shape[1] != len(self.feature_names):
            raise ModelError("rows do not fit the bundle", got=features.shape, wanted=f"(n, {len(self.feature_names)})")


def unlearnt(feature_set: FeatureSet) -> Bundle:
    """The bundle of a service that has no models yet: it gives no score, and each action keeps its stated response.

    Args:
        feature_set: The features that the service computes.

    Example:
        >>> from tactful.features.definitions.standard import STANDARD
        >>> unlearnt(STANDARD).version, unlearnt(STANDARD).customer_scores
        ('none', ())
    """
    return Bundle(UNLEARNT, feature_set.fingerprint, feature_set.names, {}, {})


def export(folder: Path, models: Mapping[str, Model], feature_set: FeatureSet) -> str:
    """Writes a bundle, replacing what was in the folder; it appears complete or not at all.

    Args:
        folder: Where to write.
        models: By the name of the score they give.
        feature_set: The set that their columns are taken from.

    Returns:
        The version.

    Raises:
        BundleError: No model, two that score actions or effects, a model of features the set does not have, or a
            folder that holds something else.
    """
    _check_models(models, feature_set)
    if folder.exists() and not (folder / MANIFEST).exists() and any(folder.iterdir()):
        raise BundleError("the folder holds something else", got=sorted(folder.iterdir())[0].name, where=folder)
    files = {f"{name}{model.SUFFIX}": model.dump().encode() for name, model in models.items()}
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "features": list(feature_set.names),
        "fingerprint": feature_set.fingerprint,
        "models": {
            name: {**kinds.described(model), "file": file, "sha256": hashlib.sha256(text).hexdigest()}
            for (name, model), (file, text) in zip(models.items(), files.items(), strict=True)
        },
    }
    manifest["version"] = version_of(manifest)
    if (signed := signature(manifest)) is not None:
        manifest["signature"] = signed
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        written = Path(scratch) / "new"
        written.mkdir()
        for name, text in files.items():
            (written / name).write_bytes(text)
        (written / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True, allow_nan=False) + "\n")
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        written.rename(folder)
    return str(manifest["version"])


def load(folder: Path, *, fingerprint: str) -> Bundle:
    """Reads a bundle: every digest is checked before a model is parsed.

    Args:
        folder: As `export` left it.
        fingerprint: Of the feature set whose rows will be scored.

    Raises:
        BundleError: A file is missing or changed, or the models were fitted to other features.
    """
    manifest = read_manifest(folder, fingerprint)
    entries = manifest["models"]
    texts = contents_of(folder, manifest)
    models = {name: kinds.read(entry, texts[name]) for name, entry in entries.items()}
    names = tuple(manifest["features"])
    return Bundle(
        version=manifest["version"],
        fingerprint=fingerprint,
        feature_names=names,
        models=models,
        _positions={
            name: np.array([names.index(column) for column in model.customer_columns], dtype=np.intp)
            for name, model in models.items()
        },
    )


def _check_models(models: Mapping[str, Model], feature_set: FeatureSet) -> None:
    if not models:
        raise BundleError("an empty bundle", got=0, wanted="at least one model")
    for target in (Target.ACTIONS, Target.EFFECTS):
        found = [name for name, model in models.items() if model.target is target]
        if len(found) > 1:
            raise BundleError(f"several models score {target.value}", got=found, wanted="at most one")
    for name, model in models.items():
        if unknown := sorted(set(model.customer_columns) - set(feature_set.names)):
            raise BundleError("a model of other features", got=unknown, wanted="names of the set", where=name)
