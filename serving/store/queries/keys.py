"""API keys: kept as the digest of their secret, so that nobody who reads the store can use one.

A key reads `tactful_ID_SECRET`. The id finds its row; the secret, 192 bits of the system's randomness, is shown once.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Row, select, update

from tactful.features.timestamps import microseconds
from tactful.serving.store.database import Database, insert
from tactful.serving.store.port import from_micros
from tactful.serving.store.queries.operator_actions import append
from tactful.serving.store.schema import keys

Scope = Literal["decide", "ingest", "track", "content", "read", "merge", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a key may do."""
_KEY = re.compile(r"tactful_([0-9a-f]{16})_([0-9a-f]{48})")
_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, without its secret.

    Args:
        tenant: The tenant that it opens.
        id: Its id, which is no secret.
        name: Its purpose, in its owner's words.
        scopes: The permitted scopes.
        rate: Requests a second; no limit where None.
        created: When it was made.
        revoked: When it was revoked, or None.
        digest: SHA-256 of its secret, in hex.
        expires: When it stops being taken, or None.
        used: When it was used last, within a minute; None if it never was.
        family: The id of the first of the keys that took each other's place; its own where none did.
    """

    tenant: str
    id: str
    name: str
    scopes: frozenset[str]
    rate: float | None
    created: datetime
    revoked: datetime | None = None
    digest: str = field(default=_NOTHING, repr=False)
    expires: datetime | None = None
    used: datetime | None = field(default=None, compare=False)
    family: str = ""

    def opened_by(self, secret: str) -> bool:
        """Whether it was not revoked and the secret is its own; takes as long for any secret of the same length."""
        return hmac.compare_digest(_digest(secret), self.digest) and self.revoked is None

    def has_expired(self, when: datetime) -> bool:
        """Whether it is not taken any more at a moment."""
        return self.expires is not None and self.expires <= when


def create(
    database: Database,
    tenant: str,
    name: str,
    scopes: Iterable[str],
    rate: float | None,
    when: datetime,
    expires: datetime | None = None,
    by: str = "",
) -> tuple[ApiKey, str]:
    """Make a key; who did it, `by`, is recorded with it, as it is with the following.

    Returns:
        The key, and how it reads with its secret, which is kept nowhere.

    Raises:
        StoreError: The store fails.
    """
    id_, secret = secrets.token_hex(8), secrets.token_hex(24)
    key = ApiKey(tenant, id_, name, frozenset(scopes), rate, when, digest=_digest(secret), expires=expires, family=id_)
    with database.begin() as connection:
        connection.execute(insert(connection, keys).values(_row(key)))
        append(connection, tenant, "key created", id_, by=by, when=when, details=_recorded(key))
    return key, f"tactful_{id_}_{secret}"


def rotate(
    database: Database, tenant: str, id_: str, overlap: timedelta, when: datetime, by: str = ""
) -> tuple[ApiKey, str] | None:
    """Make a key that takes the place of another, which is taken for a while yet.

    The new key may do the same, and lasts as long as the other was to last. To a page, both are one key: a message that
    is sent again with the new one is known.

    Args:
        database: The database.
        tenant: The key's tenant.
        id_: The id of the key to be replaced.
        overlap: How long it is taken yet.
        when: The present moment.
        by: Who does it.

    Returns:
        The key, and how it reads with its secret; None where the tenant has no key of this id that is taken.

    Raises:
        StoreError: The store fails.
    """
    old = find(database, id_)
    if old is None or old.tenant != tenant or old.revoked is not None or old.has_expired(when):
        return None
    new_id, secret = secrets.token_hex(8), secrets.token_hex(24)
    lasts = None if old.expires is None else when + (old.expires - old.created)
    new = replace(old, id=new_id, created=when, digest=_digest(secret), expires=lasts, used=None)
    ends = min(filter(None, (old.expires, when + overlap)))
    with database.begin() as connection:
        connection.execute(insert(connection, keys).values(_row(new)))
        connection.execute(update(keys).where(keys.c.id == id_).values(expires=microseconds(ends)))
        append(connection, tenant, "key rotated", id_, by=by, when=when, details={"new": new_id} | _recorded(new))
    return new, f"tactful_{new_id}_{secret}"


def touch(database: Database, id_: str, when: datetime) -> None:
    """Keep when a key was used last.

    Raises:
        StoreError: The store fails.
    """
    with database.begin() as connection:
        connection.execute(update(keys).where(keys.c.id == id_).values(used=microseconds(when)))


def every(database: Database, tenant: str) -> list[ApiKey]:
    """The keys of a tenant, the oldest first, those that were revoked too.

    Raises:
        StoreError: The store fails.
    """
    wanted = select(keys).where(keys.c.tenant == tenant).order_by(keys.c.created, keys.c.id)
    with database.read() as connection:
        return [_key(row) for row in connection.execute(wanted)]


def find(database: Database, id_: str) -> ApiKey | None:
    """The key of an id, or None.

    Raises:
        StoreError: The store fails.
    """
    with database.read() as connection:
        row = connection.execute(select(keys).where(keys.c.id == id_)).one_or_none()
    return None if row is None else _key(row)


def revoke(database: Database, tenant: str, id_: str, when: datetime, by: str = "") -> bool:
    """Revoke a key for good.

    Returns:
        Whether the tenant has a key of this id that stood until now.

    Raises:
        StoreError: The store fails.
    """
    standing = (keys.c.tenant == tenant) & (keys.c.id == id_) & keys.c.revoked.is_(None)
    with database.begin() as connection:
        stood = connection.execute(update(keys).where(standing).values(revoked=microseconds(when))).rowcount == 1
        if stood:
            append(connection, tenant, "key revoked", id_, by=by, when=when)
    return stood


def parts(key: str) -> tuple[str, str] | None:
    """The id and the secret of a key as it is sent, or None where it does not read like one.

    Example:
        >>> parts("tactful_0123456789abcdef_" + "0" * 48)[0]
        '0123456789abcdef'
        >>> parts("password")
    """
    found = _KEY.fullmatch(key)
    return (found[1], found[2]) if found else None


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.tenant,
        row.id,
        row.name,
        frozenset(row.scopes.split()),
        row.rate,
        from_micros(row.created),
        _moment(row.revoked),
        row.hash,
        _moment(row.expires),
        _moment(row.used),
        row.family or row.id,
    )


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "tenant": key.tenant,
        "id": key.id,
        "name": key.name,
        "hash": key.digest,
        "scopes": " ".join(sorted(key.scopes)),
        "rate": key.rate,
        "created": microseconds(key.created),
        "expires": None if key.expires is None else microseconds(key.expires),
        "family": key.family,
    }


def _recorded(key: ApiKey) -> dict[str, Any]:
    return {"scopes": sorted(key.scopes), "expires": key.expires and key.expires.isoformat()}


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
