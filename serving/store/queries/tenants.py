"""The store's own record of a tenant."""

from sqlalchemy import select

from tactful.serving.store.database import Database
from tactful.serving.store.schema import tenants


def zone_of(database: Database, tenant: str) -> str | None:
    """Returns the tenant's zone of local days; None where the tenant has no customers yet."""
    with database.read() as connection:
        zone: str | None = connection.scalar(select(tenants.c.zone).where(tenants.c.tenant == tenant))
    return zone
