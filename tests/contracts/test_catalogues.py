"""Catalogues put in force, on either database."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tactful.serving.bootstrap import open_store
from tactful.serving.errors import CatalogueMovedError
from tactful.serving.store.queries.catalogues import newest, put

NOW = datetime(2026, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_of_two_who_replace_the_same_one_the_first_is_heard(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}" if kind == "sqlite" else request.getfixturevalue("database")
    store = open_store(url)
    first = put(store.database, "t", "catalogue: one", "k1", NOW, 0)
    with pytest.raises(CatalogueMovedError):
        put(store.database, "t", "catalogue: two", "k2", NOW, 0)
    assert newest(store.database, "t") == first
    assert newest(store.database, "other") is None
    assert put(store.database, "t", "catalogue: two", "k2", NOW, 1) == newest(store.database, "t")
    store.close()
