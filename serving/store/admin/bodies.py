"""Finds the bodies of kept answers, and of records for receivers, that name a person."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Table, func, literal, or_, select

MOST_NEEDLES = 200
"""Names that are looked for at a time: SQLite takes no condition of more than a thousand parts."""


def about(connection: Connection, table: Table, tenant: str, names: Collection[str]) -> Iterator[Sequence[Any]]:
    """The keys and bodies of the rows that name a person.

    Args:
        connection: Of the database.
        table: With a column `body`.
        tenant: The tenant of the rows.
        names: Every id of the person.
    """
    needles = sorted({text.encode() for name in names for text in (name, json.dumps(name)[1:-1])})
    wanted = select(*table.primary_key.columns, table.c.body).where(table.c.tenant == tenant)
    for first in range(0, len(needles), MOST_NEEDLES):
        some = [literal(needle, LargeBinary) for needle in needles[first : first + MOST_NEEDLES]]
        for row in connection.execute(wanted.where(_has_one_of(connection, some, table))).all():
            if mentions(row.body, names):
                yield row


def _has_one_of(connection: Connection, letters: Sequence[Any], table: Table) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return or_(*(func.instr(table.c.body, some) > 0 for some in letters))
    return or_(*(func.position(some.op("IN")(table.c.body)) > 0 for some in letters))


def mentions(body: bytes, names: Collection[str]) -> bool:
    """Whether a body names somebody: as a text of its own, in quotes or as a step of a path, not as a part of a word.

    Example:
        >>> mentions(b'{"customer_id": "c1"}', ["c1"]), mentions(b'{"customer_id": "c12", "n": 1}', ["c1", "1"])
        (True, False)
    """
    try:
        texts = list(_texts(json.loads(body)))
    except ValueError:
        texts = [body.decode(errors="replace")]
    quoted = [f"{mark}{name}{mark}" for name in names for mark in "'\"/"]
    return any(
        told in names or told.endswith(tuple(f"/{name}" for name in names)) or any(part in told for part in quoted)
        for told in texts
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
