"""Events on disk: Parquet, one folder per bucket of customers, sorted by customer and time.

folder/
  dataset.json               zone, vocabularies, counts, digest
  bucket=00/events.parquet   the columns of `tactful.features.events.schema.SCHEMA`
  bucket=00/zones.parquet    customers and their zones, where they are known
  bucket=01/events.parquet
"""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tactful.features.errors import EventError
from tactful.features.events.history import Events
from tactful.features.events.schema import SCHEMA, from_sorted, from_table, to_table
from tactful.features.timestamps import microseconds, utc_offsets
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

FORMAT = 1
MANIFEST = "dataset.json"


def bucket(customer_id: str, buckets: int) -> int:
    """The bucket of a customer: a stable hash, the same in every process and release.

    Example:
        >>> bucket("1234", 8)
        3
    """
    digest = hashlib.blake2b(customer_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % buckets


@dataclass(frozen=True)
class EventDataset:
    """A folder of events, as `write_events` leaves it.

    Attributes:
        folder: Where it is.
        zone: The IANA zone of customers whose own is unknown.
        rows: Events in each bucket.
        customers: Customers in each bucket.
        categories: The vocabulary: bit i of an event's categories is the i-th name.
        digest: Sha256 of the contents, zone and vocabulary; the order of the rows written has no part in it.
        first: Time of the first event, ISO 8601; "" if there is none.
        last: Time of the last event.
        until: Events at or after this moment, microseconds since the epoch, are not read; None for all.
    """

    folder: Path
    zone: str
    rows: tuple[int, ...]
    customers: tuple[int, ...]
    categories: tuple[str, ...]
    digest: str
    first: str
    last: str
    until: int | None = None

    @property
    def buckets(self) -> int:
        """The number of buckets."""
        return len(self.rows)

    def events(self, number: int, columns: Collection[str] | None = None) -> Events:
        """The histories of one bucket.

        Args:
            number: Which bucket, from 0.
            columns: The columns to read besides customer and time; the others are zero. All by default.
        """
        wanted = _COMPUTED if columns is None else (*_ALWAYS, *columns)
        names = [name for name in SCHEMA.names if name in wanted]
        return from_sorted(self.table(number, names), self.zone, self.zones(number))

    def zones(self, number: int) -> dict[str, str]:
        """The zones of the customers of one bucket that have one of their own."""
        return _zones(self.folder, number)

    def all_zones(self) -> dict[str, str]:
        """The zones of all customers that have one of their own."""
        return {name: zone for number in range(self.buckets) for name, zone in self.zones(number).items()}

    def table(self, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The columns of one bucket as they are stored."""
        file = pq.ParquetFile(_file(self.folder, number), read_dictionary=["customer_id"])
        with file:
            if self.until is None:
                return file.read(columns=columns, use_threads=False)
            read = columns if columns is None or "time" in columns else [*columns, "time"]
            table = file.read(columns=read, use_threads=False)
        kept = table.filter(pc.less(table["time"].cast(pa.int64()), self.until))
        return kept if columns is None else kept.select(list(columns))

    def before(self, moment: datetime) -> tuple["EventDataset", int]:
        """The same events without those at or after a moment, and how many these are; the digest is that of all."""
        until = microseconds(moment)
        times = (self.table(number, ["time"])["time"].cast(pa.int64()) for number in range(self.buckets))
        later = sum(int(pc.sum(pc.greater_equal(time, until)).as_py() or 0) for time in times)
        return replace(self, until=until), later


_ALWAYS = ("customer_id", "time")
_COMPUTED = tuple(name for name in SCHEMA.names if name not in ("subject", "event_id"))


def write_events(
    frame: pd.DataFrame,
    folder: Path,
    *,
    zone: str,
    buckets: int = 8,
    categories: Sequence[str] = (),
    zones: Mapping[str, str] | None = None,
) -> EventDataset:
    """Writes events so that each customer's history lies together, replacing what was in the folder.

    The folder appears complete or not at all: a reader never sees half of it.

    Args:
        frame: The `events` that `tactful.features.events.schema.validate` returns.
        folder: Where to write; an existing data set there is replaced, anything else is an error.
        zone: The IANA zone of customers whose own is unknown; local days are counted in a customer's zone.
        buckets: How many buckets to split the customers into.
        categories: The category vocabulary, at most 64 names.
        zones: The zones of customers, by their ids.

    Raises:
        EventError: The frame is not canonical, the zone or the vocabulary is not one, or the folder holds
            something else.
    """
    if len(categories) > 64 or len(set(categories)) < len(categories):
        raise EventError("unfit category vocabulary", got=list(categories), wanted="at most 64 different names")
    if folder.exists() and not (folder / MANIFEST).exists() and any(folder.iterdir()):
        raise EventError("the folder holds something else", got=sorted(folder.iterdir())[0].name, where=folder)
    for name in {zone, *(zones or {}).values()}:
        utc_offsets(name)
    table = to_table(frame)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        written = Path(scratch) / "new"
        _write(table, written, zone, buckets, tuple(categories), zones or {})
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        written.rename(folder)
    return open_events(folder)


def write_sorted(
    parts: Iterable[pa.Table],
    folder: Path,
    *,
    zone: str,
    buckets: int = 8,
    categories: Sequence[str] = (),
    zones: Mapping[str, str] | None = None,
) -> EventDataset:
    """Writes events that come sorted by customer and time, a part at a time, so that memory holds one part.

    The folder appears complete or not at all.

    Args:
        parts: Tables of `tactful.features.events.schema.SCHEMA`, each sorted, one after another.
        folder: Where to write; it must not exist.
        zone: The IANA zone of customers whose own is unknown.
        buckets: How many buckets to split the customers into.
        categories: The category vocabulary, at most 64 names.
        zones: The zones of customers, by their ids.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        written = Path(scratch) / "new"
        with ExitStack() as files:
            writers = [files.enter_context(_writer(_file(written, number))) for number in range(buckets)]
            for part in parts:
                for writer, rows in zip(writers, _split(part, buckets), strict=True):
                    writer.write_table(rows)
        dataset = EventDataset(written, zone, (0,) * buckets, (), (), "", "", "")
        for number in range(buckets):
            _write_zones_of(dataset.table(number, ["customer_id"]), zones or {}, written, number)
        tables = (dataset.table(number).cast(SCHEMA) for number in range(buckets))
        _write_manifest(tables, written, zone, tuple(categories))
        written.rename(folder)
    return open_events(folder)


def open_events(folder: Path | str) -> EventDataset:
    """The data set in a folder.

    Args:
        folder: As `tactful events import` and `tactful events export` leave it.

    Raises:
        EventError: There is none, or a newer release wrote it.

    Example:
        >>> open_events("var/none")
        Traceback (most recent call last):
        tactful.features.errors.EventError: no event data set: got 'var/none'; wanted a folder with dataset.json
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError as error:
        raise EventError("no event data set", got=str(folder), wanted=f"a folder with {MANIFEST}") from error
    _check_vocabulary(manifest, folder)
    names = {field.name for field in fields(EventDataset)} - {"folder", "until"}
    values: dict[str, Any] = {name: manifest[name] for name in names}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return EventDataset(folder=folder, **values | lists)


def read_events(folder: Path) -> pd.DataFrame:
    """All events of a data set as a canonical frame, by bucket, customer and time."""
    dataset = open_events(folder)
    tables = [dataset.table(number) for number in range(dataset.buckets)]
    return from_table(pa.concat_tables([table.cast(SCHEMA) for table in tables]))


def erase(dataset: EventDataset, customers: Collection[str]) -> EventDataset:
    """Takes customers out of a data set on disk; each of their buckets is replaced whole, at once.

    The manifest comes last: a process that dies in between leaves one that counts erased events, and may erase again.
    Every other process that takes customers out of the data set at that moment waits.

    Args:
        dataset: The data set.
        customers: The customers to erase; unknown ids do no harm.

    Returns:
        The data set as it is now.
    """
    with _alone(dataset.folder):
        for number in sorted({bucket(customer, dataset.buckets) for customer in customers}):
            table = dataset.table(number).cast(SCHEMA)
            theirs = pc.is_in(table["customer_id"], pa.array(customers, pa.string()))
            file = _file(dataset.folder, number)
            written = file.with_name(f".{file.name}.new")
            _write_bucket(table.filter(pc.invert(theirs)), written)
            written.replace(file)
            _write_zones(dataset.zones(number), customers, dataset.folder, number)
        parts = (dataset.table(number).cast(SCHEMA) for number in range(dataset.buckets))
        _write_manifest(parts, dataset.folder, dataset.zone, dataset.categories)
        return open_events(dataset.folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits for any other process that takes customers out of a data set, and keeps others out."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _write(
    table: pa.Table, folder: Path, zone: str, buckets: int, categories: tuple[str, ...], zones: Mapping[str, str]
) -> None:
    parts = _split(table, buckets)
    for number, part in enumerate(parts):
        _write_bucket(part, _file(folder, number))
        _write_zones_of(part, zones, folder, number)
    _write_manifest(parts, folder, zone, categories)


def _split(table: pa.Table, buckets: int) -> list[pa.Table]:
    """The rows of each bucket, in their order."""
    ids = table["customer_id"].combine_chunks().dictionary_encode()
    bucket_of = np.array([bucket(customer, buckets) for customer in ids.dictionary.to_pylist()], dtype=np.int64)
    bucket_of_row = bucket_of[ids.indices.to_numpy()]
    return [table.filter(pa.array(bucket_of_row == number)).combine_chunks() for number in range(buckets)]


def _write_manifest(parts: Iterable[pa.Table], folder: Path, zone: str, categories: tuple[str, ...]) -> None:
    digest = hashlib.sha256(json.dumps([FORMAT, zone, categories]).encode())
    rows, customers = list[int](), list[int]()
    spans: list[datetime] = []
    for number, part in enumerate(parts):
        _update(digest, part)
        if zones := _zones(folder, number):
            digest.update(json.dumps(zones).encode())
        rows.append(len(part))
        customers.append(pc.count_distinct(part["customer_id"]).as_py())
        spans += pc.min_max(part["time"]).as_py().values() if len(part) else []
    manifest = {
        "format": FORMAT,
        "types": EVENT_TYPES,
        "channels": CHANNELS,
        "zone": zone,
        "rows": rows,
        "customers": customers,
        "categories": categories,
        "digest": digest.hexdigest(),
        "first": min(spans).isoformat() if spans else "",
        "last": max(spans).isoformat() if spans else "",
    }
    written = folder / f".{MANIFEST}.new"
    written.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    written.replace(folder / MANIFEST)


def _write_bucket(part: pa.Table, file: Path) -> None:
    with _writer(file) as writer:
        writer.write_table(part)


def _writer(file: Path) -> pq.ParquetWriter:
    file.parent.mkdir(parents=True, exist_ok=True)
    return pq.ParquetWriter(
        file,
        SCHEMA,
        compression="zstd",
        compression_level=1,
        use_dictionary=["customer_id", "type", "channel", "subject"],
        dictionary_pagesize_limit=1 << 26,
        store_schema=False,
    )


def _update(digest: Any, part: pa.Table) -> None:
    """Feeds the contents, and nothing of how Arrow or Parquet lays them out, to a hash."""
    digest.update(f"{len(part)}\n".encode())
    for name in part.column_names:
        column = part[name].combine_chunks()
        if pa.types.is_string(column.type):
            digest.update(pc.binary_length(column).to_numpy().tobytes())
            digest.update("".join(column.to_pylist()).encode())
        else:
            digest.update(column.cast(pa.int64()).to_numpy() if name == "time" else column.to_numpy())


def _file(folder: Path, number: int) -> Path:
    return folder / f"bucket={number:02}" / "events.parquet"


def _zones_file(folder: Path, number: int) -> Path:
    return folder / f"bucket={number:02}" / "zones.parquet"


def _zones(folder: Path, number: int) -> dict[str, str]:
    file = _zones_file(folder, number)
    return dict(zip(*pq.read_table(file).to_pydict().values(), strict=True)) if file.exists() else {}


def _write_zones_of(part: pa.Table, zones: Mapping[str, str], folder: Path, number: int) -> None:
    customers = part["customer_id"].unique().to_pylist() if zones else ()
    _write_zones({name: zones[name] for name in customers if name in zones}, (), folder, number)


def _write_zones(zones: Mapping[str, str], without: Collection[str], folder: Path, number: int) -> None:
    """Replaces the zones of a bucket, whole and at once; without any, there is no file."""
    kept = {customer: zones[customer] for customer in sorted(zones) if customer not in without}
    file = _zones_file(folder, number)
    if not kept:
        file.unlink(missing_ok=True)
        return
    written = file.with_name(f".{file.name}.new")
    pq.write_table(pa.table({"customer_id": list(kept), "zone": list(kept.values())}), written, compression="zstd")
    written.replace(file)


def _check_vocabulary(manifest: dict[str, Any], folder: Path) -> None:
    known = {"types": EVENT_TYPES, "channels": CHANNELS}
    for name, ours in known.items():
        theirs = tuple(manifest.get(name, ()))
        if manifest.get("format") != FORMAT or theirs != ours[: len(theirs)]:
            raise EventError("a data set of another release", got=theirs, wanted=ours, where=folder / MANIFEST)
