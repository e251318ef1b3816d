"""Loading a history into PostgreSQL."""

import json
from collections.abc import Iterable
from typing import LiteralString

import psycopg
from psycopg.rows import TupleRow

from tactful.serving.store.ingest.consents import load_consents
from tactful.serving.store.ingest.merge import keep_origins
from tactful.serving.store.ingest.profiles import keep_changes, loaded_changes
from tactful.serving.store.ingest.session import Row, in_order
from tactful.serving.store.ingest.take import MovedError
from tactful.serving.store.port import History
from tactful.serving.store.postgres import sql
from tactful.serving.store.postgres.session import PostgresSession
from tactful.serving.store.rows import admitted, contact_row, customer_row, event_row, merged_profiles


def load(session: PostgresSession, history: History) -> None:
    """Load a history; see `Store.load`.

    Args:
        session: The transaction.
        history: Its profiles are a list; nothing of the rest is taken before the customers are locked.

    Raises:
        MovedError: Begin again with a new transaction.
    """
    tenant, names = session.tenant, [profile.customer for profile in history.profiles]
    with session.connection.cursor() as cursor:
        cursor.execute(sql.UNHURRIED)
        cursor.execute(sql.KEEP_TENANT, (tenant, history.zone))
        identities = session.identities(names)
        erased = session.erased(names)
        origins: list[tuple[str, str, str]] = []
        told = admitted(history, erased, identities, origins)
        profiles = list(told.profiles)
        ids = in_order(profile.customer for profile in profiles)
        session.lock(ids, ids)
        if session.identities(names) != identities:
            raise MovedError
        attributes = {id_: json.loads(stored) for id_, stored in cursor.execute(sql.ATTRIBUTES, (tenant, ids))}
        cursor.executemany(sql.KEEP_CUSTOMER, [customer_row(tenant, p) for p in merged_profiles(profiles, attributes)])
        load_consents(session, profiles, history.asserted)
        _add(cursor, "events", (event_row(tenant, customer, event) for customer, event in told.events))
        _add(cursor, "ledger", (contact_row(tenant, who, c, "sent", None) for who, c in told.contacts))
        keep_changes(session, loaded_changes(list(history.profiles), erased, identities, history.asserted))
        keep_origins(session, origins)


def _add(cursor: psycopg.Cursor[TupleRow], table: LiteralString, rows: Iterable[Row]) -> None:
    """Add the rows whose keys are new, by way of a table of the transaction's own, since COPY knows no conflicts."""
    cursor.execute(f"CREATE TEMP TABLE new_{table} (LIKE {table}) ON COMMIT DROP", prepare=False)
    with cursor.copy(f"COPY new_{table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(f"INSERT INTO {table} SELECT * FROM new_{table} ON CONFLICT DO NOTHING", prepare=False)  # noqa: S608 # nosec B608 # our own tables
