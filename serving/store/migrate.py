"""Brings a database to the present schema."""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

VERSION_TABLE = "tactful_version"
"""Not Alembic's default, which MLflow uses."""


def upgrade(connection: Connection) -> None:
    """Runs the migrations that the database has not seen, all in the transaction the connection is in.

    Args:
        connection: In a transaction that excludes other writers.
    """
    steps = ScriptDirectory(str(Path(__file__).with_name("migrations")))
    with EnvironmentContext(Config(), steps, fn=lambda seen, _: steps._upgrade_revs("head", seen)) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()
