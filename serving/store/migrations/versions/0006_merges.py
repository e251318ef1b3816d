"""Merges that can be undone: who was merged, and what came under which id."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_USERS = sa.text("""
UPDATE customers SET is_user = :yes WHERE attributes <> '{}'
OR EXISTS (SELECT 1 FROM consents WHERE consents.tenant = customers.tenant AND consents.customer = customers.customer)
OR EXISTS (
  SELECT 1 FROM decisions WHERE decisions.tenant = customers.tenant AND decisions.customer = customers.customer
)
""")
"""Earlier releases did not note which ids were users'; these have a profile or decisions."""


def upgrade() -> None:
    """Makes the tables."""
    op.add_column("customers", sa.Column("is_user", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(_USERS.bindparams(yes=True))
    op.create_table(
        "merges",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("alias", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("caller", TEXT, nullable=False),
        sa.Column("kept", TEXT, nullable=False),
        sa.Column("undone", sa.BigInteger),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("merges_by_alias", "merges", ["tenant", "alias"])
    op.create_index("merges_by_customer", "merges", ["tenant", "customer", "time"])
    op.create_index("merges_by_time", "merges", ["tenant", "time", "id"])
    op.create_table(
        "origins",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "id", "origin"),
        sqlite_with_rowid=False,
    )
    op.create_index("origins_by_origin", "origins", ["tenant", "origin"])
    op.create_table(
        "profile_changes",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("sent", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", "number"),
        sqlite_with_rowid=False,
    )
