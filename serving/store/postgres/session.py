"""Taking in on PostgreSQL, where customers are locked one by one and strangers are made before anybody is locked.

A session that waits to create an unknown customer holds no lock on a known one, so no sessions wait in a circle.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from tactful.serving.store.ingest.session import Row, Session
from tactful.serving.store.postgres import sql

_MAKE = """
INSERT INTO customers (tenant, customer, version, attributes)
SELECT %s, name, 0, '{}' FROM unnest(%s::text[]) WITH ORDINALITY AS made (name, place) ORDER BY place
ON CONFLICT DO NOTHING"""


class PostgresSession(Session):
    """A session of a connection that has begun.

    Args:
        connection: The connection.
        tenant: The tenant of the customers; erasures of the tenant wait, and are waited for.
    """

    def __init__(self, connection: psycopg.Connection[TupleRow], tenant: str) -> None:
        super().__init__(tenant)
        self.connection = connection
        connection.execute(sql.SHARE, (tenant,))

    def select(self, statement: str, *parameters: Any) -> list[Row]:
        """See `Session.select`."""
        return self.connection.execute(_in_postgres(statement), parameters, binary=True).fetchall()

    def write(self, statement: str, rows: Iterable[Row]) -> None:
        """See `Session.write`."""
        if told := list(rows):
            with self.connection.cursor() as cursor:
                cursor.executemany(_in_postgres(statement), told)

    def change(self, statement: str, *parameters: Any) -> None:
        """See `Session.change`."""
        self.connection.execute(_in_postgres(statement), parameters)

    def exclude(self, name: str) -> None:
        """See `Session.exclude`."""
        self.connection.execute(sql.EXCLUDE, (name,))

    def lock(self, customers: Collection[str], strangers: Collection[str]) -> dict[str, int]:
        """See `Session.lock`."""
        if strangers:
            self.connection.execute(_MAKE, (self.tenant, list(strangers)))
        return dict(self.connection.execute(sql.LOCK, (self.tenant, list(customers)), binary=True))


@lru_cache(maxsize=256)
def _in_postgres(statement: str) -> Any:
    return statement.replace("?", "%s")
