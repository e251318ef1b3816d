"""The store's own record of tenants."""

from sqlalchemy import select

from tactful.serving.store.database import Database
from tactful.serving.store.schema import tenants


def every(database: Database) -> list[str]:
    """Returns the tenants of a store, in order."""
    with database.read() as connection:
        return list(connection.scalars(select(tenants.c.tenant).order_by(tenants.c.tenant)))


def zone_of(database: Database, tenant: str) -> str | None:
    """Returns the tenant's zone of local days; None where the tenant has no customers yet."""
    with database.read() as connection:
        zone: str | None = connection.scalar(select(tenants.c.zone).where(tenants.c.tenant == tenant))
    return zone
