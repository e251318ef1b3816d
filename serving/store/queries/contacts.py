"""How one contact of the ledger stands."""

from datetime import datetime
from enum import Enum

from sqlalchemy import select

from tactful.features.timestamps import microseconds
from tactful.serving.store.database import Database
from tactful.serving.store.schema import identities, ledger


class ContactStatus(Enum):
    """The status of a contact at a moment."""

    RESERVED = "reserved"
    SENT = "sent"
    RELEASED = "released"
    EXPIRED = "expired"


def standing(database: Database, tenant: str, customer: str, contact: str, moment: datetime) -> ContactStatus:
    """The status of a contact; one that the ledger does not hold any more counts as expired.

    Args:
        database: The database.
        tenant: The customer's tenant.
        customer: About whom the decision was; what was merged into another customer since is found there.
        contact: Its id, which is the decision's.
        moment: At which a reservation may have expired.

    Raises:
        StoreError: The database fails.
    """
    known_as = select(identities.c.customer).where(identities.c.tenant == tenant, identities.c.alias == customer)
    entry = select(ledger.c.status, ledger.c.expires).where(ledger.c.tenant == tenant, ledger.c.id == contact)
    with database.read() as connection:
        names = [customer, *connection.scalars(known_as)]
        found = connection.execute(entry.where(ledger.c.customer.in_(names))).first()
    if found is None:
        return ContactStatus.EXPIRED
    if found.status == "reserved" and found.expires is not None and found.expires <= microseconds(moment):
        return ContactStatus.EXPIRED
    return ContactStatus(found.status)
