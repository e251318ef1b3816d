"""The schema: every table's key starts with the tenant, every moment is microseconds since the epoch, UTC.

===========  =====================================================================================================
tenants      zone: what the local days of features are counted in
customers    profiles; version: moves with every change to what a decision about the customer reads
consents     by channel and purpose
events       type and channel: positions in `features.events`; categories: the bit set as a signed number
ledger       contacts; status: reserved, sent or released; a reservation past its expiry does not count
decisions    record: canonical bytes; inputs: the personal snapshot it was made on, none once that is erased
catalogues   every catalogue a decision was made with, and the features it was compiled for
===========  =====================================================================================================

Personal data live in `customers`, `consents`, `events` and in `decisions.inputs`; everything else bears a
pseudonymous id alone. The migrations make these tables; this description is what they are compared with.
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


def _of_customer() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant", "customer"], ["customers.tenant", "customers.customer"])


tenants = Table(
    "tenants",
    metadata,
    _text("tenant"),
    _text("zone"),
    PrimaryKeyConstraint("tenant"),
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
    PrimaryKeyConstraint("tenant", "customer"),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
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
    PrimaryKeyConstraint("tenant", "customer", "time", "id"),
    _of_customer(),
    Index("events_by_id", "tenant", "id", unique=True),
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
