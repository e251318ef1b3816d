"""Taking in on SQLite, where a transaction that began IMMEDIATE has no other writer beside it."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from tactful.serving.store.ingest.session import Row, Session

_MAKE = "INSERT INTO customers (tenant, customer, version, attributes) VALUES (?, ?, 0, '{}') ON CONFLICT DO NOTHING"
_VERSIONS = "SELECT customer, version FROM customers WHERE tenant = ? AND customer = ANY(?)"


class SqliteSession(Session):
    """A session of a connection that has begun.

    Args:
        connection: The connection.
        tenant: The tenant of the customers.
    """

    def __init__(self, connection: sqlite3.Connection, tenant: str) -> None:
        super().__init__(tenant)
        self.connection = connection

    def select(self, statement: str, *parameters: Any) -> list[Row]:
        """See `Session.select`."""
        return self._run(statement, parameters).fetchall()

    def write(self, statement: str, rows: Iterable[Row]) -> None:
        """See `Session.write`."""
        self.connection.executemany(_in_sqlite(statement), rows)

    def change(self, statement: str, *parameters: Any) -> None:
        """See `Session.change`."""
        self._run(statement, parameters)

    def exclude(self, name: str) -> None:
        """See `Session.exclude`."""

    def lock(self, customers: Collection[str], strangers: Collection[str]) -> dict[str, int]:
        """See `Session.lock`."""
        self.write(_MAKE, [(self.tenant, customer) for customer in strangers])
        return dict(self.pairs(_VERSIONS, self.tenant, list(customers)))

    def _run(self, statement: str, parameters: Sequence[Any]) -> sqlite3.Cursor:
        values = [json.dumps(value) if isinstance(value, list) else value for value in parameters]
        return self.connection.execute(_in_sqlite(statement), values)


@lru_cache(maxsize=256)
def _in_sqlite(statement: str) -> str:
    """A statement in SQLite's words, where a SELECT before ON CONFLICT must end in a condition, as ours do."""
    return statement.replace("= ANY(?)", "IN (SELECT value FROM json_each(?))")
