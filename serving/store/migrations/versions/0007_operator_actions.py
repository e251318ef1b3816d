"""The record of operators' actions, to which the database lets rows be added alone."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_REFUSED = "operator actions are added to, never changed"
_SQLITE = tuple(
    f"""
CREATE TRIGGER operator_actions_{verb} BEFORE {verb} ON operator_actions
BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"""
    for verb in ("update", "delete")
)
_POSTGRES = (
    f"""
CREATE FUNCTION operator_actions_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$""",
    """
CREATE TRIGGER operator_actions_rows BEFORE UPDATE OR DELETE ON operator_actions
FOR EACH ROW EXECUTE FUNCTION operator_actions_refuse()""",
    """
CREATE TRIGGER operator_actions_truncate BEFORE TRUNCATE ON operator_actions
FOR EACH STATEMENT EXECUTE FUNCTION operator_actions_refuse()""",
)


def upgrade() -> None:
    """Makes the table and its guards."""
    op.create_table(
        "operator_actions",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("details", TEXT, nullable=False),
        sa.Column("previous", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number"),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)
