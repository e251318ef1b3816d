"""The record of merges, read back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, update

from tactful.features.timestamps import microseconds
from tactful.serving.store.database import Database
from tactful.serving.store.port import from_micros
from tactful.serving.store.schema import customers, identities, merges, origins, profile_changes

PAGE = 500
"""Customers a transaction."""


@dataclass(frozen=True, slots=True)
class RecordedMerge:
    """A merge that was made.

    Args:
        id: Its id.
        alias: The id that became another id of the customer's.
        customer: The customer.
        time: When.
        caller: Id of the key that said so; empty where there is none.
        undone: When it was undone, or None.
    """

    id: str
    alias: str
    customer: str
    time: datetime
    caller: str
    undone: datetime | None


def made(
    database: Database,
    tenant: str,
    *,
    customer: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[RecordedMerge]:
    """Merges, the newest first.

    Args:
        database: The database.
        tenant: The tenant of the customers.
        customer: Only those of this id, on either side; all where None.
        before: The moment and id of a merge: only older ones.
        limit: How many at most.

    Raises:
        StoreError: The database fails.
    """
    wanted = select(merges).where(merges.c.tenant == tenant).order_by(merges.c.time.desc(), merges.c.id.desc())
    if customer is not None:
        wanted = wanted.where(or_(merges.c.customer == customer, merges.c.alias == customer))
    if before is not None:
        moment = microseconds(before[0])
        wanted = wanted.where(or_(merges.c.time < moment, and_(merges.c.time == moment, merges.c.id < before[1])))
    with database.read() as connection:
        return [
            RecordedMerge(
                row.id,
                row.alias,
                row.customer,
                from_micros(row.time),
                row.caller,
                None if row.undone is None else from_micros(row.undone),
            )
            for row in connection.execute(wanted.limit(limit))
        ]


def in_force(database: Database, tenant: str, customer: str) -> list[str]:
    """The ids that were merged into a customer and not separated since, the newest first.

    Raises:
        StoreError: The database fails.
    """
    theirs = (merges.c.tenant == tenant) & (merges.c.customer == customer) & merges.c.undone.is_(None)
    wanted = select(merges.c.alias).where(theirs).order_by(merges.c.time.desc(), merges.c.id)
    with database.read() as connection:
        return list(connection.scalars(wanted))


def finish_merges(database: Database, tenant: str, before: datetime) -> int:
    """Forget what undoings need of customers into whom nobody was merged at or after a moment.

    The records of the merges stay.

    Returns:
        How many merges can no more be undone.

    Raises:
        StoreError: The database fails.
    """
    with database.read() as connection:
        owners = sorted({row.customer for row in connection.execute(_finished(tenant, microseconds(before)))})
    return sum(
        _finish(database, tenant, owners[start : start + PAGE], microseconds(before))
        for start in range(0, len(owners), PAGE)
    )


def _finish(database: Database, tenant: str, owners: Sequence[str], before: int) -> int:
    """Finish the merges of some customers, under their locks."""
    theirs = (customers.c.tenant == tenant) & customers.c.customer.in_(owners)
    with database.begin() as connection:
        connection.execute(
            select(customers.c.customer).where(theirs).order_by(customers.c.customer).with_for_update()
        ).all()
        found = connection.execute(_finished(tenant, before).where(identities.c.customer.in_(owners))).all()
        aliases = [row.alias for row in found]
        names = [*aliases, *{row.customer for row in found}]
        changes = (profile_changes.c.tenant == tenant) & profile_changes.c.customer.in_(names)
        connection.execute(delete(profile_changes).where(changes))
        connection.execute(delete(origins).where(origins.c.tenant == tenant, origins.c.origin.in_(aliases)))
        connection.execute(update(merges).where(_standing(tenant), merges.c.alias.in_(aliases)).values(kept=""))
    return len(aliases)


def _finished(tenant: str, before: int) -> Select[tuple[str, str]]:
    """Aliases whose merges can still be undone, with their customers, of whom no merge is newer than a moment."""
    tied = (identities.c.tenant == merges.c.tenant) & (identities.c.alias == merges.c.alias)
    recent = select(identities.c.customer).join(merges, tied).where(_standing(tenant), merges.c.time >= before)
    found = select(merges.c.alias, identities.c.customer).join(identities, tied)
    return found.where(_standing(tenant), merges.c.kept != "", identities.c.customer.not_in(recent))


def _standing(tenant: str) -> ColumnElement[bool]:
    return (merges.c.tenant == tenant) & merges.c.undone.is_(None)
