"""Bundles and catalogues proved in a process of their own before the service touches them."""

import hashlib
import threading
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tactful.decisions.base.errors import Finding
from tactful.decisions.catalogue.compiled import Vocabulary
from tactful.models.base.errors import BundleError
from tactful.models.bundles.manifest import MANIFEST
from tactful.serving.confined import ConfinedError, Limits, confined
from tactful.serving.errors import CatalogueRefusedError

BUNDLE = Limits()
CATALOGUE = Limits(processor=10)
_proved: set[str] = set()


class UnfitBundleError(BundleError):
    """A bundle that was refused when it was tried."""


def prove_bundle(folder: Path, fingerprint: str, limits: Limits = BUNDLE) -> None:
    """Parse a bundle and score rows with it, elsewhere; a bundle that was proved once is not proved again.

    Args:
        folder: The bundle.
        fingerprint: Of the feature set whose rows will be scored.
        limits: The limits of the process.

    Raises:
        BundleError: There is none.
        UnfitBundleError: It is damaged, or its models end the process, hang, or take too much memory.
    """
    digest = _digest(folder)
    if digest in _proved:
        return
    try:
        refusal = confined("tactful.serving.engine.in_force.trying:score_rows", [str(folder), fingerprint], limits)
    except ConfinedError as error:
        raise UnfitBundleError("models that cannot be tried", got=str(error), where=folder) from error
    if refusal:
        raise UnfitBundleError(refusal)
    _proved.add(digest)


class Prover:
    """Proves bundles, one at a time, while decisions go on with the bundle before.

    Args:
        fingerprint: Of the feature set whose rows will be scored.
        limits: The limits of the trial of a bundle.
    """

    def __init__(self, fingerprint: str, limits: Limits = BUNDLE) -> None:
        self._fingerprint = fingerprint
        self._limits = limits
        self._digest = ""
        self._trial: Future[None] = Future()

    def is_proved(self, folder: Path, *, wait: bool) -> bool:
        """Whether a bundle may be used; False while it is being tried.

        Args:
            folder: The bundle.
            wait: Come back only once that is known.

        Raises:
            BundleError: As for `prove_bundle`.
        """
        digest = _digest(folder)
        if digest != self._digest:
            self._digest, self._trial = digest, Future()
            work = (folder, self._trial)
            threading.Thread(target=self._prove, args=work, name="prover", daemon=True).start()
        if not wait and not self._trial.done():
            return False
        if self._trial.exception() is not None:
            self._digest = ""
        self._trial.result()
        return True

    def _prove(self, folder: Path, trial: "Future[None]") -> None:
        try:
            prove_bundle(folder, self._fingerprint, self._limits)
        except Exception as error:
            trial.set_exception(error)
        else:
            trial.set_result(None)


def _digest(folder: Path) -> str:
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError as error:
        raise BundleError("no bundle", got=error.strerror, wanted=f"a folder with {MANIFEST}", where=folder) from error


def inspect_elsewhere(
    content: str, known: Vocabulary, file: str, limits: Limits = CATALOGUE
) -> tuple[str, str, list[Finding]]:
    """Check a catalogue in a process of its own.

    Args:
        content: YAML.
        known: The names it may use.
        file: The name findings give the text.
        limits: The limits of the process.

    Returns:
        Its name, its version and every finding; the first two are empty where a finding is a mistake.

    Raises:
        CatalogueRefusedError: The check took too much time or memory.
    """
    try:
        answer: Any = confined("tactful.serving.engine.in_force.trying:inspect", [content, asdict(known), file], limits)
    except ConfinedError as error:
        mend = "make it smaller: fewer segments, shorter expressions and texts"
        finding = Finding(file, 1, "error", f"a catalogue that takes too much to check: {error}", mend)
        raise CatalogueRefusedError([finding]) from error
    name, version, findings = answer
    return name, version, [Finding(**finding) for finding in findings]
