"""The store on PostgreSQL: shared by many machines, durable, locked a customer at a time.

A transaction that writes takes the locks of all its customers first, in the order of their ids, so that no two wait for
each other in a circle; a locked row is read as it was last committed. Everything else is compared in statements of
their own after that: under READ COMMITTED each sees what the lock's former holder committed, whereas a count in the
very statement that locks would be taken on the snapshot from before the wait.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool
from sqlalchemy import text

from tactful.decisions.base.snapshot import Contact
from tactful.features.timestamps import microseconds
from tactful.serving.errors import StoreError
from tactful.serving.store.core import CoreStore
from tactful.serving.store.database import Database, Durability, reason
from tactful.serving.store.ingest.session import Row
from tactful.serving.store.ingest.take import MovedError
from tactful.serving.store.migrate import upgrade
from tactful.serving.store.port import Draft, Ending, History, KnownCustomer, RecordStatus, StoredDecision
from tactful.serving.store.postgres import sql
from tactful.serving.store.postgres.connection import NETWORK, BoundedConnection
from tactful.serving.store.postgres.loading import load
from tactful.serving.store.postgres.session import PostgresSession
from tactful.serving.store.rows import contact_of, contact_row, decision_row, fates_of, known_customer, outbox_row

CONNECTIONS = 8
"""The most that one store has open."""

_Connection: TypeAlias = psycopg.Connection[TupleRow]
_log = logging.getLogger(__name__)


class PostgresStore(CoreStore):
    """The store in a PostgreSQL database, brought to the present schema when it is opened.

    Args:
        url: An address for libpq: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`. No error shows the password.
        durability: Of what is acknowledged.
        connections: The most that are open at once for deciding and taking in.
        deadline: How long one statement may take, except for migrations; without end where None.

    Raises:
        StoreError: The URL is none, or the database cannot be reached.
    """

    def __init__(
        self,
        url: str,
        durability: Durability = "full",
        connections: int = CONNECTIONS,
        deadline: timedelta | None = None,
    ) -> None:
        self._url, self._durability, self._deadline = url, durability, None
        self._database = Database("postgresql+psycopg", self._connect, _where(url))
        try:
            with self._database.begin() as migrating:
                migrating.execute(text("SELECT pg_advisory_xact_lock(hashtext('tactful_version'))"))
                upgrade(migrating, self._database.where)
        finally:
            self._database.close()
        self._deadline = deadline
        with self._guarded():
            self._pool = ConnectionPool(
                url,
                kwargs={"autocommit": True, "prepare_threshold": 0, **NETWORK},
                connection_class=BoundedConnection,
                configure=self._configure,
                min_size=1,
                max_size=connections,
                timeout=sql.PATIENCE,
                num_workers=1,
                open=True,
            )

    @property
    def database(self) -> Database:
        """See `Store.database`."""
        return self._database

    def customers(self, tenant: str, wanted: Sequence[tuple[str, datetime]]) -> list[KnownCustomer | None]:
        """See `Store.customers`."""
        ids = [customer for customer, _ in wanted]
        moments = [microseconds(moment) for _, moment in wanted]
        asked = {"tenant": tenant, "customers": ids, "moments": moments}
        with self._transaction(sql.READ) as connection:
            rows = _customers(connection, tenant, ids)
            if strangers := [id_ for id_ in ids if id_ not in rows]:
                whose = _whose(connection, tenant, strangers)
                asked["customers"] = ids = [whose.get(id_, id_) for id_ in ids]
                rows |= _customers(connection, tenant, list(whose.values()))
            consents: dict[str, dict[tuple[str, str], bool]] = defaultdict(dict)
            for id_, channel, purpose, allowed in _select(connection, sql.CONSENTS, (tenant, ids)):
                consents[id_][channel, purpose] = allowed
            events = _by_position(_select(connection, sql.EVENTS, asked))
            contacts = self._contacts(connection, asked)
        return [
            known_customer(id_, rows[id_], consents[id_], contacts.get(position, ()), events[position], before)
            if id_ in rows
            else None
            for position, (id_, before) in enumerate(zip(ids, moments, strict=True), start=1)
        ]

    def customer_ids(self, tenant: str) -> list[str]:
        """See `Store.customer_ids`."""
        return [row[0] for row in self._rows("SELECT customer FROM customers WHERE tenant = %s ORDER BY 1", tenant)]

    def record(self, tenant: str, drafts: Sequence[Draft]) -> list[RecordStatus]:
        """See `Store.record`."""
        with self._transaction(sql.WRITE) as connection:
            versions = _lock(connection, tenant, [draft.decision.customer for draft in drafts])
            known = {id_ for (id_,) in _select(connection, sql.EXIST, (tenant, [d.decision.id for d in drafts]))}
            fates = fates_of(drafts, versions, known)
            chosen = {d.decision.id: d for d, fate in zip(drafts, fates, strict=True) if fate is RecordStatus.RECORDED}
            kept = _keep_decisions(connection, [decision_row(tenant, chosen[id_]) for id_ in sorted(chosen)])
            _reserve(connection, tenant, [draft for id_, draft in chosen.items() if id_ in kept])
            _notify(connection, tenant, [draft for id_, draft in chosen.items() if id_ in kept])
        taken = chosen.keys() - kept
        return [
            RecordStatus.KNOWN if fate is RecordStatus.RECORDED and draft.decision.id in taken else fate
            for draft, fate in zip(drafts, fates, strict=True)
        ]

    def set_status(self, tenant: str, customer: str, contact: str, status: Ending, based_on: int | None = None) -> bool:
        """See `Store.set_status`."""
        with self._transaction(sql.WRITE) as connection:
            versions = _lock(connection, tenant, [customer])
            if based_on is not None and versions.get(customer) != based_on:
                return False
            if not versions:
                customer = _whose(connection, tenant, [customer]).get(customer, customer)
                _lock(connection, tenant, [customer])
            changed = connection.execute(sql.SETTLE[status], (tenant, customer, contact)).rowcount > 0
            if changed:
                connection.execute(sql.MOVE, (tenant, customer))
            return changed

    def decisions(self, tenant: str, ids: Sequence[str]) -> list[StoredDecision]:
        """See `Store.decisions`."""
        return [StoredDecision(*row) for row in self._rows(sql.DECISIONS, tenant, list(ids))]

    def load(self, tenant: str, history: History) -> None:
        """See `Store.load`; loads of one tenant go one after another."""
        history = replace(history, profiles=list(history.profiles))
        while True:
            try:
                with self._session(tenant) as session:
                    return load(session, history)
            except MovedError:
                continue

    def keep_catalogue(self, tenant: str, version: str, features: str, content: str) -> None:
        """See `Store.keep_catalogue`."""
        with self._transaction(sql.WRITE) as connection:
            connection.execute(sql.KEEP_CATALOGUE, (tenant, version, features, content))

    def catalogue(self, tenant: str, version: str, features: str) -> str | None:
        """See `Store.catalogue`."""
        return next((str(row[0]) for row in self._rows(sql.CATALOGUE, tenant, version, features)), None)

    def check(self) -> None:
        """See `Store.check`."""
        self._rows("SELECT count(*) FROM tenants")

    def close(self) -> None:
        """See `Store.close`."""
        self._pool.close()
        self._database.close()

    @contextmanager
    def _session(self, tenant: str) -> Iterator[PostgresSession]:
        with self._transaction(sql.WRITE) as connection:
            yield PostgresSession(connection, tenant)

    def _contacts(self, connection: _Connection, asked: Mapping[str, Any]) -> dict[int, tuple[Contact, ...] | None]:
        """Each asked customer's contacts by its position, the last to be read: where they cannot be, None."""
        try:
            found = _by_position(_select(connection, sql.CONTACTS, asked))
        except psycopg.OperationalError:
            raise
        except psycopg.DatabaseError as error:
            _log.error("ledger unreadable", extra={"reason": reason(error)})
            return dict.fromkeys(range(1, len(asked["customers"]) + 1))
        return {position: _readable(rows) for position, rows in found.items()}

    def _rows(self, query: str, *parameters: Any) -> list[Row]:
        with self._connection() as connection:
            return _select(connection, query, parameters)

    def _connect(self) -> psycopg.Connection[Any]:
        connection = BoundedConnection.connect(self._url, autocommit=True, **NETWORK)
        self._configure(connection)
        connection.autocommit = False
        return connection

    def _configure(self, connection: BoundedConnection) -> None:
        connection.bound(self._deadline)
        for statement in (*sql.SESSION, sql.DURABILITY[self._durability]):
            connection.execute(statement)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[_Connection]:
        with self._connection() as connection:
            connection.execute(begin, prepare=False)
            try:
                yield connection
                connection.execute("COMMIT", prepare=False)
            except BaseException:
                if not connection.closed:
                    connection.rollback()
                raise

    @contextmanager
    def _connection(self) -> Iterator[_Connection]:
        """One of the pool's; if it is lost, the others are checked too, so that only one caller gets an error."""
        with self._guarded(), self._pool.connection() as connection:
            try:
                yield connection
            finally:
                if connection.closed:
                    self._pool.check()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise StoreError("the store fails", got=reason(error), where=self._database.where) from error


def _where(url: str) -> str:
    """The URL without user and password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        parts = {}
    if not parts:
        raise StoreError("the store has no address", wanted="postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    port = f":{parts['port']}" if "port" in parts else ""
    return f"postgresql://{parts.get('host', '')}{port}/{parts.get('dbname', '')}"


def _select(connection: _Connection, query: str, parameters: Mapping[str, Any] | Sequence[Any]) -> list[Row]:
    return connection.execute(query, parameters, binary=True).fetchall()


def _customers(connection: _Connection, tenant: str, ids: Sequence[str]) -> dict[str, Sequence[Any]]:
    return {id_: row for id_, *row in _select(connection, sql.CUSTOMERS, (tenant, ids))}


def _whose(connection: _Connection, tenant: str, aliases: Sequence[str]) -> dict[str, str]:
    found = _select(connection, sql.IDENTITIES, (tenant, aliases))
    return {str(alias): str(customer) for alias, customer in found}


def _by_position(rows: Iterable[Row]) -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row[1:])
    return found


def _readable(rows: Iterable[Row]) -> tuple[Contact, ...] | None:
    try:
        return tuple(map(contact_of, rows))
    except ValueError as error:
        _log.error("ledger unreadable", extra={"reason": str(error)})
        return None


def _lock(connection: _Connection, tenant: str, customers: Sequence[str]) -> dict[str, int]:
    """Lock customers until the transaction ends: the version of each that exists."""
    return dict(connection.execute(sql.LOCK, (tenant, customers), binary=True))


def _keep_decisions(connection: _Connection, rows: Sequence[Row]) -> set[str]:
    """Ids of those that were kept: all but what another transaction, about another customer, kept meanwhile."""
    with connection.cursor() as cursor:
        cursor.executemany(sql.KEEP_DECISION, rows, returning=True)
        return {id_ for result in cursor.results() for (id_,) in result}


def _reserve(connection: _Connection, tenant: str, drafts: Iterable[Draft]) -> None:
    reserved = [(draft.decision.customer, draft.reservation, draft.expires) for draft in drafts if draft.reservation]
    with connection.cursor() as cursor:
        cursor.executemany(
            sql.KEEP_CONTACT, [contact_row(tenant, c, r, "reserved", expires) for c, r, expires in reserved]
        )
        cursor.executemany(sql.MOVE, [(tenant, customer) for customer, _, _ in reserved])


def _notify(connection: _Connection, tenant: str, drafts: Iterable[Draft]) -> None:
    told = [(draft.decision, draft.notify) for draft in drafts if draft.notify is not None]
    rows = [outbox_row(tenant, made.id, "decision", body, microseconds(made.moment)) for made, body in told]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql.KEEP_RECORD, rows)
