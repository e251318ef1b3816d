"""Opens the store that a URL names, of either kind, without what deciding needs."""

from datetime import timedelta
from pathlib import Path

from tactful.serving.errors import StoreError
from tactful.serving.store.database import Durability
from tactful.serving.store.port import Store
from tactful.serving.store.sqlite.store import SqliteStore

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


def store_exists(url: str) -> bool:
    """Whether opening the store at a URL makes no new file: PostgreSQL's databases are there before."""
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


def open_store(
    url: str, durability: Durability = "full", connections: int = 8, deadline: timedelta | None = None
) -> Store:
    """The store at a URL, brought to the present schema.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        durability: `full`: what is acknowledged survives the loss of power; `normal`: the death of any process.
        connections: The most that are open to PostgreSQL for deciding and taking in; SQLite has one a thread.
        deadline: How long PostgreSQL may take over one statement; without end where None, for jobs.

    Raises:
        StoreError: No adapter knows the URL, or the database fails.
    """
    if url.startswith(SQLITE):
        return SqliteStore(Path(url.removeprefix(SQLITE)), durability)
    if url.startswith(POSTGRES):
        from tactful.serving.store.postgres.store import PostgresStore

        return PostgresStore(url, durability, connections, deadline)
    scheme, separator, _ = url.partition("://")
    got = scheme if separator else "no scheme"
    raise StoreError("a store of an unknown kind", got=got, wanted=f"{SQLITE}PATH or {POSTGRES[0]}HOST/DATABASE")
