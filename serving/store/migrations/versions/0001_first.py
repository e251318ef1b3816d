"""The first schema.

A step states its tables in full: it must make the same tables in every later release.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "tenants",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("zone", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )
    op.create_table(
        "customers",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("zone", TEXT),
        sa.Column("joined", sa.BigInteger),
        sa.Column("attributes", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
    )
    op.create_table(
        "consents",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("allowed", sa.Boolean, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", "channel", "purpose"),
        sa.ForeignKeyConstraint(["tenant", "customer"], ["customers.tenant", "customers.customer"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("type", sa.SmallInteger, nullable=False),
        sa.Column("channel", sa.SmallInteger, nullable=False),
        sa.Column("amount", sa.Float, nullable=False),
        sa.Column("discount", sa.Float, nullable=False),
        sa.Column("quantity", sa.Float, nullable=False),
        sa.Column("categories", sa.BigInteger, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("programme", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", "time", "id"),
        sa.ForeignKeyConstraint(["tenant", "customer"], ["customers.tenant", "customers.customer"]),
        sqlite_with_rowid=False,
    )
    op.create_index("events_by_id", "events", ["tenant", "id"], unique=True)
    op.create_table(
        "ledger",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("opening", TEXT, nullable=False),
        sa.Column("counts", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decisions",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
        sa.Column("choice", TEXT, nullable=False),
        sa.Column("opened_by", TEXT, nullable=False),
        sa.Column("catalogue", TEXT, nullable=False),
        sa.Column("bundle", TEXT, nullable=False),
        sa.Column("features", TEXT, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("inputs", sa.LargeBinary),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("decisions_by_customer", "decisions", ["tenant", "customer", "moment"])
    op.create_table(
        "catalogues",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("features", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "version", "features"),
    )
