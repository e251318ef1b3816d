"""Decisions as an earlier kernel would have recorded them."""

import json
import sqlite3

from tactful.decisions.base import canonical_json as canonical


def recorded_by(kernel: str, record: bytes) -> bytes:
    """A record without its rewards, by a kernel that knew none."""
    fields = json.loads(record)
    del fields["rewards"]
    fields["versions"]["kernel"] = kernel
    return canonical.of(fields).encode()


def rewrite(store: str, decision_id: str, kernel: str) -> bytes:
    """Puts such a record in place of a decision's in an SQLite store, and gives it back.

    Args:
        store: Its URL.
        decision_id: The decision.
        kernel: Who made it.
    """
    connection = sqlite3.connect(store.removeprefix("sqlite:///"))
    with connection:
        ((record,),) = connection.execute("SELECT record FROM decisions WHERE id = ?", (decision_id,))
        earlier = recorded_by(kernel, record)
        connection.execute("UPDATE decisions SET record = ? WHERE id = ?", (earlier, decision_id))
    connection.close()
    return earlier
