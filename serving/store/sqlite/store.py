"""The store on SQLite: embedded, durable, one writer at a time.

Writes begin IMMEDIATE, so that what a transaction reads cannot change before it commits; a plain BEGIN would fail with
"database is locked" when it turned into a write. `synchronous=FULL` makes an acknowledged decision survive the loss of
power, NORMAL the death of any process. Each thread has a connection of its own.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tactful.decisions.base.snapshot import Contact
from tactful.features.timestamps import microseconds
from tactful.serving.errors import StoreError
from tactful.serving.store.core import CoreStore
from tactful.serving.store.database import Database, Durability
from tactful.serving.store.ingest.consents import load_consents
from tactful.serving.store.ingest.merge import keep_origins
from tactful.serving.store.ingest.profiles import keep_changes, loaded_changes
from tactful.serving.store.ingest.session import Row
from tactful.serving.store.migrate import upgrade
from tactful.serving.store.port import (
    EVENTS_READ,
    FORBIDDING,
    Draft,
    Ending,
    History,
    KnownCustomer,
    RecordStatus,
    StoredDecision,
)
from tactful.serving.store.rows import (
    CONTACT_COLUMNS,
    EVENT_COLUMNS,
    FIRST_TIME,
    admitted,
    contact_of,
    contact_row,
    customer_row,
    decision_row,
    event_row,
    known_customer,
    outbox_row,
)
from tactful.serving.store.sqlite.session import SqliteSession

PATIENCE = 10.0
"""Seconds to wait for another writer."""

_log = logging.getLogger(__name__)

_CUSTOMER = """
SELECT c.version, t.zone, c.zone, c.joined, c.attributes
FROM customers c JOIN tenants t USING (tenant) WHERE tenant = ? AND customer = ?"""
_CONSENTS = "SELECT channel, purpose, allowed FROM consents WHERE tenant = ? AND customer = ?"
_NEWEST = (
    f"SELECT time FROM events WHERE tenant = ?1 AND customer = ?2 ORDER BY time DESC LIMIT 1 OFFSET {EVENTS_READ - 1}"  # noqa: S608 # nosec B608 # our own number
)
_EVENTS = f"""
SELECT {EVENT_COLUMNS} FROM events
WHERE tenant = ?1 AND customer = ?2 AND time >= coalesce(({_NEWEST}), {FIRST_TIME})
UNION ALL
SELECT {EVENT_COLUMNS} FROM events
WHERE tenant = ?1 AND customer = ?2 AND time < ({_NEWEST}) AND type IN {FORBIDDING} ORDER BY time, id"""  # noqa: S608 # nosec B608 # our own columns and numbers
_CONTACTS = f"""
SELECT {CONTACT_COLUMNS} FROM ledger WHERE tenant = ? AND customer = ?
AND (status = 'sent' OR (status = 'reserved' AND expires > ?)) ORDER BY time, id"""  # noqa: S608 # nosec B608 # our own columns
_VERSION = "SELECT version FROM customers WHERE tenant = ? AND customer = ?"
_MOVE = "UPDATE customers SET version = version + 1 WHERE tenant = ? AND customer = ?"
_IDENTITY = "SELECT customer FROM identities WHERE tenant = ? AND alias = ?"
_KEEP_RECORD = "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_EXISTS = "SELECT 1 FROM decisions WHERE tenant = ? AND id = ?"
_DECISIONS = """
SELECT id, customer, opened_by, record, inputs FROM decisions
WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))"""
_KEEP_DECISION = "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_KEEP_CONTACT = "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP_TENANT = "INSERT INTO tenants (tenant, zone) VALUES (?, ?) ON CONFLICT DO UPDATE SET zone = excluded.zone"
_KEEP_CUSTOMER = """
INSERT INTO customers VALUES (?, ?, 1, ?, ?, ?, TRUE) ON CONFLICT DO UPDATE SET
  version = version + 1, zone = coalesce(excluded.zone, zone), joined = coalesce(joined, excluded.joined),
  is_user = TRUE, attributes = json_patch(attributes, excluded.attributes)"""
_KEEP_EVENT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP_CATALOGUE = "INSERT INTO catalogues VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_CATALOGUE = "SELECT content FROM catalogues WHERE tenant = ? AND version = ? AND features = ?"
_SETTLE = {
    "sent": "UPDATE ledger SET status = 'sent' WHERE tenant = ? AND customer = ? AND id = ? AND status <> 'sent'",
    "released": "UPDATE ledger SET status = 'released' WHERE tenant = ? AND customer = ? AND id = ? "
    "AND status = 'reserved'",
}


class SqliteStore(CoreStore):
    """The store in one SQLite file, brought to the present schema when it is opened.

    Args:
        path: The file; it and its folder are made where they are missing.
        durability: Of what is acknowledged.

    Raises:
        StoreError: The file cannot be opened, or is not a database.
    """

    def __init__(self, path: Path, durability: Durability = "full") -> None:
        self._path = path
        self._durability = durability
        self._database = Database("sqlite", self._connect, str(path))
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        with self._guarded():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection.execute("PRAGMA journal_mode = WAL")
        try:
            with self._database.begin() as connection:
                upgrade(connection, self._database.where)
        except StoreError:
            self.close()
            raise

    @property
    def database(self) -> Database:
        """See `Store.database`."""
        return self._database

    def customers(self, tenant: str, wanted: Sequence[tuple[str, datetime]]) -> list[KnownCustomer | None]:
        """See `Store.customers`."""
        with self._guarded(), self._transaction("BEGIN") as connection:
            return [self._customer(connection, (tenant, customer), moment) for customer, moment in wanted]

    def customer_ids(self, tenant: str) -> list[str]:
        """See `Store.customer_ids`."""
        return [row[0] for row in self._rows("SELECT customer FROM customers WHERE tenant = ? ORDER BY 1", tenant)]

    def record(self, tenant: str, drafts: Sequence[Draft]) -> list[RecordStatus]:
        """See `Store.record`."""
        with self._guarded(), self._transaction("BEGIN IMMEDIATE") as connection:
            return [self._record(connection, tenant, draft) for draft in drafts]

    def set_status(self, tenant: str, customer: str, contact: str, status: Ending, based_on: int | None = None) -> bool:
        """See `Store.set_status`."""
        with self._guarded(), self._transaction("BEGIN IMMEDIATE") as connection:
            if based_on is not None and connection.execute(_VERSION, (tenant, customer)).fetchone() != (based_on,):
                return False
            (customer,) = connection.execute(_IDENTITY, (tenant, customer)).fetchone() or (customer,)
            changed = connection.execute(_SETTLE[status], (tenant, customer, contact)).rowcount > 0
            if changed:
                connection.execute(_MOVE, (tenant, customer))
            return changed

    def decisions(self, tenant: str, ids: Sequence[str]) -> list[StoredDecision]:
        """See `Store.decisions`."""
        return [StoredDecision(*row) for row in self._rows(_DECISIONS, tenant, json.dumps(list(ids)))]

    def load(self, tenant: str, history: History) -> None:
        """See `Store.load`."""
        sent = list(history.profiles)
        names = [profile.customer for profile in sent]
        with self._session(tenant) as session:
            connection = session.connection
            erased, identities = session.erased(names), session.identities(names)
            origins: list[tuple[str, str, str]] = []
            history = admitted(replace(history, profiles=sent), erased, identities, origins)
            profiles = list(history.profiles)
            connection.execute(_KEEP_TENANT, (tenant, history.zone))
            connection.executemany(_KEEP_CUSTOMER, (customer_row(tenant, profile) for profile in profiles))
            load_consents(session, profiles, history.asserted)
            connection.executemany(_KEEP_EVENT, (event_row(tenant, customer, e) for customer, e in history.events))
            connection.executemany(
                _KEEP_CONTACT, (contact_row(tenant, customer, c, "sent", None) for customer, c in history.contacts)
            )
            keep_changes(session, loaded_changes(sent, erased, identities, history.asserted))
            keep_origins(session, origins)

    def keep_catalogue(self, tenant: str, version: str, features: str, content: str) -> None:
        """See `Store.keep_catalogue`."""
        with self._guarded(), self._transaction("BEGIN IMMEDIATE") as connection:
            connection.execute(_KEEP_CATALOGUE, (tenant, version, features, content))

    def catalogue(self, tenant: str, version: str, features: str) -> str | None:
        """See `Store.catalogue`."""
        return next((str(row[0]) for row in self._rows(_CATALOGUE, tenant, version, features)), None)

    def check(self) -> None:
        """See `Store.check`."""
        list(self._rows("SELECT count(*) FROM tenants"))

    def close(self) -> None:
        """See `Store.close`."""
        while self._open:
            self._open.pop().close()
        self._database.close()
        self._local = threading.local()

    def _customer(self, connection: sqlite3.Connection, key: tuple[str, str], moment: datetime) -> KnownCustomer | None:
        row = connection.execute(_CUSTOMER, key).fetchone()
        if row is None:
            whose = connection.execute(_IDENTITY, key).fetchone()
            return self._customer(connection, (key[0], whose[0]), moment) if whose else None
        before = microseconds(moment)
        return known_customer(
            key[1],
            row,
            {(channel, purpose): bool(allowed) for channel, purpose, allowed in connection.execute(_CONSENTS, key)},
            self._contacts(connection, key, before),
            connection.execute(_EVENTS, key).fetchall(),
            before,
        )

    def _contacts(
        self, connection: sqlite3.Connection, key: tuple[str, str], moment: int
    ) -> tuple[Contact, ...] | None:
        try:
            return tuple(contact_of(row) for row in connection.execute(_CONTACTS, (*key, moment)))
        except (sqlite3.DatabaseError, ValueError) as error:
            _log.error("ledger unreadable", extra={"reason": str(error)})
            return None

    @contextmanager
    def _session(self, tenant: str) -> Iterator[SqliteSession]:
        with self._guarded(), self._transaction("BEGIN IMMEDIATE") as connection:
            yield SqliteSession(connection, tenant)

    def _record(self, connection: sqlite3.Connection, tenant: str, draft: Draft) -> RecordStatus:
        decision, key = draft.decision, (tenant, draft.decision.customer)
        if connection.execute(_EXISTS, (tenant, decision.id)).fetchone():
            return RecordStatus.KNOWN
        if connection.execute(_VERSION, key).fetchone() != (draft.based_on,):
            return RecordStatus.STALE
        connection.execute(_KEEP_DECISION, decision_row(tenant, draft))
        if draft.reservation is not None:
            connection.execute(_KEEP_CONTACT, contact_row(*key, draft.reservation, "reserved", draft.expires))
            connection.execute(_MOVE, key)
        if draft.notify is not None:
            row = outbox_row(tenant, decision.id, "decision", draft.notify, microseconds(decision.moment))
            connection.execute(_KEEP_RECORD, row)
        return RecordStatus.RECORDED

    def _rows(self, query: str, *parameters: Any) -> list[Row]:
        with self._guarded():
            return self._connection.execute(query, parameters).fetchall()

    @property
    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
            self._open.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        connection.execute(f"PRAGMA synchronous = {self._durability}")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        connection.execute(begin)
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError("the store fails", got=str(error), where=self._path) from error
