"""A release recorded in the store of a service's folder, and the store's events as a data set."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tactful.cli.arguments import operator
from tactful.cli.console import console, progress
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from tactful.features.events.dataset import EventDataset
    from tactful.serving.store.queries.operator_actions import Act


def record_release(data: Path, action: "Act", version: str, details: Mapping[str, str]) -> None:
    """Record who did what to the bundle in use, where the service has a store yet to record it in.

    Raises:
        StoreError: The store fails.
    """
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.settings import Settings
    from tactful.serving.store.opening import store_exists
    from tactful.serving.store.queries.operator_actions import record

    if not data.is_dir() or not store_exists(Settings.of(data).store):
        return
    now = datetime.now(UTC)
    with open_folder(data) as folder:
        record(folder.store.database, folder.tenant, action, version, by=operator(), when=now, details=details)


@contextmanager
def exported(data: Path) -> "Iterator[Path]":
    """The events of a service's store as a data set, for as long as the block runs.

    Raises:
        TactfulError: The store has no events.
    """
    with tempfile.TemporaryDirectory(prefix="tactful-events-") as scratch:
        yield export(data, Path(scratch) / "events").folder


def export(data: Path, out: Path, tenant: str | None = None) -> "EventDataset":
    """Writes the events of a service's store as a data set.

    Raises:
        TactfulError: The store has no events, or the folder is there already.
    """
    from tactful.serving.engine.records.export import export_events
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.ingestion.rules import load_rules

    if out.exists():
        raise TactfulError("a folder that is there already", got=str(out), wanted="a new one")
    with open_folder(data, tenant=tenant) as folder, progress("Reading the store", console(stderr=True)):
        settings = folder.settings
        categories = load_rules(settings.tracking).categories
        return export_events(folder.store, folder.tenant, out, categories=categories, catalogue=settings.catalogue)
