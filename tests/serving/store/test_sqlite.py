"""What only SQLite can get wrong: its schema, its migrations, its file."""

import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from tactful.serving.bootstrap import open_store
from tactful.serving.errors import StoreError
from tactful.serving.store.database import Durability
from tactful.serving.store.migrate import VERSION_TABLE
from tactful.serving.store.port import History, Profile
from tactful.serving.store.schema import metadata
from tactful.serving.store.sqlite.store import SqliteStore
from tests.decisions.retailer import NOON


@pytest.fixture
def file(tmp_path: Path) -> Path:
    store = SqliteStore(tmp_path / "deep" / "store.db")
    store.load("shop", History("UTC", NOON, [Profile("c1")]))
    store.close()
    return tmp_path / "deep" / "store.db"


def test_the_migrations_make_the_schema_that_is_described(file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_key_starts_with_the_tenant(table: object) -> None:
    assert next(iter(table.primary_key)).name == "tenant"  # type: ignore[attr-defined]


def test_the_tables_without_row_numbers_are_made_so(file: Path) -> None:
    connection = sqlite3.connect(file)
    made = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    connection.close()
    assert {name for name, sql in made.items() if "WITHOUT ROWID" in sql} == {
        table.name for table in metadata.tables.values() if table.dialect_options["sqlite"]["with_rowid"] is False
    }


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
def test_an_acknowledged_write_is_as_durable_as_was_asked(file: Path, durability: Durability, synchronous: int) -> None:
    store = open_store(f"sqlite:///{file}", durability)
    assert isinstance(store, SqliteStore)
    wanted = {"journal_mode": "wal", "synchronous": synchronous, "foreign_keys": 1}
    assert {name: store._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted
    with store.database.begin() as cold:
        assert {name: cold.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted} == wanted
    store.close()


def test_opening_many_times_at_once_migrates_once(tmp_path: Path) -> None:
    stores: list[SqliteStore] = []
    threads = [threading.Thread(target=lambda: stores.append(SqliteStore(tmp_path / "store.db"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 8
    for store in stores:
        store.check()
        store.close()


def test_a_file_that_is_no_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    file.write_text("not a database, whatever its name says" * 100)
    with pytest.raises(StoreError, match=r"file is not a database.*store\.db"):
        SqliteStore(file)


def test_an_unreadable_ledger_is_unknown_not_empty(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = SqliteStore(file)
    (found,) = store.customers("shop", [("c1", NOON)])
    assert found is not None
    assert found.contacts == ()
    connection = sqlite3.connect(file)
    connection.execute("DROP TABLE ledger")
    connection.close()
    (found,) = store.customers("shop", [("c1", NOON + timedelta(days=1))])
    assert found is not None
    assert found.contacts is None
    assert "ledger unreadable" in caplog.messages
    store.close()


def test_a_store_that_fails_says_so(file: Path) -> None:
    store = SqliteStore(file)
    connection = sqlite3.connect(file)
    connection.execute("DROP TABLE tenants")
    connection.close()
    with pytest.raises(StoreError, match="no such table: tenants"):
        store.check()
    store.close()
