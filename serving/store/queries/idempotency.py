"""Answers kept under a caller's own key, so that a request sent twice is carried out once.

A claim goes before the request is carried out and an answer takes its place afterwards. A claim whose holder died is
given to the next who asks, `ABANDONED` later. Keys are kept as digests: callers put into them what they like.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select, update

from tactful.features.timestamps import microseconds
from tactful.serving.errors import KeyInFlightError, KeyReusedError
from tactful.serving.store.database import Database, insert
from tactful.serving.store.schema import idempotency

LIFETIME = timedelta(hours=24)
"""How long an answer is kept."""
ABANDONED = timedelta(minutes=2)
"""When a claim without an answer is taken for that of a process that died."""
FORGOTTEN = "forgotten"
"""The media type of a claim whose answer is not to be kept: somebody was erased meanwhile whom it may name."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry a request out.

    Args:
        tenant: Of the caller.
        caller: The caller's id.
        key: Digest of the key.
        made: When, in microseconds since the epoch: tells it from an earlier one that was abandoned.
    """

    tenant: str
    caller: str
    key: str
    made: int


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was given.

    Args:
        status: Its HTTP status.
        body: Its body.
        media: Its media type, or None.
    """

    status: int
    body: bytes
    media: str | None


def claim(
    database: Database, tenant: str, caller: str, key: str, fingerprint: str, when: datetime
) -> Claim | KeptAnswer:
    """The right to carry a request out, or the answer that was given before.

    Args:
        database: The database.
        tenant: Of the caller.
        caller: The caller's id.
        key: As the caller sent it.
        fingerprint: Tells the request from others.
        when: Now.

    Raises:
        KeyInFlightError: Somebody is carrying it out.
        KeyReusedError: The key belongs to another request.
        StoreError: The store fails.
    """
    made = Claim(tenant, caller, hashlib.sha256(key.encode()).hexdigest(), microseconds(when))
    row = {"tenant": tenant, "caller": caller, "key": made.key}
    fresh = {"fingerprint": fingerprint, "status": None, "body": None, "media": None, "created": made.made}
    with database.begin() as connection:
        added = insert(connection, idempotency).values(row | fresh).on_conflict_do_nothing()
        if connection.execute(added.returning(idempotency.c.key)).first() is not None:
            return made
        kept = connection.execute(select(idempotency).where(_of(made)).with_for_update()).one_or_none()
        if kept is None:
            raise KeyInFlightError("a request with this key ends right now")
        if _is_over(kept.created, when, LIFETIME) or (kept.status is None and _is_over(kept.created, when, ABANDONED)):
            connection.execute(update(idempotency).where(_of(made)).values(fresh))
            return made
    if kept.fingerprint != fingerprint:
        raise KeyReusedError(
            "the key belongs to another request", wanted="the same method, path and body, or a new key"
        )
    if kept.status is None:
        raise KeyInFlightError("a request with this key is not answered yet")
    return KeptAnswer(kept.status, kept.body, kept.media)


def keep(database: Database, claim: Claim, answer: KeptAnswer, *, impersonal: bool = False) -> None:
    """Keep the answer of a request that was carried out, unless its claim went to somebody else or is `FORGOTTEN`.

    Args:
        database: The database.
        claim: Its claim.
        answer: The answer.
        impersonal: Whether the answer names nobody, so that erasures do not concern it.

    Raises:
        StoreError: The store fails.
    """
    values = {"status": answer.status, "body": answer.body, "media": answer.media}
    stands = _unanswered(claim) if impersonal else and_(_unanswered(claim), idempotency.c.media.is_(None))
    with database.begin() as connection:
        connection.execute(update(idempotency).where(stands).values(values))


def give_up(database: Database, claim: Claim) -> None:
    """Let the next who asks carry the request out.

    Raises:
        StoreError: The store fails.
    """
    with database.begin() as connection:
        connection.execute(delete(idempotency).where(_unanswered(claim)))


def expire(database: Database, when: datetime) -> int:
    """Delete the answers that are older than `LIFETIME`.

    Returns:
        How many there were.

    Raises:
        StoreError: The store fails.
    """
    with database.begin() as connection:
        old = idempotency.c.created <= microseconds(when - LIFETIME)
        return connection.execute(delete(idempotency).where(old)).rowcount


def _of(claim: Claim) -> ColumnElement[bool]:
    columns = idempotency.c
    return and_(columns.tenant == claim.tenant, columns.caller == claim.caller, columns.key == claim.key)


def _unanswered(claim: Claim) -> ColumnElement[bool]:
    return and_(_of(claim), idempotency.c.created == claim.made, idempotency.c.status.is_(None))


def _is_over(created: int, when: datetime, span: timedelta) -> bool:
    return created <= microseconds(when - span)
