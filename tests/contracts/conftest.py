"""An empty store of either kind, and a store that knows one customer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tactful.serving.bootstrap import open_store
from tactful.serving.store.port import Store
from tests.contracts.stores import Opener, T, history


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    database: str = request.getfixturevalue("database")
    return database


@pytest.fixture
def opener(url: str) -> Iterator[Opener]:
    """Opens the same database again and again."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(open_store(url))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> Store:
    """A store that knows customer c1."""
    store = opener()
    store.load(T, history())
    return store
