"""The first schema.

A step states its tables in full: it must make the same tables in every later release.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "tenants",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )
    op.create_table(
        "customers",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("zone", sa.Text),
        sa.Column("joined", sa.BigInteger),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
    )
    op.create_table(
        "consents",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("allowed", sa.Boolean, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", "channel", "purpose"),
        sa.ForeignKeyConstraint(["tenant", "customer"], ["customers.tenant", "customers.customer"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("type", sa.SmallInteger, nullable=False),
        sa.Column("channel", sa.SmallInteger, nullable=False),
        sa.Column("amount", sa.Float, nullable=False),
        sa.Column("discount", sa.Float, nullable=False),
        sa.Column("quantity", sa.Float, nullable=False),
        sa.Column("categories", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", "time", "id"),
        sa.ForeignKeyConstraint(["tenant", "customer"], ["customers.tenant", "customers.customer"]),
        sqlite_with_rowid=False,
    )
    op.create_index("events_by_id", "events", ["tenant", "id"], unique=True)
    op.create_table(
        "ledger",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("opening", sa.Text, nullable=False),
        sa.Column("counts", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decisions",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
        sa.Column("choice", sa.Text, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("catalogue", sa.Text, nullable=False),
        sa.Column("bundle", sa.Text, nullable=False),
        sa.Column("features", sa.Text, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("inputs", sa.LargeBinary),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("decisions_by_customer", "decisions", ["tenant", "customer", "moment"])
    op.create_table(
        "catalogues",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("features", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "version", "features"),
    )
