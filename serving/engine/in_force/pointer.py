"""The files that a champion is read from: the pointer to the bundle in use, and the names it lets a catalogue use."""

import os
from pathlib import Path

from tactful.decisions.catalogue.compiled import Vocabulary
from tactful.features.definitions.definitions import FeatureSet
from tactful.models.bundles.manifest import CUSTOMER_SCORES, Names, contents_of, names_in, read_manifest
from tactful.serving.errors import NotReadyError

HISTORY = "champion.history"
"""The file beside the pointer that keeps which bundle came into use when, and why."""


def is_first(pointer: Path) -> bool:
    """Whether no bundle was ever put into use: there is neither a pointer nor a history of earlier bundles."""
    return not os.path.lexists(pointer) and not pointer.with_name(HISTORY).exists()


def bundle_folder(pointer: Path) -> Path:
    """The folder a pointer names: itself where it is one."""
    if not pointer.is_file():
        return pointer
    name = pointer.read_text(encoding="utf-8").strip()
    if not name:
        raise NotReadyError("an empty pointer", wanted="the name of a bundle folder", where=pointer)
    return pointer.parent / name


def vocabulary(known: Names) -> Vocabulary:
    """The names a catalogue may use with a bundle: also scores that only later models may give."""
    missing = tuple(name for name in CUSTOMER_SCORES if name not in known.scores)
    return Vocabulary(known.features, (*known.scores, *missing), known.offers, unlearnt=missing if known.learnt else ())


def names_of(pointer: Path, feature_set: FeatureSet) -> Names:
    """The names that the bundle in use reads and gives, without a model's library: no model is parsed.

    Args:
        pointer: A bundle folder, or a text file that names one, relative to the file's own folder.
        feature_set: The features that the service computes.

    Raises:
        BundleError: The bundle is gone, damaged or made for other features.
        NotReadyError: The pointer is empty.
    """
    if is_first(pointer):
        return Names(feature_set.names, (), {}, learnt=False)
    folder = bundle_folder(pointer)
    manifest = read_manifest(folder, feature_set.fingerprint)
    contents_of(folder, manifest)
    return names_in(manifest)


def point_to(pointer: Path, bundle: Path) -> None:
    """Makes a pointer name a bundle folder, at once: a reader sees the old name or the new one."""
    pointer.parent.mkdir(parents=True, exist_ok=True)
    written = pointer.with_name(f".{pointer.name}.new")
    written.write_text(f"{os.path.relpath(bundle, pointer.parent)}\n", encoding="utf-8")
    written.replace(pointer)


def text_of(catalogue: Path) -> str:
    """The text of a catalogue's file.

    Raises:
        NotReadyError: There is none.
    """
    try:
        return catalogue.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotReadyError("no catalogue", got=str(error), wanted="a YAML file", where=catalogue) from error
