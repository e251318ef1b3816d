"""The catalogues a tenant has put in force, one after another; the newest is in force."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from tactful.features.timestamps import microseconds
from tactful.serving.errors import CatalogueMovedError
from tactful.serving.store.database import Database, insert
from tactful.serving.store.port import from_micros
from tactful.serving.store.queries.operator_actions import append
from tactful.serving.store.schema import catalogue_versions

_COLUMNS = [catalogue_versions.c[name] for name in ("number", "digest", "content", "created", "author")]


@dataclass(frozen=True, slots=True)
class CatalogueText:
    """A catalogue as it was put in force.

    Args:
        number: Its place in the history, from 1.
        digest: Of its content.
        content: YAML.
        created: When.
        author: Id of the key that did it.
    """

    number: int
    digest: str
    content: str
    created: datetime
    author: str


def digest_of(content: str) -> str:
    """The digest of a catalogue's text: comments and order count too.

    Example:
        >>> digest_of("catalogue: shop")
        'b05e80d350c94184'
    """
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def newest(database: Database, tenant: str) -> CatalogueText | None:
    """The catalogue in force, or None where none was put in force yet.

    Raises:
        StoreError: The database fails.
    """
    wanted = (
        select(*_COLUMNS)
        .where(catalogue_versions.c.tenant == tenant)
        .order_by(catalogue_versions.c.number.desc())
        .limit(1)
    )
    with database.read() as connection:
        row = connection.execute(wanted).first()
    return _text(row) if row else None


def every(database: Database, tenant: str) -> list[CatalogueText]:
    """Every catalogue that was put in force, the newest first.

    Raises:
        StoreError: The database fails.
    """
    theirs = select(*_COLUMNS).where(catalogue_versions.c.tenant == tenant)
    with database.read() as connection:
        rows = connection.execute(theirs.order_by(catalogue_versions.c.number.desc())).all()
    return [_text(row) for row in rows]


def put(database: Database, tenant: str, content: str, author: str, moment: datetime, replaces: int) -> CatalogueText:
    """Put a catalogue in force.

    Args:
        database: The database.
        tenant: The catalogue's tenant.
        content: YAML, checked already.
        author: Id of the key that does it.
        moment: Now.
        replaces: The number of the one it takes the place of; 0 for none.

    Raises:
        CatalogueMovedError: Another one was put in force meanwhile.
        StoreError: The database fails.
    """
    text = CatalogueText(replaces + 1, digest_of(content), content, moment, author)
    with database.begin() as connection:
        added = connection.execute(
            insert(connection, catalogue_versions)
            .values(tenant=tenant, number=text.number, digest=text.digest, content=content)
            .values(created=microseconds(moment), author=author)
            .on_conflict_do_nothing()
            .returning(catalogue_versions.c.number)
        ).first()
        if added is not None:
            details = {"number": text.number}
            append(connection, tenant, "catalogue put", text.digest, by=author, when=moment, details=details)
    if added is None:
        raise CatalogueMovedError("another catalogue was put in force meanwhile", wanted="a change of the newest one")
    return text


def _text(row: Sequence[Any]) -> CatalogueText:
    number, digest, content, created, author = row
    return CatalogueText(number, digest, content, from_micros(created), author)
