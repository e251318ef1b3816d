"""Takes away what nobody will look at any more, a few customers at a time, so that no writer waits long."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, false, func, or_, select, text, update

from tactful.decisions.kernel.decision import SILENCE
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.store.database import Database
from tactful.serving.store.queries.merges import finish_merges
from tactful.serving.store.schema import arrivals, customers, decisions, events, idempotency, ledger, outbox

PAGE = 500
"""Customers or decisions a transaction."""

Progress = Callable[[int, int], None]
"""Called with the number of customers done, and of all."""


@dataclass(frozen=True, slots=True)
class Need:
    """Which events of a type somebody looks at.

    Args:
        span: Those of so long ago and since; None for all.
        first: And so many of each customer's first.
        last: And so many of each customer's last.
    """

    span: timedelta | None
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Keep:
    """How long what is kept.

    Args:
        events: By type of event; events of a type that is missing here are always kept.
        inputs: The inputs of decisions; without them no decision is made again or explained by what-if.
        answers: Answers kept for callers who ask again with the same key.
        records: Records delivered to receivers, or refused by them.
        messages: Ids of messages, by which a late duplicate is known.
        merges: The data that undo a merge.
        silences: Decisions to leave a customer alone.
    """

    events: Mapping[str, Need]
    inputs: timedelta = timedelta(days=365)
    answers: timedelta = timedelta(days=1)
    records: timedelta = timedelta(days=30)
    messages: timedelta = timedelta(days=90)
    merges: timedelta = timedelta(days=90)
    silences: timedelta = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Compacted:
    """How many rows a compaction took away or closed; merges: how many can no more be undone."""

    events: int
    reservations: int
    inputs: int
    answers: int
    records: int
    messages: int
    merges: int
    silences: int


def compact(
    database: Database, tenant: str, keep: Keep, now: datetime, progress: Progress = lambda _done, _of: None
) -> Compacted:
    """Take away a tenant's old events, inputs, silences, answers, records and ids; close expired reservations.

    Decisions that chose a message, contacts and outcomes stay. An interrupted run loses nothing and may begin again.

    Args:
        database: The database.
        tenant: The tenant of the customers.
        keep: How long what is kept.
        now: The present moment.
        progress: Told how far it is.

    Raises:
        StoreError: The database fails.
    """
    gone, closed = _compact_customers(database, tenant, keep, now, progress)
    inputs = _forget_inputs(database, tenant, microseconds(now - keep.inputs))
    records, messages = microseconds(now - keep.records), microseconds(now - keep.messages)
    final = finish_merges(database, tenant, now - keep.merges)
    silent = (decisions.c.choice == SILENCE) & (decisions.c.moment < microseconds(now - keep.silences))
    told = or_(outbox.c.delivered < records, and_(outbox.c.refused.is_not(None), outbox.c.due < records))
    with database.begin() as connection:
        done = Compacted(
            events=gone,
            reservations=closed,
            inputs=inputs,
            answers=_delete(connection, idempotency, tenant, idempotency.c.created < microseconds(now - keep.answers)),
            records=_delete(connection, outbox, tenant, told),
            messages=_delete(connection, arrivals, tenant, arrivals.c.received < messages),
            merges=final,
            silences=_delete(connection, decisions, tenant, silent),
        )
    database.empty_log()
    return done


def shrink(database: Database) -> None:
    """Give the space of what was taken away back to the disk; writers wait meanwhile.

    Raises:
        StoreError: The database fails.
    """
    with database.alone() as connection:
        connection.execute(text("VACUUM"))


def _compact_customers(
    database: Database, tenant: str, keep: Keep, now: datetime, progress: Progress
) -> tuple[int, int]:
    """Events taken away, and reservations closed."""
    over = (ledger.c.status == "reserved") & (ledger.c.expires <= microseconds(now))
    everybody = select(customers.c.customer).where(customers.c.tenant == tenant).order_by(customers.c.customer)
    with database.read() as connection:
        ids = connection.scalars(everybody).all()
    gone = closed = 0
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        with database.begin() as connection:
            gone += _delete_events(connection, _between(events, tenant, page), keep.events, now)
            lapsed = update(ledger).where(_between(ledger, tenant, page), over)
            closed += connection.execute(lapsed.values(status="expired")).rowcount
        progress(start + len(page), len(ids))
    return gone, closed


def _between(table: Table, tenant: str, page: Sequence[str]) -> ColumnElement[bool]:
    return (table.c.tenant == tenant) & (table.c.customer >= page[0]) & (table.c.customer <= page[-1])


def _delete_events(
    connection: Connection, theirs: ColumnElement[bool], needs: Mapping[str, Need], now: datetime
) -> int:
    """Delete the events of some customers that nobody looks at."""
    alike = (events.c.customer, events.c.type)
    first = func.row_number().over(partition_by=alike, order_by=(events.c.time, events.c.id)).label("first")
    last = func.row_number().over(partition_by=alike, order_by=(events.c.time.desc(), events.c.id.desc())).label("last")
    ranked = select(events.c.id, events.c.type, events.c.time, first, last).where(theirs).subquery()
    limits = [(EVENT_TYPES.index(name), need, need.span) for name, need in needs.items() if need.span is not None]
    old = [
        (ranked.c.type == code)
        & (ranked.c.time < microseconds(now - span))
        & (ranked.c.first > need.first)
        & (ranked.c.last > need.last)
        for code, need, span in limits
    ]
    unneeded = select(ranked.c.id).where(or_(false(), *old))
    return connection.execute(delete(events).where(theirs, events.c.id.in_(unneeded))).rowcount


def _forget_inputs(database: Database, tenant: str, before: int) -> int:
    forgotten, place = 0, -1
    while True:
        old = and_(decisions.c.tenant == tenant, decisions.c.moment.between(place, before - 1))
        wanted = select(decisions.c.id, decisions.c.moment).where(old, decisions.c.inputs.is_not(None))
        with database.begin() as connection:
            page = connection.execute(wanted.order_by(decisions.c.moment, decisions.c.id).limit(PAGE)).all()
            if not page:
                return forgotten
            theirs = (decisions.c.tenant == tenant) & decisions.c.id.in_([id_ for id_, _ in page])
            connection.execute(update(decisions).where(theirs).values(inputs=None))
        forgotten, place = forgotten + len(page), page[-1].moment


def _delete(connection: Connection, table: Table, tenant: str, which: ColumnElement[bool]) -> int:
    return connection.execute(delete(table).where(table.c.tenant == tenant, which)).rowcount
