"""Amounts of events that nobody verified."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds the column."""
    op.add_column("events", sa.Column("claimed", sa.Float))
