"""Brings a database to the present schema."""

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from tactful.serving.errors import StoreError

VERSION_TABLE = "tactful_version"
"""Not Alembic's default, which MLflow uses."""


def upgrade(connection: Connection, where: str) -> None:
    """Runs the migrations that the database has not seen, all in the transaction the connection is in.

    Args:
        connection: In a transaction that excludes other writers.
        where: The database, without passwords, for errors.

    Raises:
        StoreError: A newer release wrote the database.
    """
    steps = ScriptDirectory(str(Path(__file__).with_name("migrations")))
    _refuse_newer(connection, steps, where)
    with EnvironmentContext(Config(), steps, fn=lambda seen, _: steps._upgrade_revs("head", seen)) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()


def schema_of(connection: Connection) -> str:
    """The version of a database's schema; `none` before the first migration."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision() or "none"


def _refuse_newer(connection: Connection, steps: ScriptDirectory, where: str) -> None:
    found = schema_of(connection)
    if found not in {"none", *(step.revision for step in steps.walk_revisions())}:
        latest = steps.get_current_head()
        remedy = f"schema {latest} or earlier: run the release that wrote it, or restore a backup into an empty store"
        raise StoreError("a store that a newer release wrote", got=f"schema {found}", wanted=remedy, where=where)
