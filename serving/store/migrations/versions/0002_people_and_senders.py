"""Keys, identities, outcomes, and what answers, versions, experiments and receivers need."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Makes the tables."""
    op.add_column("tenants", sa.Column("salt", TEXT))
    op.create_index("decisions_by_moment", "decisions", ["tenant", "moment", "id"])
    op.create_table(
        "keys",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("rate", sa.Float),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("keys_by_id", "keys", ["id"], unique=True)
    op.create_table(
        "identities",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("alias", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "alias"),
        sqlite_with_rowid=False,
    )
    op.create_index("identities_by_customer", "identities", ["tenant", "customer"])
    op.create_table(
        "tombstones",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("erased", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arrivals",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outcomes",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("decision", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "decision", "id"),
    )
    op.create_index("outcomes_by_customer", "outcomes", ["tenant", "customer"])
    op.create_index("outcomes_by_time", "outcomes", ["tenant", "time"])
    op.create_table(
        "catalogue_versions",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number"),
    )
    op.create_table(
        "bundle_versions",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("features", TEXT, nullable=False),
        sa.Column("first_used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "version", "features"),
    )
    op.create_table(
        "experiments",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("started", sa.BigInteger),
        sa.Column("stopped", sa.BigInteger),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_table(
        "exposures",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("experiment", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("arm", TEXT, nullable=False),
        sa.Column("decision", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "experiment", "customer"),
        sqlite_with_rowid=False,
    )
    op.create_index("exposures_by_customer", "exposures", ["tenant", "customer"])
    op.create_table(
        "idempotency",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("caller", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("body", sa.LargeBinary),
        sa.Column("media", TEXT),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "caller", "key"),
    )
    op.create_table(
        "outbox",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("delivered", sa.BigInteger),
        sa.Column("refused", TEXT),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("outbox_by_due", "outbox", ["delivered", "due"])
