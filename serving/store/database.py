"""The database by way of SQLAlchemy Core, for what is not on the hot path: one implementation for both kinds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import sqlalchemy.exc
from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import QueuePool

from tactful.serving.errors import StoreError

Durability = Literal["full", "normal"]
"""`full`: what is acknowledged survives the loss of power; `normal`: the death of any process."""

CHECKPOINTS, CHECKPOINT_WAIT = 8, 250
"""How often the log is tried to be emptied, and the milliseconds that each try waits for readers."""

Insert: TypeAlias = sqlite.Insert | postgresql.Insert

_BEGIN = {
    "sqlite": ("BEGIN IMMEDIATE", "BEGIN", "SELECT 1"),
    "postgresql": ("READ COMMITTED", "REPEATABLE READ", "AUTOCOMMIT"),
}
"""How a transaction begins that writes, one that reads, and what is none: a statement or an isolation level."""


class Database:
    """Transactions on a database of either kind.

    Args:
        driver: SQLAlchemy's name of the driver: `sqlite` or `postgresql+psycopg`.
        connect: Opens a connection of that driver.
        where: The database, without passwords, for errors.
    """

    def __init__(self, driver: str, connect: Callable[[], Any], where: str) -> None:
        self.where = where
        self._dialect = driver.partition("+")[0]
        self._writes, self._reads, self._alone = _BEGIN[self._dialect]
        self._engine = create_engine(
            f"{driver}://", creator=connect, poolclass=QueuePool, pool_size=2, pool_pre_ping=True, hide_parameters=True
        )
        driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        self._failures = (sqlalchemy.exc.DBAPIError, sqlalchemy.exc.TimeoutError, driver_error)
        if driver == "sqlite":
            event.listen(self._engine, "begin", lambda begun: begun.exec_driver_sql(begun.info["begin"]))

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that writes: IMMEDIATE on SQLite, READ COMMITTED on PostgreSQL.

        Raises:
            StoreError: The database fails.
        """
        with self._transaction(self._writes) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one consistent view of everything and holds no writer up.

        Raises:
            StoreError: The database fails.
        """
        with self._transaction(self._reads) as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection in no transaction, for what neither database does in one.

        Raises:
            StoreError: The database fails.
        """
        with self._transaction(self._alone) as connection:
            yield connection

    def empty_log(self) -> bool:
        """Move SQLite's write-ahead log into the file; PostgreSQL minds its own.

        While somebody reads from the log, it is tried again, for two seconds in all; writers wait for each try.

        Returns:
            Whether the log is empty now.

        Raises:
            StoreError: The database fails.
        """
        if self._dialect != "sqlite":
            return True
        with self.alone() as connection:
            patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT}")
            tries = (connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one() for _ in range(CHECKPOINTS))
            emptied = any(busy == 0 for busy, *_ in tries)
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")
        return emptied

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, kind: Any) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                if self._dialect == "sqlite":
                    connection.info["begin"] = kind
                else:
                    connection.execution_options(isolation_level=kind)
                with connection.begin():
                    yield connection
        except self._failures as error:
            cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
            raise StoreError("the store fails", got=reason(cause), where=self.where) from error


def insert(connection: Connection, table: Table) -> Insert:
    """An INSERT that takes `on_conflict_do_nothing` and `on_conflict_do_update`, in the words of the connection."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def reason(error: BaseException | None) -> str:
    """The error, without the details in which PostgreSQL quotes rows."""
    told = getattr(getattr(error, "diag", None), "message_primary", None)
    return told or str(error).strip()
