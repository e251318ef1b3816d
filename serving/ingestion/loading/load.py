"""Brings customers and their events into a store: in slices, so that a load can be cut short and gone on with."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tactful.features.errors import TactfulError
from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import EARLIEST
from tactful.serving.ingestion.loading.customers_file import CustomersFile, CustomersRead
from tactful.serving.ingestion.loading.history import SLICE, refusals_of, slices
from tactful.serving.store.port import Consent, History, Profile, Store

Refusals = Mapping[str, Mapping[Consent, datetime]]
Progress = Callable[[int, int], None]
"""Called with rows done, and all."""


@dataclass(frozen=True)
class Loaded:
    """The counts of a load.

    Attributes:
        events: Events in the data set.
        customers: Customers in the data set.
        read: Counts of the rows of the file of customers.
        overruled: Consents in that file that do not count, since the customer unsubscribed or complained in the events.
        resumed: Slices of events that an earlier load of the same data had brought in.
    """

    events: int
    customers: int
    read: CustomersRead
    overruled: int
    resumed: int


def load(
    store: Store,
    tenant: str,
    dataset: EventDataset | None,
    file: CustomersFile | None,
    *,
    asserted: datetime,
    zone: str,
    marker: Path,
    progress: Progress = lambda _done, _all: None,
    size: int = SLICE,
) -> Loaded:
    """Loads a file of customers, then a data set of events; loading again adds what is new and changes nothing else.

    An unsubscription or a complaint among the events counts, whatever the file says.

    Args:
        store: Where to.
        tenant: The tenant of the customers.
        dataset: The events; none where None.
        file: The customers; none where None.
        asserted: The moment the consents in the file are as of; a consent of a later moment stands.
        zone: The IANA zone of local days where there are no events to say it.
        marker: A file that keeps how far the load is; it is gone once the load is complete.
        progress: Told how far it is.
        size: Events in one transaction.

    Raises:
        StoreError: The store fails; a later call goes on where this one ended.
    """
    refusals = {} if dataset is None else refusals_of(dataset)
    customers, events = 0 if file is None else len(file), 0 if dataset is None else sum(dataset.rows)
    zone = dataset.zone if dataset is not None else zone
    overruled = done = 0
    for batch in [] if file is None else file.batches():
        profiles = [_overruled(profile, refusals) for profile in batch]
        overruled += sum(len(a.consents) - len(b.consents) for a, b in zip(batch, profiles, strict=True))
        store.load(tenant, History(zone, asserted, profiles))
        done += len(batch)
        progress(done, customers + events)
    resumed = (
        0
        if dataset is None
        else _load_events(store, tenant, dataset, slices(dataset, refusals, size), marker, progress, customers)
    )
    read = CustomersRead() if file is None else file.read
    return Loaded(events, 0 if dataset is None else sum(dataset.customers), read, overruled, resumed)


def _overruled(profile: Profile, refusals: Refusals) -> Profile:
    """A profile without the consents that the customer withdrew, for whatever purpose."""
    channels = {channel for channel, _ in refusals.get(profile.customer, ())}
    kept = {consent: yes for consent, yes in profile.consents.items() if not yes or consent[0] not in channels}
    return replace(profile, consents=kept)


def _load_events(
    store: Store,
    tenant: str,
    dataset: EventDataset,
    parts: Iterable[History],
    marker: Path,
    progress: Progress,
    before: int,
) -> int:
    key = hashlib.sha256(f"{tenant}\n{store.database.where}\n{dataset.digest}".encode()).hexdigest()
    resumed, events = _resumed(store, tenant, marker, key), sum(dataset.rows)
    done = before
    for number, part in enumerate(parts, start=1):
        rows = list(part.events)
        if number > resumed:
            store.load(tenant, replace(part, events=rows))
            *_, last = part.profiles
            _keep(marker, {"load": key, "slices": number, "last": last.customer})
        done += len(rows)
        progress(done, before + events)
    marker.unlink(missing_ok=True)
    return resumed


def _resumed(store: Store, tenant: str, marker: Path, key: str) -> int:
    """Slices that are in the store already; none where the mark is of other data, or the store was made anew."""
    try:
        kept: dict[str, Any] = json.loads(marker.read_text(encoding="utf-8"))
        if kept["load"] != key or store.customers(tenant, [(kept["last"], EARLIEST)]) == [None]:
            return 0
        return int(kept["slices"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _keep(marker: Path, kept: dict[str, Any]) -> None:
    written = marker.with_name(f"{marker.name}.new")
    written.touch(mode=0o600)
    written.write_text(json.dumps(kept), encoding="utf-8")
    written.replace(marker)


def require_moment(file: CustomersFile | None, dataset: EventDataset | None, asked: datetime | None) -> datetime:
    """The moment that the consents in a file are as of: as asked, else that of the last event.

    Raises:
        TactfulError: The file states consents, and nothing says as of when.
    """
    if asked is not None:
        return asked
    if dataset is not None and dataset.last:
        return datetime.fromisoformat(dataset.last)
    if file is not None and file.states_consents:
        wanted = "--as-of MOMENT: when the file was written, so that a later refusal stands"
        raise TactfulError("consents without a moment", wanted=wanted, where=file.file)
    return EARLIEST
