"""The decision log, a page at a time."""

from datetime import datetime

from sqlalchemy import or_, select, tuple_

from tactful.features.timestamps import microseconds
from tactful.serving.store.database import Database
from tactful.serving.store.port import StoredDecision
from tactful.serving.store.schema import decisions, identities

_COLUMNS = [decisions.c[name] for name in ("id", "customer", "opened_by", "record", "inputs")]


def page(
    database: Database, tenant: str, *, customer: str | None, before: tuple[datetime, str] | None, limit: int
) -> list[StoredDecision]:
    """Decisions, the newest first.

    Args:
        database: The database.
        tenant: The tenant of the decisions.
        customer: About this one alone, by any id it was known by; about all where None.
        before: The moment and id of the last decision of the page before; None for the first page.
        limit: At most so many.

    Raises:
        StoreError: The database fails.
    """
    wanted = select(*_COLUMNS).where(decisions.c.tenant == tenant)
    if customer is not None:
        aliases = select(identities.c.alias).where(identities.c.tenant == tenant, identities.c.customer == customer)
        wanted = wanted.where(or_(decisions.c.customer == customer, decisions.c.customer.in_(aliases)))
    if before is not None:
        place = microseconds(before[0]), before[1]
        wanted = wanted.where(tuple_(decisions.c.moment, decisions.c.id) < place)
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(decisions.c.moment.desc(), decisions.c.id.desc()).limit(limit))
        return [StoredDecision(*row) for row in rows]
