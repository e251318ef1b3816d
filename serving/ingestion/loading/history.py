"""Loads a data set of events, with profiles, into the store."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tactful.decisions.base.snapshot import Contact
from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.ingestion.messages.consents import PURPOSE
from tactful.serving.store.ingest.keep import WITHDRAWING
from tactful.serving.store.port import Consent, History, Profile, Store, from_micros

CONTACT = EVENT_TYPES.index("contact")
SLICE = 20_000
"""Events that are loaded in one transaction."""
_TRAITS = ("customer_id", "zone", "joined")


def load_history(
    store: Store,
    tenant: str,
    dataset: EventDataset,
    *,
    asserted: datetime,
    profiles: pd.DataFrame | None = None,
    consents: Mapping[Consent, bool] | None = None,
    until: datetime | None = None,
) -> int:
    """Load customers with their events; contacts among these enter the ledger as sent, so that policies count them.

    Loading again adds what is new and changes nothing else.

    Args:
        store: Where to.
        tenant: The tenant of the customers.
        dataset: The events.
        asserted: The moment the consents are as of; a consent of a later moment stands.
        profiles: A row a customer: `customer_id`, and where known `zone` (IANA; that of the data set where it is
            missing), `joined` (aware moments); every other column is an attribute. A customer without a row joined
            with the first event.
        consents: The default consents of every customer, by channel and purpose.
        until: Leave out what happened at or after this moment, as for a replay of the past.

    Returns:
        The number of events in the data set before that moment.

    Raises:
        StoreError: The store fails.
    """
    before = None if until is None else microseconds(until)
    tables = [_before(dataset.table(number), before) for number in range(dataset.buckets)]
    zones = dataset.all_zones()
    store.load(
        tenant,
        History(
            zone=dataset.zone,
            asserted=asserted,
            profiles=_profiles(tables, zones, profiles, consents or {}),
            events=(event for table in tables for event in _events(table)),
            contacts=(contact for table in tables for contact in _contacts(table)),
        ),
    )
    return sum(len(table) for table in tables)


def refusals_of(dataset: EventDataset) -> dict[str, dict[Consent, datetime]]:
    """Customers of a data set who unsubscribed or complained: their withdrawn consents, each with its latest moment.

    An event that names no channel withdraws the consent for every channel.

    Args:
        dataset: The events.
    """
    found: dict[str, dict[Consent, datetime]] = {}
    kinds = pa.array([EVENT_TYPES.index(kind) for kind in WITHDRAWING], pa.int64())
    for number in range(dataset.buckets):
        table = dataset.table(number, ["customer_id", "time", "type", "channel"])
        withdrawn = table.filter(pc.is_in(table["type"].cast(pa.int64()), kinds))
        times = map(from_micros, withdrawn["time"].cast(pa.int64()).to_pylist())
        channels = (CHANNELS[code] for code in withdrawn["channel"].to_pylist())
        for customer, time, channel in zip(withdrawn["customer_id"].to_pylist(), times, channels, strict=True):
            theirs = found.setdefault(customer, {})
            for named in [channel] if channel else CHANNELS[1:]:
                theirs[named, PURPOSE] = max(time, theirs.get((named, PURPOSE), time))
    return found


def slices(
    dataset: EventDataset, refusals: Mapping[str, Mapping[Consent, datetime]], size: int = SLICE
) -> Iterator[History]:
    """A data set as histories of about so many events, each customer's whole, to be loaded one after another.

    Customers join with their first event, unless the store knows when they joined.

    Args:
        dataset: The events.
        refusals: Of `refusals_of`.
        size: Events in one, or more where one customer has more.
    """
    for number in range(dataset.buckets):
        table, zones = dataset.table(number), dataset.zones(number)
        for begin, end in pairwise(_borders(table, size)):
            part = table.slice(begin, end - begin)
            first = _first_moments([part])
            profiles = [
                Profile(customer, zone=zones.get(customer), joined=moment, refusals=refusals.get(customer, {}))
                for customer, moment in first.items()
            ]
            yield History(dataset.zone, from_micros(0), profiles, _events(part), _contacts(part))


def _borders(table: pa.Table, size: int) -> list[int]:
    """Rows at which a slice ends: where a customer ends, after every so many rows, and at last the table's end."""
    ids = pc.run_end_encode(table["customer_id"].cast(pa.string()).combine_chunks())
    ends = ids.run_ends.to_numpy() if len(table) else np.array([0])
    wanted = np.arange(size, len(table), size)
    inner = ends[np.searchsorted(ends, wanted)] if len(wanted) else wanted
    return [0, *sorted({*inner.tolist(), len(table)})] if len(table) else [0]


def _before(table: pa.Table, moment: int | None) -> pa.Table:
    return table if moment is None else table.filter(pc.less(table["time"].cast(pa.int64()), moment))


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """The customer, then the columns of `StoredEvent`, an event each."""
    columns = [
        table["customer_id"].cast(pa.string()).to_pylist(),
        table["time"].cast(pa.int64()).to_pylist(),
        *(table[name].to_pylist() for name in ("type", "channel", "amount", "discount", "quantity")),
        table["categories"].to_numpy().view(np.int64).tolist(),
        table["subject"].to_pylist(),
        table["event_id"].to_pylist(),
    ]
    return zip(*columns, strict=True)


def _events(table: pa.Table) -> Iterator[tuple[str, tuple[Any, ...]]]:
    return ((customer, (*event, "")) for customer, *event in _rows(table))


def _contacts(table: pa.Table) -> Iterator[tuple[str, Contact]]:
    for customer, time, _, channel, *_, subject, id_ in _rows(table.filter(pc.equal(table["type"], CONTACT))):
        yield customer, Contact(time=from_micros(time), channel=CHANNELS[channel], message=subject, id=id_)


def _profiles(
    tables: Iterable[pa.Table],
    zones: Mapping[str, str],
    profiles: pd.DataFrame | None,
    consents: Mapping[Consent, bool],
) -> Iterator[Profile]:
    first = _first_moments(tables)
    rows: list[dict[str, Any]] = [] if profiles is None else profiles.to_dict("records")  # type: ignore[assignment]
    told = {str(row["customer_id"]): row for row in rows}
    for customer in sorted(first.keys() | told.keys()):
        row = {name: _plain(value) for name, value in told.get(customer, {}).items() if not pd.isna(value)}
        joined = row.get("joined")
        yield Profile(
            customer,
            zone=row.get("zone") or zones.get(customer),
            joined=datetime.fromisoformat(joined) if joined else first.get(customer),
            attributes={name: value for name, value in row.items() if name not in _TRAITS},
            consents=consents,
        )


def _first_moments(tables: Iterable[pa.Table]) -> dict[str, datetime]:
    first: dict[str, datetime] = {}
    for table in tables:
        found = table.group_by("customer_id").aggregate([("time", "min")])
        ids = found["customer_id"].cast(pa.string()).to_pylist()
        times = found["time_min"].cast(pa.int64()).to_pylist()
        first.update(zip(ids, map(from_micros, times), strict=True))
    return first


def _plain(value: Any) -> Any:
    """A cell of a frame as JSON has it: dates and moments as ISO 8601 texts."""
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value
