"""What only PostgreSQL can get wrong: its schema, its migrations, its locks, its connections."""

import multiprocessing
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import LiteralString

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tactful.serving.bootstrap import open_store
from tactful.serving.errors import StoreError
from tactful.serving.store.database import Durability
from tactful.serving.store.migrate import VERSION_TABLE
from tactful.serving.store.port import Profile, RecordStatus
from tactful.serving.store.postgres.store import PostgresStore
from tactful.serving.store.schema import metadata
from tests.contracts.stores import T, draft, history, known
from tests.decisions.retailer import NOON
from tests.serving.store.writer import write

_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
END_OTHERS: LiteralString = f"SELECT pg_terminate_backend(pid, 10000) {_OTHERS}"
WAITING: LiteralString = f"SELECT count(*) {_OTHERS} AND wait_event_type = 'Lock'"


@pytest.fixture
def store(database: str) -> Iterator[PostgresStore]:
    """A store that knows customers c1 and c2."""
    store = PostgresStore(database)
    store.load(T, history(Profile("c1"), Profile("c2")))
    yield store
    store.close()


@pytest.fixture
def admin(database: str) -> Iterator[psycopg.Connection]:
    """A connection of somebody else."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def test_the_migrations_make_the_schema_that_is_described(store: PostgresStore, database: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_opening_many_times_at_once_migrates_once(database: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(open_store, [database] * 8))
    for store in stores:
        store.check()
        store.close()


def test_a_client_killed_while_it_writes_leaves_nothing(
    store: PostgresStore, database: str, admin: psycopg.Connection
) -> None:
    drafts = [draft(known(store, customer).version, f"d-{customer}", customer) for customer in ("c1", "c2")]
    client = multiprocessing.get_context("spawn").Process(target=write, args=(database, T, drafts))
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE ledger IN EXCLUSIVE MODE")
        client.start()
        while admin.execute(WAITING).fetchone() != (1,):
            assert client.is_alive()
        client.kill()
        client.join()
    assert store.record(T, drafts[:1]) == [RecordStatus.RECORDED]
    assert [decision.id for decision in store.decision_log(T)] == ["d-c1"]
    assert [contact.id for _, _, contact in store.ledger(T)] == ["d-c1"]
    assert known(store, "c2").version == drafts[1].based_on


def test_whoever_waited_for_the_lock_sees_what_its_holder_left(
    store: PostgresStore, database: str, admin: psycopg.Connection
) -> None:
    version = known(store).version
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(database) as holder:
            holder.execute("UPDATE customers SET version = version + 1 WHERE customer = 'c1'")
            waiting = pool.submit(store.record, T, [draft(version)])
            while admin.execute(WAITING).fetchone() != (1,):
                assert not waiting.done()
        assert waiting.result() == [RecordStatus.STALE]


def test_customers_are_locked_in_the_order_of_their_ids(
    store: PostgresStore, database: str, admin: psycopg.Connection
) -> None:
    store.load(T, history(Profile("b"), Profile("a")))
    drafts = [draft(known(store, customer).version, f"d-{customer}", customer) for customer in ("b", "a")]
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(database) as holder:
            holder.execute("SELECT FROM customers WHERE customer = 'a' FOR UPDATE")
            waiting = pool.submit(store.record, T, drafts)
            while admin.execute(WAITING).fetchone() != (1,):
                assert not waiting.done()
            admin.execute("SELECT FROM customers WHERE customer = 'b' FOR UPDATE NOWAIT")
        assert waiting.result() == [RecordStatus.RECORDED] * 2


@pytest.mark.parametrize(("durability", "told", "commit"), [("full", "off", "on"), ("normal", "on", "off")])
def test_what_is_acknowledged_is_as_durable_as_was_asked_whatever_the_database_was_told(
    database: str, admin: psycopg.Connection, durability: Durability, told: LiteralString, commit: str
) -> None:
    alter: LiteralString = "EXECUTE format('ALTER DATABASE %I SET synchronous_commit = "
    admin.execute(f"DO $$ BEGIN {alter}{told}', current_database()); END $$")
    store = PostgresStore(database, durability, connections=3)
    with store._pool.connection() as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == (commit,)
    with store.database.begin() as cold:
        assert cold.exec_driver_sql("SHOW synchronous_commit").scalar_one() == commit
    assert store._pool.max_size == 3
    store.close()


def test_a_store_whose_connections_were_cut_says_so_once(store: PostgresStore, admin: psycopg.Connection) -> None:
    with store._pool.connection(), store._pool.connection():
        store.check()
    admin.execute(END_OTHERS)
    with pytest.raises(StoreError, match="the store fails"):
        store.check()
    store.check()
    assert store.record(T, [draft(known(store).version)]) == [RecordStatus.RECORDED]


@pytest.mark.parametrize("breakage", ["DROP TABLE ledger", "UPDATE ledger SET tags = '{'"])
def test_an_unreadable_ledger_is_unknown_not_empty(
    store: PostgresStore, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture, breakage: LiteralString
) -> None:
    assert known(store).contacts == ()
    store.record(T, [draft(known(store).version)])
    admin.execute(breakage)
    assert known(store).contacts is None
    assert "ledger unreadable" in caplog.messages
    store.check()


def test_a_store_that_fails_says_why_and_where(store: PostgresStore, admin: psycopg.Connection) -> None:
    admin.execute("DROP TABLE consents")
    with pytest.raises(StoreError, match=r"got 'relation \"consents\" does not exist'; at postgresql://.*/t\w+$"):
        store.customers(T, [("c1", NOON)])


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:s3cret@127.0.0.1:1/shop",
        "postgresql://ada:s3cret%zz@127.0.0.1:1/shop",
        "postgresql://127.0.0.1:1/shop?password=s3cret&user=ada",
        "postgresql://ada:s3cret@127.0.0.1:1/shop?nonsense=1",
        "postgresql+other://ada:s3cret@127.0.0.1:1/shop",
        "ada:s3cret@127.0.0.1",
    ],
)
def test_no_error_tells_the_password(url: str) -> None:
    with pytest.raises(StoreError) as failed:
        open_store(url)
    assert "s3cret" not in "".join(traceback.format_exception(failed.value))
