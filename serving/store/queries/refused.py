"""Messages that were refused, left out in part or unmapped: how many for which reason; no content of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, delete, func, select, tuple_

from tactful.features.timestamps import microseconds
from tactful.serving.store.database import Database, insert
from tactful.serving.store.port import from_micros
from tactful.serving.store.schema import refused

MOST = 200
"""Rows that are kept of a tenant: those that were seen last."""


class Refused(NamedTuple):
    """Messages alike.

    Args:
        fate: Their status, such as `malformed`.
        name: Their type, and the name of a track call.
        reason: Why.
        key: The id of the API key that sent them; empty where no key is needed.
    """

    fate: str
    name: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """How often messages alike were refused.

    Args:
        refused: Their common properties.
        count: How many there were.
        first: When the first came.
        last: When the last came.
    """

    refused: Refused
    count: int
    first: datetime
    last: datetime


def add(database: Database, tenant: str, counts: Mapping[Refused, int], moment: datetime) -> None:
    """Add counts, and forget the rows beyond `MOST` that were seen last longest ago.

    Args:
        database: The database.
        tenant: The tenant of the messages.
        counts: How many came since the last time.
        moment: When they came.

    Raises:
        StoreError: The database fails.
    """
    now = microseconds(moment)
    rows = [
        {"tenant": tenant, **one._asdict(), "count": count, "first": now, "last": now}
        for one, count in sorted(counts.items())
    ]
    with database.begin() as connection:
        new = insert(connection, refused)
        more = {"count": refused.c.count + new.excluded.count, "last": new.excluded.last}
        connection.execute(new.on_conflict_do_update(index_elements=list(refused.primary_key), set_=more), rows)
        theirs = refused.c.tenant == tenant
        named = [refused.c[name] for name in Refused._fields]
        in_turn = select(*named).where(theirs).order_by(refused.c.last.desc(), refused.c.count.desc(), *named)
        connection.execute(delete(refused).where(theirs, tuple_(*named).in_(in_turn.offset(MOST))))


def counts(database: Database, tenant: str) -> list[RefusedCount]:
    """The refused messages, the last seen first.

    Raises:
        StoreError: The database fails.
    """
    wanted = select(refused).where(refused.c.tenant == tenant)
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(refused.c.last.desc(), refused.c.count.desc(), refused.c.name)).all()
    return [
        RefusedCount(Refused(fate, name, why, key), count, from_micros(first), from_micros(last))
        for _, fate, name, why, key, count, first, last in rows
    ]


def summary(database: Database, tenant: str, since: datetime) -> dict[str, int]:
    """The kinds of messages that were refused since a moment, by fate, with all their counts.

    Raises:
        StoreError: The database fails.
    """
    total = func.sum(refused.c.count)
    recent = and_(refused.c.tenant == tenant, refused.c.last >= microseconds(since))
    with database.read() as connection:
        rows = connection.execute(select(refused.c.fate, total).where(recent).group_by(refused.c.fate)).all()
    return {fate: int(count) for fate, count in sorted(rows)}
