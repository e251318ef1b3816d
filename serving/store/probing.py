"""A write that leaves nothing behind, to see whether the store takes one."""

import uuid

from sqlalchemy import delete

from tactful.serving.store.database import Database, insert
from tactful.serving.store.schema import idempotency


def write_and_forget(database: Database) -> None:
    """Write a row and delete it in one transaction, which is then durable like any other.

    Raises:
        StoreError: The database takes no writes.
    """
    row = {"tenant": "", "caller": "", "key": uuid.uuid4().hex}
    columns = idempotency.c
    with database.begin() as connection:
        connection.execute(insert(connection, idempotency).values(**row, fingerprint="", created=0))
        connection.execute(delete(idempotency).where(columns.tenant == "", columns.key == row["key"]))
