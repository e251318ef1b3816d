"""The manifest of a bundle: which models it holds and the names they read and give, known without a model's library."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tactful.models.base.errors import BundleError
from tactful.models.bundles.signature import check_signature, contents

FORMAT = 4
_READABLE = (1, 2, 3, FORMAT)
MANIFEST = "manifest.json"
UNLEARNT = "none"
"""The version of the bundle without models."""
CUSTOMER_SCORES = ("lapse", "clv", "unsubscribe", "contract_churn")
"""The scores that training can give a customer; a catalogue may read them before a model gives them."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a bundle's models read and give.

    Attributes:
        features: Columns of the feature set, in order.
        scores: Scores that a customer gets, such as `lapse`.
        offers: The figures of an offer that the response depends on; for a category, its values.
        learnt: Whether there is any model.
    """

    features: tuple[str, ...]
    scores: tuple[str, ...]
    offers: Mapping[str, tuple[str, ...] | None]
    learnt: bool


def read_manifest(folder: Path, fingerprint: str) -> dict[str, Any]:
    """The manifest of a bundle, found to be whole.

    Args:
        folder: As `tactful.models.bundles.bundle.export` left it.
        fingerprint: Of the feature set whose rows will be scored.

    Raises:
        BundleError: It is missing, changed, of another release or not signed as it must be, or the models were
            fitted to other features.
    """
    where = folder / MANIFEST
    try:
        manifest = json.loads(where.read_bytes())
    except OSError as error:
        raise BundleError("no bundle", got=error.strerror, wanted=f"a folder with {MANIFEST}", where=folder) from error
    except ValueError as error:
        raise BundleError("an unreadable manifest", got=str(error), wanted="JSON", where=where) from error
    if not isinstance(manifest, dict) or manifest.get("format") not in _READABLE:
        raise BundleError("a bundle of another release", wanted=f"format 1 to {FORMAT}", where=where)
    if manifest.get("version") != (actual := version_of(manifest)):
        raise BundleError("a changed manifest", got=actual, wanted=manifest.get("version"), where=where)
    check_signature(manifest, where)
    if (found := manifest["fingerprint"]) != fingerprint:
        raise BundleError("a bundle for other features", got=found[:12], wanted=fingerprint[:12], where=folder)
    return manifest


def contents_of(folder: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    """The contents of the models' files, each found to be as it was written, by the name of the score.

    Raises:
        BundleError: A file is missing or changed.
    """
    return {name: _verified(folder / entry["file"], entry["sha256"]) for name, entry in manifest["models"].items()}


def names_in(manifest: Mapping[str, Any]) -> Names:
    """The names of a manifest's models.

    Example:
        >>> entry = {"kind": "trees", "per_action": False, "action_features": []}
        >>> names_in({"features": ["recency_days"], "models": {"lapse": entry}}).scores
        ('lapse',)
    """
    models: Mapping[str, Mapping[str, Any]] = manifest["models"]
    of_customers = (name for name, entry in models.items() if not _of_actions(entry))
    offers = {
        feature["name"]: tuple(feature["categories"]) or None
        for entry in models.values()
        for feature in entry.get("action_features", ())
    }
    return Names(tuple(manifest["features"]), tuple(of_customers), offers, bool(models))


def version_of(manifest: Mapping[str, Any]) -> str:
    """The first 12 digits of the digest of a manifest's contents, version and signature aside."""
    return hashlib.sha256(contents(manifest)).hexdigest()[:12]


def _verified(file: Path, sha256: str) -> str:
    try:
        text = file.read_bytes()
    except OSError as error:
        raise BundleError("a missing file", got=error.strerror, wanted=f"sha256 {sha256[:12]}", where=file) from error
    if (actual := hashlib.sha256(text).hexdigest()) != sha256:
        raise BundleError("a changed file", got=f"sha256 {actual[:12]}", wanted=f"sha256 {sha256[:12]}", where=file)
    return text.decode()


def _of_actions(entry: Mapping[str, Any]) -> bool:
    """Whether an entry scores actions or effects: the others score customers."""
    return entry.get("kind") == "effects" or bool(entry.get("per_action"))
