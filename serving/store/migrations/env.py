"""What Alembic runs: the steps, on the connection that was handed over."""

from alembic import context

from serving.store.migrate import VERSION_TABLE
from serving.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
context.run_migrations()
