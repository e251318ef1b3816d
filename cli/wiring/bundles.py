"""The bundle a service uses, changed and changed back: past bundles are kept, and why each came is written down."""

import fcntl
import json
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tactful.features.definitions.standard import STANDARD
from tactful.models.base.errors import BundleError
from tactful.models.bundles.bundle import load
from tactful.serving.engine.in_force.pointer import HISTORY, bundle_folder, point_to
from tactful.serving.engine.in_force.proving import prove_bundle

_KEPT = "bundles"


def put_in_use(bundle: Path, pointer: Path, why: str) -> str:
    """Makes a bundle the champion; a running service takes it within its next decision, whole or not at all.

    The bundle is copied beside the pointer under its version and checked there first. It
    is tried in a process of its own before.

    Args:
        bundle: Its folder.
        pointer: The service's champion: a text file that names a bundle folder, or a bundle folder, which becomes one.
        why: The reason that the registry records.

    Returns:
        The bundle's version.

    Raises:
        BundleError: The bundle is damaged, made for other features, or was refused when tried; nothing has changed.
    """
    prove_bundle(bundle, STANDARD.fingerprint)
    version = load(bundle, fingerprint=STANDARD.fingerprint).version
    if pointer.exists() and not history(pointer):
        _keep_present(pointer)
    kept = _keep(bundle, pointer.parent / _KEPT / version)
    load(kept, fingerprint=STANDARD.fingerprint)
    point_to(pointer, kept)
    _remember(pointer, version, why)
    return version


def go_back(pointer: Path, why: str) -> str:
    """Makes the champion before the present one the champion again.

    Returns:
        Its version.

    Raises:
        BundleError: There was none before, or it is damaged; nothing has changed.
    """
    past: list[str] = [entry["version"] for entry in history(pointer)]
    present = bundle_folder(pointer).name if past else _version(bundle_folder(pointer))
    before = next((version for version in reversed(past) if version != present), None)
    if before is None:
        raise BundleError("nothing to go back to", got=present, wanted="an earlier champion", where=pointer)
    kept = pointer.parent / _KEPT / before
    load(kept, fingerprint=STANDARD.fingerprint)
    point_to(pointer, kept)
    _remember(pointer, before, why)
    return before


def history(pointer: Path) -> list[dict[str, Any]]:
    """Every champion in order: `version`, `at` and `why`; empty where nothing was ever promoted.

    A line that a crash cut short was never acknowledged, and is passed over.
    """
    try:
        lines = pointer.with_name(HISTORY).read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _keep_present(pointer: Path) -> None:
    """The champion before the first promotion is kept too, unless damaged; where it is a folder, a pointer follows."""
    folder = bundle_folder(pointer)
    if not _whole(folder):
        if pointer.is_dir():
            pointer.rename(pointer.with_name(f"{pointer.name}.damaged"))
        return
    version = _version(folder)
    kept = _keep(folder, pointer.parent / _KEPT / version)
    if pointer.is_dir():
        aside = pointer.with_name(f".{pointer.name}.old")
        pointer.rename(aside)
        point_to(pointer, kept)
        shutil.rmtree(aside)
    _remember(pointer, version, "in use before the first promotion")


def _keep(bundle: Path, kept: Path) -> Path:
    """A copy that appears complete or not at all; one that was damaged since gives way."""
    if not _whole(kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            new = shutil.copytree(bundle, Path(scratch) / "new")
            if kept.exists():
                kept.rename(Path(scratch) / "damaged")
            new.rename(kept)
    return kept


def _whole(folder: Path) -> bool:
    try:
        load(folder, fingerprint=STANDARD.fingerprint)
    except BundleError:
        return False
    return True


def _version(folder: Path) -> str:
    return load(folder, fingerprint=STANDARD.fingerprint).version


def _remember(pointer: Path, version: str, why: str) -> None:
    entry = {"version": version, "at": datetime.now(UTC).isoformat(timespec="seconds"), "why": why}
    with pointer.with_name(HISTORY).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(entry, sort_keys=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
