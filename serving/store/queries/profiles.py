"""The profiles of a tenant's customers, without their events."""

import json
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import select

from tactful.serving.store.database import Database
from tactful.serving.store.port import Consent, Profile, from_micros
from tactful.serving.store.schema import consents, customers


def profiles(database: Database, tenant: str) -> Iterator[Profile]:
    """Every customer's profile with its consents, in the order of their ids, from one consistent view.

    Raises:
        StoreError: The database fails.
    """
    columns = customers.c
    of_tenant = select(columns.customer, columns.zone, columns.joined, columns.attributes)
    said = select(consents.c.customer, consents.c.channel, consents.c.purpose, consents.c.allowed)
    with database.read() as connection:
        allowed: defaultdict[str, dict[Consent, bool]] = defaultdict(dict)
        for customer, channel, purpose, value in connection.execute(said.where(consents.c.tenant == tenant)):
            allowed[customer][channel, purpose] = value
        rows = connection.execute(of_tenant.where(columns.tenant == tenant).order_by(columns.customer)).all()
    for customer, zone, joined, attributes in rows:
        yield Profile(
            customer,
            zone or None,
            None if joined is None else from_micros(joined),
            json.loads(attributes),
            allowed.get(customer, {}),
        )
