"""Writes the events of a store as a data set, for training and for analysts."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from tactful.features.errors import TactfulError
from tactful.features.events.dataset import EventDataset, write_sorted
from tactful.features.events.schema import SCHEMA
from tactful.serving.store.admin.people import zones_of
from tactful.serving.store.port import Store, StoredEvent
from tactful.serving.store.queries.catalogues import newest
from tactful.serving.store.queries.tenants import zone_of

PART = 100_000
"""Events that are held in memory at once."""


def export_events(
    store: Store,
    tenant: str,
    folder: Path,
    *,
    categories: tuple[str, ...] = (),
    buckets: int = 8,
    catalogue: Path | None = None,
) -> EventDataset:
    """Writes every event of a tenant's customers as a data set, with the customers' zones.

    The zone of the others is that of the catalogue in force, as in a decision; the tenant's where it states none.

    Aliases count under the customer whose they are, and nothing of erased customers is left.

    Args:
        store: The store.
        tenant: The tenant of the customers.
        folder: Where to write; it must not exist.
        categories: The category vocabulary that the store's events were kept with.
        buckets: How many buckets to split the customers into.
        catalogue: The file that is in force where the store has no catalogue.

    Raises:
        StoreError: The store fails.
        TactfulError: The store has no events.
    """
    zone = zone_of(store.database, tenant)
    if zone is None:
        wanted = "a store that `tactful store load` or the tracking API has filled"
        raise TactfulError("no events to export", got=f"tenant {tenant}", wanted=wanted, where=store.database.where)
    return write_sorted(
        _parts(store, tenant),
        folder,
        zone=_timezone(store, tenant, catalogue) or zone,
        buckets=buckets,
        categories=categories,
        zones=zones_of(store.database, tenant),
    )


def _timezone(store: Store, tenant: str, file: Path | None) -> str | None:
    found = newest(store.database, tenant)
    text = found.content if found else file.read_text(encoding="utf-8") if file and file.is_file() else "{}"
    zone: str | None = yaml.safe_load(text).get("timezone")
    return zone


def _parts(store: Store, tenant: str) -> Iterator[pa.Table]:
    """About `PART` events at a time, each customer's whole."""
    rows: list[tuple[str, StoredEvent]] = []
    for _, events in groupby(store.events(tenant), key=itemgetter(0)):
        rows += events
        if len(rows) >= PART:
            yield _table(rows)
            rows = []
    if rows:
        yield _table(rows)


def _table(rows: Sequence[tuple[str, StoredEvent]]) -> pa.Table:
    """The events as an imported log has them, equal moments in the order of their contents."""
    events = [event for _, event in rows]
    columns = {
        "customer_id": [customer for customer, _ in rows],
        **{name: [getattr(event, name) for event in events] for name in ("type", "channel", "subject")},
        **{name: [getattr(event, name) for event in events] for name in ("amount", "discount", "quantity")},
        "time": np.array([event.time for event in events], dtype="datetime64[us]"),
        "categories": np.array([event.categories for event in events], dtype=np.int64).view(np.uint64),
        "event_id": [event.id for event in events],
    }
    table = pa.table({field.name: pa.array(columns[field.name]).cast(field.type) for field in SCHEMA}, schema=SCHEMA)
    return table.take(pc.sort_indices(table, [(name, "ascending") for name in SCHEMA.names]))
