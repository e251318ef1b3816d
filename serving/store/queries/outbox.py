"""The outbox: what is to be told to receivers, written with what it tells of and kept until it was told.

A worker claims records for a while, so that several do not process the same at once; a claim that its holder did
not finish, because it died, runs out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Update, case, func, select, update

from tactful.features.timestamps import microseconds
from tactful.serving.store.database import Database
from tactful.serving.store.port import from_micros
from tactful.serving.store.schema import outbox

_WAITING = outbox.c.delivered.is_(None) & outbox.c.refused.is_(None)


@dataclass(frozen=True, slots=True)
class Record:
    """A record that was claimed.

    Args:
        tenant: The record's tenant.
        id: Its id.
        kind: `event`: to be decided upon; `decision`: to be told.
        body: The rest of it.
        attempts: How often it was claimed, this time included.
    """

    tenant: str
    id: str
    kind: str
    body: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Wait:
    """A record that is to wait.

    Args:
        record: The record.
        due: Until when.
        body: Its new content, with attempts counted from 0; unchanged where None.
    """

    record: Record
    due: datetime
    body: bytes | None = None

    def values(self) -> dict[str, Any]:
        """The changes of its row."""
        due = {"due": microseconds(self.due)}
        return due if self.body is None else {**due, "body": self.body, "attempts": 0}


def claim(
    database: Database,
    kind: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    *,
    of: Collection[str] = (),
    but: Collection[str] = (),
) -> list[Record]:
    """Claim records that are due, the most urgent first; nobody else gets them before the lease is over.

    Args:
        database: The database.
        kind: Of which kind.
        now: The moment.
        lease: How long they are claimed for.
        limit: At most so many.
        of: Of these tenants; of all where empty.
        but: Not of these tenants.

    Raises:
        StoreError: The database fails.
    """
    tenants = [outbox.c.tenant.in_(of)] if of else [outbox.c.tenant.not_in(but)] if but else []
    due = (
        select(outbox.c.tenant, outbox.c.id, outbox.c.kind, outbox.c.body, outbox.c.attempts)
        .where(_WAITING, outbox.c.kind == kind, outbox.c.due <= microseconds(now), *tenants)
        .order_by(outbox.c.due)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with database.begin() as connection:
        rows = connection.execute(due).all()
        for tenant, id_, *_ in rows:
            connection.execute(
                update(outbox)
                .where(outbox.c.tenant == tenant, outbox.c.id == id_)
                .values(attempts=outbox.c.attempts + 1, due=microseconds(now + lease))
            )
    return [Record(tenant, id_, kind_, body, tries + 1) for tenant, id_, kind_, body, tries in rows]


def done(database: Database, records: Sequence[Record], now: datetime) -> int:
    """Records were processed; their content is deleted.

    Returns:
        How many were still waiting.

    Raises:
        StoreError: The database fails.
    """
    return _change(database, [_of(record).values(delivered=microseconds(now), body=b"") for record in records])


def postpone(database: Database, waits: Sequence[Wait]) -> int:
    """Records are to be dealt with later, but for those that others have claimed meanwhile.

    Returns:
        How many were ours to postpone.

    Raises:
        StoreError: The database fails.
    """
    return _change(
        database, [_of(w.record).where(outbox.c.attempts == w.record.attempts).values(w.values()) for w in waits]
    )


def refuse(database: Database, record: Record, reason: str) -> bool:
    """A record will never be processed; its row stays with the reason, without its content.

    Returns:
        Whether it was still waiting.

    Raises:
        StoreError: The database fails.
    """
    return _change(database, [_of(record).values(refused=reason, body=b"")]) > 0


def census(database: Database) -> Mapping[str, int]:
    """How many records are waiting, delivered and refused.

    Raises:
        StoreError: The database fails.
    """
    number = func.count()
    wanted = select(
        number.filter(_WAITING),
        number.filter(outbox.c.delivered.is_not(None)),
        number.filter(outbox.c.refused.is_not(None)),
    ).select_from(outbox)
    with database.read() as connection:
        waiting, delivered, refused = connection.execute(wanted).one()
    return {"waiting": waiting, "delivered": delivered, "refused": refused}


def waiting(database: Database) -> int:
    """How many records wait, those that are due later among them.

    Raises:
        StoreError: The database fails.
    """
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(outbox).where(_WAITING)) or 0


def backlog(database: Database, now: datetime) -> timedelta | None:
    """Age of the oldest record that should have been dealt with; None where there is none.

    An event that is to be decided upon later has no age before that; a decision has one since it was made.

    Raises:
        StoreError: The database fails.
    """
    since = case((outbox.c.kind == "event", outbox.c.due), else_=outbox.c.created)
    wanted = select(func.min(since)).where(_WAITING, since <= microseconds(now))
    with database.read() as connection:
        oldest = connection.scalar(wanted)
    return None if oldest is None else now - from_micros(oldest)


def _of(record: Record) -> Update:
    return update(outbox).where(_WAITING, outbox.c.tenant == record.tenant, outbox.c.id == record.id)


def _change(database: Database, changes: Sequence[Update]) -> int:
    """How many rows were changed, in one transaction."""
    if not changes:
        return 0
    with database.begin() as connection:
        return sum(connection.execute(change).rowcount for change in changes)
