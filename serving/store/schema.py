"""The schema: every table's key starts with the tenant, every moment is microseconds since the epoch, UTC.

==================  ==============================================================================================
tenants             zone: what the local days of features are counted in; salt: of tombstones, none before the first
keys                API keys; hash: sha256 of the secret, in hex; rate: requests a second, no limit where none;
                    used: within a minute; family: the id of the first key of a rotation, its own where none
customers           profiles; version: moves with every change to what a decision about the customer reads; is_user:
                    whether the id came as a user's, or with a loaded history
identities          alias: an anonymous or former id; customer: whose it is, never itself an alias
merges              customer: whose the alias became at that time; kept: a part of what an undoing puts back, empty once
                    it is too late for that; undone: when
origins             the id that an event or a contact of a merged customer was sent under
profile_changes     of customers who were merged, oldest first; content: a change
tombstones          digest: of an erased id, keyed with the tenant's salt
consents            by channel and purpose
events              type and channel: positions in `tactful.features.events.schema`; categories: the bit set as a signed
                    number;
                    claimed: an amount that nobody verified, none where the amount is verified
arrivals            digests of ids of messages that were no events, so that none is taken twice
ledger              contacts; status: reserved, sent, released or expired; past `expires` a reservation never counts
decisions           record: canonical bytes; inputs: the personal snapshot it was made on, none once that is erased
outcomes            what became of a decision; id: of the message that said so
catalogues          every catalogue a decision was made with, and the features it was compiled for
catalogue_versions  what the operator put in force; the highest number is
bundle_versions     which models decided, since when
experiments         content: the plan; status: draft, running or stopped
exposures           the arm a customer was first decided for in
idempotency         answers by key of the caller; no status while the first is in flight
refused             how many messages were not kept, or not as a whole, by name and reason; no content of theirs
outbox              what is to be told to receivers; due: when next; refused: why it never will be
operator_actions    what operators did, to what, by which key; previous: the digest of the row before; rows are only
                    added, which the database sees to
==================  ==============================================================================================

Personal data live in `customers`, `consents`, `events`, `identities`, `merges`, `origins`, `profile_changes`, in
`decisions.inputs` and in the bodies of `idempotency` and `outbox`; everything else has a pseudonymous id
alone. The migrations make these tables; this description is what they are compared with.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    false,
)

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by its bytes on either database, so the order of ids is the same and no index depends on a locale."""


def _text(name: str) -> Column[str]:
    return Column(name, TEXT, nullable=False)


def _number(name: str) -> Column[float]:
    return Column(name, Float, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _of_customer() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant", "customer"], ["customers.tenant", "customers.customer"])


tenants = Table(
    "tenants",
    metadata,
    _text("tenant"),
    _text("zone"),
    Column("salt", TEXT),
    PrimaryKeyConstraint("tenant"),
)
keys = Table(
    "keys",
    metadata,
    _text("tenant"),
    _text("id"),
    _text("name"),
    _text("hash"),
    _text("scopes"),
    Column("rate", Float),
    _moment("created"),
    _moment("revoked", nullable=True),
    _moment("expires", nullable=True),
    _moment("used", nullable=True),
    Column("family", TEXT),
    PrimaryKeyConstraint("tenant", "id"),
    Index("keys_by_id", "id", unique=True),
)
customers = Table(
    "customers",
    metadata,
    _text("tenant"),
    _text("customer"),
    Column("version", BigInteger, nullable=False),
    Column("zone", TEXT),
    _moment("joined", nullable=True),
    _text("attributes"),
    Column("is_user", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("tenant", "customer"),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
)
identities = Table(
    "identities",
    metadata,
    _text("tenant"),
    _text("alias"),
    _text("customer"),
    _moment("since"),
    PrimaryKeyConstraint("tenant", "alias"),
    Index("identities_by_customer", "tenant", "customer"),
    sqlite_with_rowid=False,
)
merges = Table(
    "merges",
    metadata,
    _text("tenant"),
    _text("id"),
    _text("alias"),
    _text("customer"),
    _moment("time"),
    _text("caller"),
    _text("kept"),
    _moment("undone", nullable=True),
    PrimaryKeyConstraint("tenant", "id"),
    Index("merges_by_alias", "tenant", "alias"),
    Index("merges_by_customer", "tenant", "customer", "time"),
    Index("merges_by_time", "tenant", "time", "id"),
)
origins = Table(
    "origins",
    metadata,
    _text("tenant"),
    _text("kind"),
    _text("id"),
    _text("origin"),
    PrimaryKeyConstraint("tenant", "kind", "id", "origin"),
    Index("origins_by_origin", "tenant", "origin"),
    sqlite_with_rowid=False,
)
profile_changes = Table(
    "profile_changes",
    metadata,
    _text("tenant"),
    _text("customer"),
    _count("number"),
    _text("sent"),
    _text("content"),
    PrimaryKeyConstraint("tenant", "customer", "number"),
    sqlite_with_rowid=False,
)
operator_actions = Table(
    "operator_actions",
    metadata,
    _text("tenant"),
    _count("number"),
    _moment("time"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _text("details"),
    _text("previous"),
    _text("digest"),
    PrimaryKeyConstraint("tenant", "number"),
)
tombstones = Table(
    "tombstones",
    metadata,
    _text("tenant"),
    _text("digest"),
    _moment("erased"),
    PrimaryKeyConstraint("tenant", "digest"),
    sqlite_with_rowid=False,
)
consents = Table(
    "consents",
    metadata,
    _text("tenant"),
    _text("customer"),
    _text("channel"),
    _text("purpose"),
    Column("allowed", Boolean, nullable=False),
    _moment("time"),
    PrimaryKeyConstraint("tenant", "customer", "channel", "purpose"),
    _of_customer(),
    sqlite_with_rowid=False,
)
events = Table(
    "events",
    metadata,
    _text("tenant"),
    _text("customer"),
    _moment("time"),
    _text("id"),
    Column("type", SmallInteger, nullable=False),
    Column("channel", SmallInteger, nullable=False),
    _number("amount"),
    _number("discount"),
    _number("quantity"),
    Column("categories", BigInteger, nullable=False),
    _text("subject"),
    _text("programme"),
    Column("claimed", Float),
    PrimaryKeyConstraint("tenant", "customer", "time", "id"),
    _of_customer(),
    Index("events_by_id", "tenant", "id", unique=True),
    sqlite_with_rowid=False,
)
arrivals = Table(
    "arrivals",
    metadata,
    _text("tenant"),
    _text("id"),
    _moment("received"),
    PrimaryKeyConstraint("tenant", "id"),
    sqlite_with_rowid=False,
)
ledger = Table(
    "ledger",
    metadata,
    _text("tenant"),
    _text("customer"),
    _text("id"),
    _text("status"),
    _moment("time"),
    _moment("expires", nullable=True),
    _text("channel"),
    _text("programme"),
    _text("message"),
    _text("tags"),
    _text("opening"),
    Column("counts", Boolean, nullable=False),
    PrimaryKeyConstraint("tenant", "customer", "id"),
    sqlite_with_rowid=False,
)
decisions = Table(
    "decisions",
    metadata,
    _text("tenant"),
    _text("id"),
    _text("customer"),
    _moment("moment"),
    _text("choice"),
    _text("opened_by"),
    _text("catalogue"),
    _text("bundle"),
    _text("features"),
    Column("record", LargeBinary, nullable=False),
    Column("inputs", LargeBinary),
    PrimaryKeyConstraint("tenant", "id"),
    Index("decisions_by_customer", "tenant", "customer", "moment"),
    Index("decisions_by_moment", "tenant", "moment", "id"),
)
outcomes = Table(
    "outcomes",
    metadata,
    _text("tenant"),
    _text("decision"),
    _text("id"),
    _text("customer"),
    _text("kind"),
    _moment("time"),
    Column("value", Float),
    _moment("received"),
    PrimaryKeyConstraint("tenant", "decision", "id"),
    Index("outcomes_by_customer", "tenant", "customer"),
    Index("outcomes_by_time", "tenant", "time"),
)
catalogues = Table(
    "catalogues",
    metadata,
    _text("tenant"),
    _text("version"),
    _text("features"),
    _text("content"),
    PrimaryKeyConstraint("tenant", "version", "features"),
)
catalogue_versions = Table(
    "catalogue_versions",
    metadata,
    _text("tenant"),
    _count("number"),
    _text("digest"),
    _text("content"),
    _moment("created"),
    _text("author"),
    PrimaryKeyConstraint("tenant", "number"),
)
bundle_versions = Table(
    "bundle_versions",
    metadata,
    _text("tenant"),
    _text("version"),
    _text("features"),
    _moment("first_used"),
    PrimaryKeyConstraint("tenant", "version", "features"),
)
experiments = Table(
    "experiments",
    metadata,
    _text("tenant"),
    _text("id"),
    _text("content"),
    _text("status"),
    _moment("started", nullable=True),
    _moment("stopped", nullable=True),
    PrimaryKeyConstraint("tenant", "id"),
)
exposures = Table(
    "exposures",
    metadata,
    _text("tenant"),
    _text("experiment"),
    _text("customer"),
    _text("arm"),
    _text("decision"),
    _moment("time"),
    PrimaryKeyConstraint("tenant", "experiment", "customer"),
    Index("exposures_by_customer", "tenant", "customer"),
    sqlite_with_rowid=False,
)
idempotency = Table(
    "idempotency",
    metadata,
    _text("tenant"),
    _text("caller"),
    _text("key"),
    _text("fingerprint"),
    Column("status", SmallInteger),
    Column("body", LargeBinary),
    Column("media", TEXT),
    _moment("created"),
    PrimaryKeyConstraint("tenant", "caller", "key"),
)
refused = Table(
    "refused",
    metadata,
    _text("tenant"),
    _text("fate"),
    _text("name"),
    _text("reason"),
    _text("key"),
    _count("count"),
    _moment("first"),
    _moment("last"),
    PrimaryKeyConstraint("tenant", "fate", "name", "reason", "key"),
)
outbox = Table(
    "outbox",
    metadata,
    _text("tenant"),
    _text("id"),
    _text("kind"),
    Column("body", LargeBinary, nullable=False),
    _moment("created"),
    _moment("due"),
    _count("attempts"),
    _moment("delivered", nullable=True),
    Column("refused", TEXT),
    PrimaryKeyConstraint("tenant", "id"),
    Index("outbox_by_due", "delivered", "due"),
)
