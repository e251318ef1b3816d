"""Everything that is kept about a person, told to them."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select, update

from tactful.features.timestamps import is_zone
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.store.admin.bodies import about
from tactful.serving.store.database import Database, insert
from tactful.serving.store.ingest.session import digest_of
from tactful.serving.store.inputs import unpacked
from tactful.serving.store.port import StoredEvent, from_micros
from tactful.serving.store.schema import (
    consents,
    customers,
    decisions,
    events,
    exposures,
    idempotency,
    identities,
    ledger,
    merges,
    origins,
    outbox,
    outcomes,
    profile_changes,
    tenants,
)

_CONTACT = ("id", "status", "time", "expires", "channel", "programme", "message", "tags", "opening", "counts")
_MOMENTS = ("time", "joined", "since", "moment", "expires", "received", "undone")


def names_of(connection: Connection, tenant: str, customer: str) -> tuple[str, ...]:
    """Every id a person is known by, the customer's own first; the id alone where nothing is known."""
    of_tenant = identities.c.tenant == tenant
    known_as = connection.scalar(select(identities.c.customer).where(of_tenant, identities.c.alias == customer))
    owner = known_as or customer
    aliases = select(identities.c.alias).where(of_tenant, identities.c.customer == owner).order_by(identities.c.alias)
    return owner, *connection.scalars(aliases)


def salted(connection: Connection, tenant: str, name: str) -> str:
    """The digest of an id, for places where the id itself is not kept."""
    return digest_of(salt_of(connection, tenant), name)


def salt_of(connection: Connection, tenant: str) -> str:
    """The salt of a tenant's digests, which is made where there is none yet."""
    connection.execute(insert(connection, tenants).values(tenant=tenant, zone="UTC").on_conflict_do_nothing())
    of_tenant = tenants.c.tenant == tenant
    unsalted = update(tenants).where(of_tenant, tenants.c.salt.is_(None))
    connection.execute(unsalted.values(salt=secrets.token_hex(16)))
    return str(connection.scalars(select(tenants.c.salt).where(of_tenant)).one())


def zones_of(database: Database, tenant: str) -> dict[str, str]:
    """The zones of all customers that have one, by their ids.

    Raises:
        StoreError: The database fails.
    """
    known = select(customers.c.customer, customers.c.zone).where(customers.c.tenant == tenant, customers.c.zone != "")
    with database.read() as connection:
        return {customer: zone for customer, zone in connection.execute(known) if is_zone(zone)}


def export(database: Database, tenant: str, customer: str) -> dict[str, Any] | None:
    """Everything that is kept about a customer, as JSON values; None where nothing is known.

    Args:
        database: The database.
        tenant: The customer's tenant.
        customer: By any id they are known by.

    Raises:
        StoreError: The database fails.
    """
    with database.read() as connection:
        reader = _Reader(connection, tenant, names_of(connection, tenant, customer))
        profile = reader.rows(customers, ("customer", "zone", "joined", "attributes"))
        if not profile:
            return None
        return {
            "customer_id": profile[0]["customer"],
            "zone": profile[0]["zone"],
            "joined": profile[0]["joined"],
            "attributes": json.loads(profile[0]["attributes"]),
            "identities": reader.rows(identities, ("since", "alias")),
            "merges": reader.rows(merges, ("time", "id", "alias", "customer", "caller", "undone")),
            "origins": reader.origins(),
            "profile_changes": [
                _opened_change(one) for one in reader.rows(profile_changes, ("number", "sent", "content"))
            ],
            "consents": reader.rows(consents, ("channel", "purpose", "allowed", "time")),
            "events": [_worded(event) for event in reader.rows(events, StoredEvent._fields)],
            "contacts": [_listed(contact) for contact in reader.rows(ledger, _CONTACT)],
            "decisions": [_opened(made) for made in reader.rows(decisions, ("moment", "id", "record", "inputs"))],
            "outcomes": reader.rows(outcomes, ("time", "decision", "id", "kind", "value", "received")),
            "experiments": reader.rows(exposures, ("experiment", "arm", "decision", "time")),
            "told_to_receivers": reader.told_to_receivers(),
            "kept_answers": reader.kept_answers(),
        }


class _Reader:
    """Reads the rows of tables under any of some names."""

    def __init__(self, connection: Connection, tenant: str, names: Sequence[str]) -> None:
        self._connection = connection
        self._tenant = tenant
        self._names = names

    def rows(self, table: Table, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Their rows by column, in the order of the columns; moments as ISO 8601 has them."""
        wanted = [table.c[name] for name in columns]
        theirs = table.c.tenant == self._tenant, table.c.customer.in_(self._names)
        found = self._connection.execute(select(*wanted).where(*theirs).order_by(*wanted[:2])).mappings()
        return [{name: _told(name, value) for name, value in row.items()} for row in found]

    def origins(self) -> list[dict[str, Any]]:
        """The events and contacts that came under an id which has become another one."""
        columns = (origins.c.origin, origins.c.kind, origins.c.id)
        theirs = origins.c.tenant == self._tenant, origins.c.origin.in_(self._names)
        found = self._connection.execute(select(*columns).where(*theirs).order_by(*columns)).mappings()
        return [dict(row) for row in found]

    def told_to_receivers(self) -> list[dict[str, Any]]:
        """The records about them that receivers were told of, or are still to be told of."""
        return self._bodies(outbox)

    def kept_answers(self) -> list[dict[str, Any]]:
        """The answers about them that are kept for repeated requests."""
        return self._bodies(idempotency)

    def _bodies(self, table: Table) -> list[dict[str, Any]]:
        """The records of a table that name them."""
        found = about(self._connection, table, self._tenant, self._names)
        return [{"id": row[-2], "body": bytes(row[-1]).decode(errors="replace")} for row in found]


def _told(name: str, value: Any) -> Any:
    return from_micros(value).isoformat() if name in _MOMENTS and value is not None else value


def _opened_change(change: dict[str, Any]) -> dict[str, Any]:
    return {"sent": change["sent"], **json.loads(change["content"])}


def _worded(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "type": EVENT_TYPES[event["type"]], "channel": CHANNELS[event["channel"]]}


def _listed(contact: dict[str, Any]) -> dict[str, Any]:
    return {**contact, "tags": json.loads(contact["tags"]) if contact["tags"] else []}


def _opened(decision: dict[str, Any]) -> dict[str, Any]:
    """A decision's record, and what it was made on where that is still kept."""
    inputs = decision["inputs"]
    return {"record": json.loads(decision["record"]), "inputs": unpacked(inputs) if inputs else None}
