"""A whole store copied into an empty one of either kind, compared row by row before it counts."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from tactful.serving.errors import StoreError
from tactful.serving.store.database import Database
from tactful.serving.store.migrate import schema_of
from tactful.serving.store.schema import metadata

PAGE = 2_000
"""Rows that are held in memory at once."""

Progress = Callable[[int, int], None]
"""Called with the rows done, and all."""


@dataclass(frozen=True, slots=True)
class Copied:
    """The result of a copy.

    Args:
        rows: By table.
        digests: By table, the SHA-256 of its contents in the order of its key: the same in both stores.
    """

    rows: dict[str, int]
    digests: dict[str, str]


def copy(source: Database, target: Database, progress: Progress = lambda _done, _of: None) -> Copied:
    """Copies every table of every tenant, as of one moment, in one transaction of the target: all of it or nothing.

    The source is not changed. Rows that it takes in later are not copied, so stop its service first.

    Args:
        source: The store that is copied.
        target: An empty store with the same schema.
        progress: Told how far it is.

    Raises:
        StoreError: The target holds something or has another schema, a value does not fit it, what it holds in the end
            is not what was copied, or a database fails. Nothing has changed then.
    """
    with source.read() as reading, target.begin() as writing:
        _require_fit(reading, writing, target)
        counts = {table.name: _count(reading, table) for table in metadata.sorted_tables}
        done, digests = 0, dict[str, str]()
        for table in metadata.sorted_tables:
            digest = hashlib.sha256()
            for page in _pages(reading, table):
                writing.execute(insert(table), [dict(zip(table.columns.keys(), row, strict=True)) for row in page])
                _update(digest, page)
                done += len(page)
                progress(done, sum(counts.values()))
            digests[table.name] = digest.hexdigest()
        for table in metadata.sorted_tables:
            _compare(writing, table, counts[table.name], digests[table.name], target)
    return Copied(counts, digests)


def _require_fit(reading: Connection, writing: Connection, target: Database) -> None:
    if (schema := schema_of(writing)) != (wanted := schema_of(reading)):
        raise StoreError("a store of another release", got=f"schema {schema}", wanted=wanted, where=target.where)
    for connection in (reading, writing):
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    if full := [table.name for table in metadata.sorted_tables if _count(writing, table)]:
        raise StoreError(
            "a store that holds something already", got=", ".join(full), wanted="an empty store", where=target.where
        )


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _pages(connection: Connection, table: Table) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows of a table in the order of its key."""
    rows = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=PAGE)
    return connection.execute(rows).partitions()


def _update(digest: Any, page: Sequence[Sequence[Any]]) -> None:
    for row in page:
        digest.update(repr([_plain(value) for value in row]).encode())


def _plain(value: Any) -> Any:
    """A value as both databases give it."""
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


def _compare(writing: Connection, table: Table, count: int, wanted: str, target: Database) -> None:
    found, digest = 0, hashlib.sha256()
    for page in _pages(writing, table):
        found += len(page)
        _update(digest, page)
    if (found, digest.hexdigest()) != (count, wanted):
        got = f"{found} rows with digest {digest.hexdigest()[:12]}"
        raise StoreError(
            "a copy that differs", got=got, wanted=f"{count} with {wanted[:12]}", where=f"{target.where} {table.name}"
        )
