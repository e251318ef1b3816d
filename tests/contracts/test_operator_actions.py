"""What operators do is recorded with it, in rows that are only added, each bound to the one before."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from tactful.serving.bootstrap import open_store
from tactful.serving.engine.records.erase import export_person
from tactful.serving.errors import CatalogueMovedError, NotMergedError, StoreError, UnknownCustomerError
from tactful.serving.store.admin.copying import copy as copy_store
from tactful.serving.store.admin.erasure import erase
from tactful.serving.store.port import Arrival, Store
from tactful.serving.store.queries import keys
from tactful.serving.store.queries.catalogues import digest_of, put
from tactful.serving.store.queries.operator_actions import FIRST, OperatorAction, every, record, verify
from tactful.serving.store.schema import operator_actions
from tests.contracts.stores import NOON, Opener, T

DAY = timedelta(days=1)


@pytest.fixture
def acted(store: Store) -> Store:
    """A store in which operators did one thing of each kind, to a key, the catalogue and customer c1."""
    database = store.database
    key, _ = keys.create(database, T, "checkout", ["read"], None, NOON, by="cli:ada")
    new, _ = keys.rotate(database, T, key.id, DAY, NOON, by="cli:ada") or (key, "")
    assert keys.revoke(database, T, new.id, NOON, by="cli:ada")
    put(database, T, "catalogue: shop", "k1", NOON, 0)
    store.ingest(T, [Arrival("m1", "c1", alias="device", is_user=True)], NOON)
    store.unmerge(T, "device", NOON, by="k2")
    export_person(store, T, "c1", NOON, by="k1")
    erase(database, T, "c1", NOON, by="k1")
    return store


def rows_of(store: Store) -> list[OperatorAction]:
    return every(store.database, T)


def test_each_kind_of_action_is_recorded_with_who_did_it_and_to_what(acted: Store) -> None:
    rows = rows_of(acted)
    assert [(row.action, row.actor) for row in rows] == [
        ("key created", "cli:ada"),
        ("key rotated", "cli:ada"),
        ("key revoked", "cli:ada"),
        ("catalogue put", "k1"),
        ("customers unmerged", "k2"),
        ("customer exported", "k1"),
        ("customer erased", "k1"),
    ]
    assert rows[0].subject == rows[1].subject
    assert json.loads(rows[1].details)["new"] == rows[2].subject
    assert rows[3].subject == digest_of("catalogue: shop")
    assert rows[5].subject == rows[6].subject != rows[4].subject
    assert rows[0].as_dict()["time"] == NOON.isoformat()


def test_no_row_names_a_customer_or_holds_a_secret(store: Store) -> None:
    _, sent = keys.create(store.database, T, "checkout", ["read"], None, NOON)
    store.ingest(T, [Arrival("m1", "tomasz@example.org", alias="device-of-tomasz", is_user=True)], NOON)
    store.unmerge(T, "device-of-tomasz", NOON)
    export_person(store, T, "tomasz@example.org", NOON)
    erase(store.database, T, "tomasz@example.org", NOON)
    written = str(rows_of(store))
    assert "tomasz" not in written  # not all letters of hexadecimal digits, so no digest holds it by accident
    assert sent.split("_")[2] not in written


def test_a_record_that_nobody_touched_holds(acted: Store) -> None:
    rows = rows_of(acted)
    assert verify(T, rows).broken is None
    assert verify(T, rows, known=rows[2].digest) == verify(T, rows)
    assert (rows[0].previous, verify(T, rows).head) == (FIRST, rows[-1].digest)


def test_what_failed_is_not_recorded(acted: Store) -> None:
    before = rows_of(acted)
    assert not keys.revoke(acted.database, T, "nobody", NOON)
    with pytest.raises(CatalogueMovedError):
        put(acted.database, T, "catalogue: other", "k1", NOON, 0)
    with pytest.raises(NotMergedError):
        acted.unmerge(T, "stranger", NOON)
    with pytest.raises(UnknownCustomerError):
        export_person(acted, T, "stranger", NOON)
    assert rows_of(acted) == before


def test_the_database_refuses_to_change_or_delete_a_row(acted: Store) -> None:
    before = rows_of(acted)
    for statement in (update(operator_actions).values(actor="somebody"), delete(operator_actions)):
        with pytest.raises(StoreError, match="never changed"), acted.database.begin() as connection:
            connection.execute(statement)
    assert rows_of(acted) == before


def test_postgres_refuses_to_empty_the_table(database: str) -> None:
    store = open_store(database)
    record(store.database, T, "bundle promoted", "b1", by="cli:ada", when=NOON)
    with pytest.raises(StoreError, match="never changed"), store.database.begin() as connection:
        connection.execute(text("TRUNCATE operator_actions"))
    assert verify(T, rows_of(store)).rows == 1
    store.close()


@pytest.mark.parametrize("field", OperatorAction._fields)
def test_a_row_that_was_changed_is_the_first_that_does_not_hold(acted: Store, field: str) -> None:
    rows = rows_of(acted)
    value = getattr(rows[2], field)
    rows[2] = rows[2]._replace(**{field: value + 1 if isinstance(value, int) else f"{value}x"})
    found = verify(T, rows)
    assert (found.broken, found.rows) == (3, 2)


def test_a_row_that_was_taken_out_or_put_in_does_not_hold(acted: Store) -> None:
    rows = rows_of(acted)
    assert verify(T, rows[:3] + rows[4:]).broken == 4
    assert verify(T, rows[1:]).broken == 1
    assert verify(T, [*rows[:2], rows[1], *rows[2:]]).broken == 3
    assert verify("another", rows).broken == 1


def test_rows_taken_off_the_end_show_by_a_digest_noted_before(acted: Store) -> None:
    rows = rows_of(acted)
    assert verify(T, rows[:-2]).broken is None
    assert verify(T, rows[:-2], known=rows[-1].digest).broken == len(rows) - 1


def test_actions_at_the_same_time_make_one_chain(opener: Opener) -> None:
    store = opener()

    def act(number: int) -> None:
        for turn in range(5):
            record(store.database, T, "bundle promoted", f"{number}.{turn}", by=f"k{number}", when=NOON)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(4)))
    rows = rows_of(store)
    assert len({row.subject for row in rows}) == 20
    assert verify(T, rows).rows == 20


def test_a_copied_store_has_the_record_and_its_guards(acted: Store, tmp_path: Path) -> None:
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    copy_store(acted.database, other.database)
    assert every(other.database, T) == rows_of(acted)
    with pytest.raises(StoreError, match="never changed"), other.database.begin() as connection:
        connection.execute(delete(operator_actions))
    other.close()
