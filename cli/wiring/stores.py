"""The store of a service's folder, opened for a command, and its events as a data set."""

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
    from tactful.serving.settings import Settings
    from tactful.serving.store.port import Store
    from tactful.serving.store.queries.operator_actions import Act


@contextmanager
def opened(data: Path, tenant: str | None = None) -> "Iterator[tuple[Store, Settings]]":
    """The store of a service's folder, with its settings.

    Raises:
        TactfulError: There is no such folder.
        StoreError: The store cannot be opened.
    """
    from tactful.serving.settings import Settings
    from tactful.serving.store.opening import open_store

    if not data.is_dir():
        raise TactfulError("no such folder", got=str(data), wanted="a folder with a store, or with its settings")
    settings = Settings.of(data, tenant=tenant)
    store = open_store(settings.store, settings.durability, settings.connections)
    try:
        yield store, settings
    finally:
        store.close()


def record_release(data: Path, action: "Act", version: str, details: Mapping[str, str]) -> None:
    """Record who did what to the bundle in use, where the service has a store yet to record it in.

    Raises:
        StoreError: The store fails.
    """
    from tactful.serving.settings import Settings
    from tactful.serving.store.opening import store_exists
    from tactful.serving.store.queries.operator_actions import record

    if not data.is_dir() or not store_exists(Settings.of(data).store):
        return
    now = datetime.now(UTC)
    with opened(data) as (store, settings):
        record(store.database, settings.tenant, action, version, by=operator(), when=now, details=details)


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
    from tactful.serving.ingestion.rules import load_rules

    if out.exists():
        raise TactfulError("a folder that is there already", got=str(out), wanted="a new one")
    with opened(data, tenant) as (store, settings), progress("Reading the store", console(stderr=True)):
        categories = load_rules(settings.tracking).categories
        return export_events(store, settings.tenant, out, categories=categories, catalogue=settings.catalogue)
