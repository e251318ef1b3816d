"""The champion: the bundle and the catalogue that decisions are made with, taken together or not at all."""

import atexit
import gc
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.loading import parse_catalogue
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.kernel.program import Program, compile_features
from tactful.features.vocabulary import EVENT_TYPES
from tactful.models.bundles.bundle import Bundle, load, unlearnt
from tactful.models.bundles.manifest import MANIFEST, UNLEARNT
from tactful.serving.engine.in_force.pointer import bundle_folder, is_first, names_of, text_of, vocabulary
from tactful.serving.engine.in_force.proving import Prover, UnfitBundleError
from tactful.serving.engine.rendering import Renderer
from tactful.serving.errors import NotReadyError, StoreError
from tactful.serving.store.queries.catalogues import CatalogueText, digest_of

MEMORY = 1.0
"""Seconds for which the catalogue in force is taken for what it was."""
NO_MODELS = (
    "no models yet: scores are unknown, and each message has the response and the effect that the catalogue states"
)
GARBAGE = 50_000
"""Objects more than before after which the garbage collector looks at the young ones."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """A bundle and a catalogue compiled for it.

    Args:
        bundle: The models.
        compiled: The catalogue.
        renderer: Renders its messages.
        program: Computes the features that models and catalogue read.
        memory: How far back the catalogue looks, in microseconds, by code of the event type.
        suppressing: Codes of the event types after which a contact policy suppresses contacts.
    """

    bundle: Bundle
    compiled: CompiledCatalogue
    renderer: Renderer
    program: Program
    memory: Mapping[int, int]
    suppressing: frozenset[int] = frozenset()


def load_champion(pointer: Path, catalogue: Path, feature_set: FeatureSet) -> Champion:
    """Reads the bundle that a pointer names and the catalogue.

    Where there never was a bundle, the catalogue decides alone: scores are unknown, and each action has the response
    and the effect that it states.

    Args:
        pointer: A bundle folder, or a text file that names one, relative to the file's own folder.
        catalogue: A YAML file.
        feature_set: The features that the service computes.

    Raises:
        BundleError: The bundle is damaged, incomplete or made for other features.
        CatalogueError: The catalogue has mistakes.
        NotReadyError: The pointer or the catalogue is missing.
    """
    return champion_of(load_bundle(pointer, feature_set), text_of(catalogue), str(catalogue), feature_set)


def load_bundle(pointer: Path, feature_set: FeatureSet) -> Bundle:
    """The bundle that a pointer names; the one without models where no bundle was ever put into use.

    Args:
        pointer: As for `load_champion`.
        feature_set: The features that the service computes.

    Raises:
        BundleError: The bundle is damaged, incomplete, made for other features or gone.
        NotReadyError: The pointer is empty.
    """
    if is_first(pointer):
        return unlearnt(feature_set)
    return load(bundle_folder(pointer), fingerprint=feature_set.fingerprint)


def champion_of(bundle: Bundle, text: str, file: str, feature_set: FeatureSet) -> Champion:
    """A bundle and the text of a catalogue, made ready.

    Args:
        bundle: The models.
        text: YAML.
        file: The name that errors give the text.
        feature_set: The features that the service computes.

    Raises:
        CatalogueError: The catalogue has mistakes.
    """
    compiled = parse_catalogue(text, vocabulary(bundle.names), file)
    memory = {EVENT_TYPES.index(name): span // timedelta(microseconds=1) for name, span in compiled.memory.items()}
    renderer = Renderer(compiled.catalogue, compiled.vocabulary.features)
    program = compile_features(compiled.catalogue.feature_set(feature_set))
    suppressing = frozenset(EVENT_TYPES.index(name) for name in compiled.suppressing)
    return Champion(bundle, compiled, renderer, program, memory, suppressing)


class Champions:
    """Follows the champion: a new one takes over whole, a bad one is refused and the present one stays.

    The files are looked at on every use, which costs a few microseconds, and read only when they have changed; the
    store is asked for a newer catalogue once in `MEMORY` seconds.

    Args:
        pointer: As for `load_champion`, like the others.
        catalogue: The catalogue's file.
        feature_set: The features that the service computes.
        newest: Asks for the catalogue that was put in force, which goes before the file, or None.
        prover: Tries each bundle in a process of its own before it is taken; without it, bundles are trusted.
    """

    def __init__(
        self,
        pointer: Path,
        catalogue: Path,
        feature_set: FeatureSet,
        newest: Callable[[], CatalogueText | None] = lambda: None,
        prover: Prover | None = None,
    ) -> None:
        self._pointer = pointer
        self.catalogue = catalogue
        self._feature_set = feature_set
        self._newest = newest
        self._prover = prover
        self._in_force: CatalogueText | None = None
        self._asked = -math.inf
        self._lock = threading.Lock()
        self._manifest = pointer
        self._seen: tuple[tuple[int, ...], ...] = ()
        self._present: Champion | None = None
        self._refusal = ""
        self._ignored = ""
        self._compared: tuple[int, ...] = ()

    @property
    def refusal(self) -> str:
        """Why the files as they were last seen were refused; empty if they were not."""
        return self._refusal

    def present(self) -> Champion:
        """The champion of this moment.

        Raises:
            NotReadyError: There has not been a good one yet.
        """
        with self._lock:
            self._ask()
            self._compare()
            if self._identities() != self._seen:
                self._refresh()
            if self._present is None:
                raise NotReadyError("nothing to decide with", got=self._refusal, wanted="a bundle and a catalogue")
            return self._present

    @property
    def remarks(self) -> tuple[str, ...]:
        """Warnings about the champion: that there are no models, or that a file is ignored."""
        with self._lock:
            present, ignored = self._present, self._ignored
        unlearnt = present is not None and present.bundle.version == UNLEARNT
        return (*([NO_MODELS] if unlearnt else []), *([ignored] if ignored else []))

    def look(self) -> None:
        """Ask the store again with the next use: another catalogue was put in force."""
        self._asked = -math.inf

    def bundle(self) -> Bundle:
        """The models of this moment, also where there is no catalogue yet.

        Raises:
            BundleError: The bundle is damaged, incomplete, made for other features or gone.
            NotReadyError: The pointer is empty.
        """
        try:
            return self.present().bundle
        except NotReadyError:
            return load_bundle(self._pointer, self._feature_set)

    def vocabulary(self) -> Vocabulary:
        """The names that a catalogue may use with the models of this moment.

        Raises:
            BundleError, NotReadyError: As for `bundle`.
        """
        try:
            return vocabulary(self.present().bundle.names)
        except NotReadyError:
            return vocabulary(names_of(self._pointer, self._feature_set))

    def _ask(self) -> None:
        """A store that fails now leaves the present catalogue in force."""
        if time.monotonic() - self._asked < MEMORY:
            return
        self._asked = time.monotonic()
        try:
            self._in_force = self._newest()
        except StoreError:
            if self._present is None:
                raise

    def _compare(self) -> None:
        """Finds out whether the catalogue's file says something else than the catalogue that was put in force."""
        if self._in_force is None:
            return
        compared = (self._in_force.number, *_identity(self.catalogue))
        if compared == self._compared:
            return
        self._compared, self._ignored = compared, ""
        if self.catalogue.exists() and _digest_of(self.catalogue) != self._in_force.digest:
            number = self._in_force.number
            self._ignored = (
                f"{self.catalogue} is ignored, since catalogue {number} was put in force: put the file in force by "
                "`tactful catalogue put`, or delete it"
            )
            _log.warning("catalogue file ignored", extra={"file": str(self.catalogue), "in_force": number})

    def _refresh(self) -> None:
        """The present champion stays while the new one is tried, and if the new one is faulty."""
        before, self._seen = self._seen, self._identities()
        try:
            self._manifest = bundle_folder(self._pointer) / MANIFEST
            self._seen = self._identities()
            if not self._is_proved():
                self._seen = before
                return
            champion = self._load()
            self._keep_models(champion.bundle)
        except Exception as error:
            self._refusal = str(error)
            kept = self._present.bundle.version if self._present else None
            _log.error("champion refused", extra={"reason": self._refusal, "kept": kept})
            if self._present is None and isinstance(error, UnfitBundleError):
                self._begin_without_models()
            return
        self._present, self._refusal = champion, ""
        _settle()
        versions = {"bundle": champion.bundle.version, "catalogue": champion.compiled.version}
        _log.info("champion taken", extra=versions)
        if champion.bundle.version == UNLEARNT:
            _log.info("no models", extra={"reason": NO_MODELS})

    def _is_proved(self) -> bool:
        """Whether the bundle may be taken; the first one is waited for."""
        if self._prover is None or is_first(self._pointer):
            return True
        return self._prover.is_proved(self._manifest.parent, wait=self._present is None)

    def _begin_without_models(self) -> None:
        """Start with what the catalogue states: the refusal of the bundle stays in the log and on the health page."""
        try:
            self._present = self._champion_of(unlearnt(self._feature_set))
        except Exception as error:
            self._refusal = f"{self._refusal}; {error}"
            return
        _log.error("started without models", extra={"reason": self._refusal})

    def _keep_models(self, bundle: Bundle) -> None:
        """A service that decided with models does not continue without them: a missing pointer is a fault."""
        if bundle.version == UNLEARNT and self._present is not None and self._present.bundle.version != UNLEARNT:
            raise NotReadyError(
                "no bundle", got="no pointer", wanted="the name of a bundle folder", where=self._pointer
            )

    def _load(self) -> Champion:
        return self._champion_of(load_bundle(self._pointer, self._feature_set))

    def _champion_of(self, bundle: Bundle) -> Champion:
        if self._in_force is None:
            return champion_of(bundle, text_of(self.catalogue), str(self.catalogue), self._feature_set)
        return champion_of(bundle, self._in_force.content, f"catalogue {self._in_force.number}", self._feature_set)

    def _identities(self) -> tuple[tuple[int, ...], ...]:
        """The identity of the files and of the catalogue in force, apart from others of the same names."""
        catalogue = (self._in_force.number,) if self._in_force else _identity(self.catalogue)
        return _identity(self._pointer), _identity(self._manifest), catalogue


def _digest_of(catalogue: Path) -> str:
    try:
        return digest_of(text_of(catalogue))
    except NotReadyError:
        return ""


def _settle() -> None:
    """Hide from the garbage collector the objects that live as long as the champion: a pass over them delays everybody.

    A batch of decisions is some ten thousand objects, which a pass would find alive. At the end of the process the
    collector sees all of them again; otherwise DuckDB's binding reports its own objects as leaked.
    """
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
    gc.unfreeze()
    gc.collect()
    gc.freeze()


atexit.register(gc.unfreeze)


def _identity(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns
