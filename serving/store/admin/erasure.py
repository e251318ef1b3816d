"""Erases a person so that every count stays true and nothing that comes later brings them back."""

import logging
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    update,
)

from tactful.decisions.kernel.record import parse
from tactful.features.timestamps import microseconds
from tactful.serving.store.admin.bodies import about
from tactful.serving.store.admin.people import names_of, salt_of, salted
from tactful.serving.store.database import Database, insert
from tactful.serving.store.ingest.session import digest_of
from tactful.serving.store.queries.idempotency import FORGOTTEN
from tactful.serving.store.queries.operator_actions import append
from tactful.serving.store.schema import (
    arrivals,
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
    tombstones,
)

_log = logging.getLogger(__name__)
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:tenant, 0))")
_OVERWRITE = text("PRAGMA secure_delete = ON")


_IDS = ((ledger, "id"), (outcomes, "decision"), (outcomes, "id"), (exposures, "decision"))
"""What names a decision or a message, and so may name the customer: as callers give ids."""
ERASED = "erased-"
DIGEST = 64
"""Characters of a digest."""
"""How a name begins that was made up for somebody who was erased."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The result of an erasure.

    Args:
        names: Every id the person was known by.
        token: The pseudonym of their decisions and contacts from now on.
        decisions: How many of those there are.
        known: Whether the id belonged to a customer, or was erased before.
        log_emptied: Whether no trace is left in SQLite's write-ahead log; otherwise somebody was reading it.
    """

    names: tuple[str, ...]
    token: str
    decisions: int
    known: bool = True
    log_emptied: bool = True


def erase(database: Database, tenant: str, customer: str, when: datetime, by: str = "") -> Erased:
    """Erase a person, by whatever id, in one transaction.

    Profile, consents, events, names and what decisions were made on are deleted; so are answers and records for
    receivers that tell of them. Decisions, contacts, outcomes and exposures stay, under a name made up for the purpose.
    The store turns away later messages about any of the ids, also where nothing was known of it.

    Args:
        database: The database.
        tenant: The customer's tenant.
        customer: By any id they are known by.
        when: Now.
        by: Who does it, for the record of operators' actions.

    Raises:
        StoreError: The database fails.
    """
    with database.begin() as connection:
        embedded = connection.dialect.name == "sqlite"
        connection.execute(_OVERWRITE if embedded else _ALONE.bindparams(tenant=tenant))
        names = names_of(connection, tenant, customer)
        work = _Erasure(connection, tenant, names, f"{ERASED}{secrets.token_hex(8)}")
        exists = work.lock()
        work.forget_tellings()
        made = work.redact()
        work.digest_messages()
        work.delete()
        was_erased = work.bury(microseconds(when))
        append(connection, tenant, "customer erased", salted(connection, tenant, names[0]), by=by, when=when)
    emptied = database.empty_log()
    if not emptied:
        _log.warning("write-ahead log not emptied", extra={"tenant": tenant})
    return Erased(names, work.token, made, exists or was_erased, emptied)


def redacted(record: bytes, id_: str, token: str) -> bytes:
    """A decision's record with what counts of it: versions, choice and probabilities, and nothing about the person.

    Args:
        record: The record's bytes.
        id_: Its id from now on.
        token: Their pseudonym from now on.
    """
    decision = parse(record)
    choice = decision.choice and replace(decision.choice, opening="", exclusions=(), factors=None)
    kept = replace(
        decision,
        id=id_,
        customer=token,
        scores={},
        openings=(),
        closed=(),
        candidates=(choice,) if choice else (),
        choice=choice,
        rewards=(),
    )
    return kept.as_bytes()


@dataclass(frozen=True, slots=True)
class _Erasure:
    """The steps of one erasure, in its transaction."""

    connection: Connection
    tenant: str
    names: tuple[str, ...]
    token: str

    def lock(self) -> bool:
        """Wait for decisions about the person, and keep others out; whether there is such a person."""
        wanted = select(customers.c.customer).where(self._theirs(customers))
        locked = self.connection.execute(wanted.order_by(customers.c.customer).with_for_update()).all()
        return bool(locked)

    def forget_tellings(self) -> None:
        """Delete kept answers, and records for receivers, that are about the person or name them.

        An answer in progress may be about them too: it will not be kept.
        """
        in_flight = update(idempotency).where(idempotency.c.tenant == self.tenant, idempotency.c.status.is_(None))
        self.connection.execute(in_flight.values(media=FORGOTTEN))
        made = select(decisions.c.id).where(self._theirs(decisions))
        happened = select(events.c.id).where(self._theirs(events))
        theirs = or_(outbox.c.id.in_(made), outbox.c.id.in_(happened))
        self.connection.execute(delete(outbox).where(outbox.c.tenant == self.tenant, theirs))
        for table in (outbox, idempotency):
            keys = tuple(table.primary_key.columns)
            for *key, _ in about(self.connection, table, self.tenant, self.names):
                same = (column == value for column, value in zip(keys, key, strict=True))
                self.connection.execute(delete(table).where(*same))

    def redact(self) -> int:
        """Put decisions, contacts, outcomes and exposures under the token, what an alias had under one of its own.

        So it can still be told what was decided before the alias was known to be the same person.
        """
        tokens = {name: f"{self.token}.{number}" for number, name in enumerate(self.names)} | {
            self.names[0]: self.token
        }
        made = select(decisions.c.id, decisions.c.customer, decisions.c.record).where(self._theirs(decisions))
        rows = [
            {"made": id_, "whose": tokens[name], "kept": redacted(record, self._unnamed(id_), tokens[name])}
            for id_, name, record in self.connection.execute(made)
        ]
        if rows:
            one = update(decisions).where(decisions.c.tenant == self.tenant, decisions.c.id == bindparam("made"))
            emptied = one.values(record=bindparam("kept"), customer=bindparam("whose"), inputs=None, opened_by="")
            self.connection.execute(emptied, rows)
            for row in rows:
                self._rename(decisions, "id", row["made"], decisions.c.customer == row["whose"])
        for table, column in _IDS:
            for id_ in self.connection.scalars(select(table.c[column]).where(self._theirs(table)).distinct()).all():
                self._rename(table, column, id_, table.c.customer.in_(self.names))
        for alias in self.names[1:]:
            tie = update(identities).where(identities.c.tenant == self.tenant, identities.c.alias == alias)
            self.connection.execute(tie.values(alias=tokens[alias], customer=self.token))
        for table, columns in ((ledger, {"opening": ""}), (outcomes, {}), (exposures, {})):
            self.connection.execute(update(table).where(self._theirs(table)).values(customer=self.token, **columns))
        return len(rows)

    def digest_messages(self) -> None:
        """Leave digests of the ids of messages that an earlier release kept: they are known again, and name nobody."""
        salt = salt_of(self.connection, self.tenant)
        one = update(arrivals).where(arrivals.c.tenant == self.tenant, arrivals.c.id == bindparam("sent"))
        plain = select(arrivals.c.id).where(arrivals.c.tenant == self.tenant, func.length(arrivals.c.id) != DIGEST)
        rows = [{"sent": id_, "kept": digest_of(salt, id_)} for id_ in self.connection.scalars(plain)]
        if rows:
            self.connection.execute(one.values(id=bindparam("kept")), rows)

    def _rename(self, table: Table, column: str, id_: str, whose: ColumnElement[bool]) -> None:
        """Give another id to what has one that names the person."""
        if (unnamed := self._unnamed(id_)) != id_:
            same = table.c.tenant == self.tenant, whose, table.c[column] == id_
            self.connection.execute(update(table).where(*same).values({column: unnamed}))

    def _unnamed(self, id_: str) -> str:
        """An id that does not name the person, the same for the same id."""
        if not names_one_of(id_, self.names):
            return id_
        return f"{ERASED}{salted(self.connection, self.tenant, id_)}"

    def delete(self) -> None:
        """Delete what is personal."""
        for table in (events, consents, customers):
            self.connection.execute(delete(table).where(self._theirs(table)))
        for table, column in (
            (merges, merges.c.alias),
            (merges, merges.c.customer),
            (origins, origins.c.origin),
            (profile_changes, profile_changes.c.customer),
            (profile_changes, profile_changes.c.sent),
        ):
            self.connection.execute(delete(table).where(table.c.tenant == self.tenant, column.in_(self.names)))

    def bury(self, moment: int) -> bool:
        """Leave a tombstone for each name, and say whether the first has one already; the first makes the salt."""
        digests = [salted(self.connection, self.tenant, name) for name in self.names]
        rows = [{"tenant": self.tenant, "digest": digest, "erased": moment} for digest in digests]
        theirs = (tombstones.c.tenant == self.tenant) & (tombstones.c.digest == rows[0]["digest"])
        before = self.connection.execute(select(tombstones.c.digest).where(theirs)).first()
        self.connection.execute(insert(self.connection, tombstones).on_conflict_do_nothing(), rows)
        return before is not None

    def _theirs(self, table: Table) -> ColumnElement[bool]:
        return (table.c.tenant == self.tenant) & table.c.customer.in_(self.names)


def names_one_of(id_: str, names: Collection[str]) -> bool:
    """Whether an id of something else has the id of somebody in it, not as a part of a longer word or number.

    Example:
        >>> names_one_of("order:c1:7", ["c1"]), names_one_of("order:c12", ["c1"])
        (True, False)
    """
    return any(re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", id_) for name in names)
