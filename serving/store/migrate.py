"""Brings a database to the present schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

VERSION_TABLE = "tactful_version"
"""Not Alembic's default, which MLflow uses."""


def upgrade(connection: Connection) -> None:
    """Runs the migrations that the database has not seen, all in the transaction the connection is in.

    Args:
        connection: In a transaction that excludes other writers.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
