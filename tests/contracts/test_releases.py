"""What becomes of a store when the program is older than it."""

import pytest
from sqlalchemy import text

from tactful.serving.bootstrap import open_store
from tactful.serving.errors import StoreError
from tactful.serving.store.migrate import VERSION_TABLE, schema_of


def test_a_store_that_a_newer_release_wrote_is_left_as_it_is(url: str) -> None:
    store = open_store(url)
    with store.database.begin() as connection:
        present = schema_of(connection)
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    told = f"a store that a newer release wrote: got 'schema 9999'; wanted schema {present} or earlier: run the release"
    with pytest.raises(StoreError, match=told) as refused:
        open_store(url)
    assert refused.value.where == store.database.where
    with store.database.read() as connection:
        assert schema_of(connection) == "9999"
    store.close()
