"""The common part of both adapters."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

from sqlalchemy import Table, select, text

from tactful.decisions.base.snapshot import Contact
from tactful.features.timestamps import microseconds
from tactful.serving.store.counting import counted
from tactful.serving.store.ingest.session import Row, Session
from tactful.serving.store.ingest.take import MovedError, take
from tactful.serving.store.ingest.unmerge import unmerge
from tactful.serving.store.port import (
    EVENTS_A_DAY,
    MERGES_AN_HOUR,
    Arrival,
    Receipt,
    Store,
    StoredDecision,
    StoredEvent,
    Unmerged,
)
from tactful.serving.store.rows import CONTACT_COLUMNS, contact_of
from tactful.serving.store.schema import decisions, events, identities, ledger, outcomes

PAGE = 1_000
"""Rows that are fetched at a time."""

_Done = TypeVar("_Done")
_UNHURRIED = text("SET LOCAL idle_in_transaction_session_timeout = 0")


class CoreStore(Store):
    """A store that streams by way of SQLAlchemy Core and takes in by sessions."""

    def resolve(self, tenant: str, customer: str) -> str:
        """See `Store.resolve`."""
        whose = select(identities.c.customer).where(identities.c.tenant == tenant, identities.c.alias == customer)
        with self.database.read() as connection:
            return connection.scalar(whose) or customer

    def ingest(
        self,
        tenant: str,
        arrivals: Sequence[Arrival],
        received: datetime,
        merges: int = MERGES_AN_HOUR,
        events: int = EVENTS_A_DAY,
    ) -> list[Receipt]:
        """See `Store.take`."""
        return self._under_locks(tenant, lambda session: take(session, arrivals, received, merges, events))

    def unmerge(self, tenant: str, alias: str, when: datetime, by: str = "") -> Unmerged:
        """See `Store.unmerge`."""

        def work(session: Session) -> Unmerged:
            undone = unmerge(session, alias, microseconds(when))
            session.append_action("customers unmerged", alias, by, microseconds(when))
            return undone

        return self._under_locks(tenant, work)

    def decision_log(self, tenant: str) -> Iterator[StoredDecision]:
        """See `Store.decision_log`."""
        columns = ("id", "customer", "opened_by", "record", "inputs")
        return (StoredDecision(*row) for row in self._stream(tenant, decisions, columns, ("moment", "id")))

    def ledger(self, tenant: str) -> Iterator[tuple[str, str, Contact]]:
        """See `Store.ledger`."""
        columns = ("customer", "status", *CONTACT_COLUMNS.split(", "))
        rows = self._stream(tenant, ledger, columns, ("customer", "time", "id"))
        return ((customer, status, contact_of(entry)) for customer, status, *entry in rows)

    def outcomes(self, tenant: str) -> Iterator[tuple[str, str, str, int, float | None]]:
        """See `Store.outcomes`."""
        rows = self._stream(
            tenant, outcomes, ("decision", "customer", "kind", "time", "value"), ("time", "decision", "id")
        )
        return ((decision, customer, kind, time, value) for decision, customer, kind, time, value in rows)

    def events(self, tenant: str) -> Iterator[tuple[str, StoredEvent]]:
        """See `Store.events`."""
        rows = self._stream(tenant, events, ("customer", *StoredEvent._fields), ("customer", "time", "id"))
        for customer, theirs in groupby(rows, key=itemgetter(0)):
            yield from ((customer, event) for event in counted(StoredEvent(*event) for _, *event in theirs))

    @abstractmethod
    def _session(self, tenant: str) -> AbstractContextManager[Session]:
        """A transaction that writes to a tenant, with no erasure beside it."""

    def _under_locks(self, tenant: str, work: Callable[[Session], _Done]) -> _Done:
        """Do some work in a transaction, and again where customers were merged before they were locked."""
        while True:
            try:
                with self._session(tenant) as session:
                    return work(session)
            except MovedError:
                continue

    def _stream(self, tenant: str, table: Table, columns: Sequence[str], order: Sequence[str]) -> Iterator[Row]:
        """Rows of one consistent view, a page at a time; a slow reader loses nothing."""
        wanted = select(*(table.c[name] for name in columns)).where(table.c.tenant == tenant)
        with self.database.read() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(_UNHURRIED)
            streaming = connection.execution_options(yield_per=PAGE)
            for row in streaming.execute(wanted.order_by(*(table.c[name] for name in order))):
                yield tuple(row)
