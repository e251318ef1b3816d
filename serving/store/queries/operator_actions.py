"""The actions of operators: rows that are only added, each with the digest of the one before.

A row that is changed, taken out or put in between breaks the chain at its place. Rows that are taken off the end leave
a chain that holds: an operator who noted the digest of the last row elsewhere finds out, by `known` of `verify`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, select, text

from tactful.features.timestamps import microseconds
from tactful.serving.store.database import Database, insert
from tactful.serving.store.port import from_micros
from tactful.serving.store.schema import operator_actions

Act = Literal[
    "key created",
    "key rotated",
    "key revoked",
    "catalogue put",
    "customer erased",
    "customer exported",
    "customers merged",
    "customers unmerged",
    "bundle promoted",
    "bundle rolled back",
]
FIRST = "0" * 64
"""What the first row of a tenant has for the digest of the one before."""
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class OperatorAction(NamedTuple):
    """A row of the record.

    Attributes:
        number: Its place, from 1.
        time: When, microseconds since the epoch.
        actor: Id of the key that did it, or `cli:` and the user of the command line; empty where a program did it.
        action: The action.
        subject: Its object: the id of a key, the digest of a catalogue or a customer's id, a bundle's version.
        details: More of it, JSON with sorted keys; nothing personal.
        previous: The digest of the row before.
        digest: SHA-256, in hex, of the tenant and all of the above.
    """

    number: int
    time: int
    actor: str
    action: str
    subject: str
    details: str
    previous: str
    digest: str

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON values, with its moment as ISO 8601 has it."""
        moment = from_micros(self.time).isoformat(timespec="seconds")
        return self._asdict() | {"time": moment, "details": json.loads(self.details)}


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of checking the chain.

    Args:
        rows: How many rows hold, from the first on.
        head: The digest of the last of them: worth noting elsewhere.
        broken: The number of the first row that does not hold, or None.
        reason: The fault; empty where there is none.
    """

    rows: int
    head: str
    broken: int | None = None
    reason: str = ""


def append(
    connection: Connection,
    tenant: str,
    action: Act,
    subject: str,
    *,
    by: str,
    when: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add a row, within the transaction of what was done; others who would add one wait for its end.

    Args:
        connection: In a transaction that writes.
        tenant: The tenant of the record.
        action: The action.
        subject: To what; nothing personal.
        by: The operator.
        when: The present moment.
        details: More of it, as JSON gives it; nothing personal.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE, {"name": f"operator_actions:{tenant}"})
    columns = operator_actions.c
    last = select(columns.number, columns.digest).where(columns.tenant == tenant).order_by(columns.number.desc())
    row = following(tenant, connection.execute(last.limit(1)).first(), action, subject, by, microseconds(when), details)
    connection.execute(insert(connection, operator_actions).values(tenant=tenant, **row._asdict()))


def record(
    database: Database,
    tenant: str,
    action: Act,
    subject: str,
    *,
    by: str,
    when: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add a row about what was done elsewhere than in the store, or only read; see `append`.

    Raises:
        StoreError: The database fails.
    """
    with database.begin() as connection:
        append(connection, tenant, action, subject, by=by, when=when, details=details)


def following(
    tenant: str,
    last: Sequence[Any] | None,
    action: Act,
    subject: str,
    by: str,
    when: int,
    details: Mapping[str, Any] | None = None,
) -> OperatorAction:
    """The row after the last one, which is given as its number and digest, or None."""
    number, previous = last or (0, FIRST)
    told = json.dumps(dict(details or {}), sort_keys=True, separators=(",", ":"))
    values = number + 1, when, by, action, subject, told, previous
    return OperatorAction(*values, digest=_digest(tenant, values))


def every(database: Database, tenant: str) -> list[OperatorAction]:
    """The record of a tenant, the oldest row first.

    Raises:
        StoreError: The database fails.
    """
    columns = [operator_actions.c[name] for name in OperatorAction._fields]
    wanted = select(*columns).where(operator_actions.c.tenant == tenant).order_by(operator_actions.c.number)
    with database.read() as connection:
        return [OperatorAction(*row) for row in connection.execute(wanted)]


def page(database: Database, tenant: str, before: int | None, limit: int) -> list[OperatorAction]:
    """Rows of a tenant's record, the newest first.

    Args:
        database: The database.
        tenant: The tenant of the record.
        before: Only rows with smaller numbers; all where None.
        limit: At most so many.

    Raises:
        StoreError: The database fails.
    """
    columns = [operator_actions.c[name] for name in OperatorAction._fields]
    wanted = select(*columns).where(operator_actions.c.tenant == tenant)
    if before is not None:
        wanted = wanted.where(operator_actions.c.number < before)
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(operator_actions.c.number.desc()).limit(limit))
        return [OperatorAction(*row) for row in rows]


def verify(tenant: str, rows: Iterable[OperatorAction], known: str | None = None) -> Verified:
    """Check the chain of a tenant's record.

    Args:
        tenant: The tenant of the record.
        rows: All of it, the oldest first.
        known: The digest of a row that was noted before, which has to be in the chain.

    Example:
        >>> verify("shop", []).rows, verify("shop", [], known="ab").broken
        (0, 1)
    """
    count, head, met = 0, FIRST, known in (None, FIRST)
    for row in rows:
        if reason := _fault(tenant, row, count + 1, head):
            return Verified(count, head, count + 1, reason)
        count, head = row.number, row.digest
        met = met or head == known
    if not met:
        return Verified(count, head, count + 1, f"no row has the digest {known}: rows were taken off the end")
    return Verified(count, head)


def _fault(tenant: str, row: OperatorAction, number: int, previous: str) -> str:
    if row.number != number:
        return f"row {number} is missing: the next one is {row.number}"
    if row.previous != previous:
        return "it does not follow the row before"
    return "" if _digest(tenant, row[:-1]) == row.digest else "its digest is not that of its content"


def _digest(tenant: str, values: Iterable[Any]) -> str:
    return hashlib.sha256(json.dumps([tenant, *values]).encode()).hexdigest()
