"""A store that the first release made is a store of this one, with everything that was decided in it.

The fixtures were written by that release: twelve decisions about six customers, with a contact that was sent, one that
was released and one that is reserved; once as SQLite's file, once as SQL for PostgreSQL.
"""

import gzip
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tactful.decisions.kernel.record import parse
from tactful.serving.bootstrap import open_store
from tactful.serving.engine.drafts import told_again
from tactful.serving.engine.rendering import Renderer
from tactful.serving.engine.snapshots import from_bytes
from tactful.serving.store.admin.checking import check
from tactful.serving.store.admin.erasure import erase
from tactful.serving.store.catalogue_codec import catalogue_from_json
from tactful.serving.store.migrate import VERSION_TABLE
from tactful.serving.store.port import Arrival, Receipt, RecordStatus, Store, StoredDecision
from tactful.serving.store.schema import metadata
from tests.contracts.stores import BUY, DAY, draft, known
from tests.serving.shop import NOW

FIXTURES = Path(__file__).with_name("fixtures")
OURS = "default"


def first_sqlite(folder: Path) -> tuple[str, list[StoredDecision]]:
    """The first release's file, and its decisions as it left them."""
    file = folder / "first.db"
    file.write_bytes(gzip.decompress((FIXTURES / "first_release.db.gz").read_bytes()))
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT id, customer, opened_by, record, inputs FROM decisions ORDER BY moment, id")
    left = [StoredDecision(*row) for row in rows]
    connection.close()
    return f"sqlite:///{file}", left


def first_postgres(url: str) -> tuple[str, list[StoredDecision]]:
    """The same in a database of PostgreSQL's."""
    with psycopg.connect(url) as connection:
        connection.execute(gzip.decompress((FIXTURES / "first_release.sql.gz").read_bytes()))
        rows = connection.execute("SELECT id, customer, opened_by, record, inputs FROM decisions ORDER BY moment, id")
        left = [StoredDecision(*row) for row in rows]
    return url, left


@pytest.fixture(params=["sqlite", "postgres"])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, list[StoredDecision]]]:
    """The store opened by this release, and the decisions as the first one left them."""
    sqlite = request.param == "sqlite"
    url, left = first_sqlite(tmp_path) if sqlite else first_postgres(request.getfixturevalue("database"))
    store = open_store(url)
    yield store, left
    store.close()


def test_the_schema_is_the_present_one(upgraded: tuple[Store, list[StoredDecision]]) -> None:
    with upgraded[0].database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_decision_is_there_as_it_was_recorded(upgraded: tuple[Store, list[StoredDecision]]) -> None:
    store, left = upgraded
    assert len(left) == 12
    assert list(store.decision_log(OURS)) == left
    assert [store.decision(OURS, stored.id) for stored in left] == left


def test_every_decision_can_be_told_and_made_from_what_was_kept(
    upgraded: tuple[Store, list[StoredDecision]],
) -> None:
    store, left = upgraded
    texts = {}
    for stored in left:
        decision = parse(stored.record)
        content = store.catalogue(OURS, decision.versions.catalogue, decision.versions.features)
        assert content is not None
        assert stored.inputs is not None
        renderer = Renderer(*catalogue_from_json(content))
        snapshot = from_bytes(stored.inputs, renderer.catalogue.attributes)
        assert (snapshot.customer, snapshot.moment) == (decision.customer, decision.moment)
        answer = told_again(stored, decision, renderer)
        if answer.text:
            texts[stored.id] = answer.text.body
    assert texts == {
        "leaver-0": "Dear Ada, it has been 42 days. Take this, good for 30 days.",
        "celebrant-1": "All the best, Cleo!",
        "thankful-1": "Thank you for 80 USD.",
    }


def test_what_is_known_and_what_counts_is_as_it_was(upgraded: tuple[Store, list[StoredDecision]]) -> None:
    store, _ = upgraded
    assert [(customer, status, contact.channel) for customer, status, contact in store.ledger(OURS)] == [
        ("celebrant", "reserved", "email"),
        ("leaver", "sent", "mail"),
        ("leaver", "released", "email"),
        ("thankful", "sent", "email"),
    ]
    leaver = known(store, "leaver", NOW, OURS)
    assert (leaver.zone, leaver.attributes, len(leaver.events)) == ("Europe/Paris", {"first_name": "Ada"}, 6)
    assert all(known(store, "leaver", NOW, OURS).consents.values())
    assert not any(known(store, "refuser", NOW, OURS).consents.values())
    checked = check(store, OURS)
    assert (checked.decisions, checked.contacts, checked.caps, checked.findings) == (12, 3, 2, ())


def test_it_works_on_as_a_store_of_this_release(upgraded: tuple[Store, list[StoredDecision]]) -> None:
    store, _ = upgraded
    assert store.ingest(OURS, [Arrival("e1", "leaver", BUY, alias="device")], NOW) == [Receipt.KEPT]
    assert known(store, "device", NOW + DAY, OURS).id == "leaver"
    assert store.record(OURS, [draft(known(store, "leaver", NOW, OURS).version, "new", "leaver")]) == [
        RecordStatus.RECORDED
    ]
    assert erase(store.database, OURS, "leaver", NOW).decisions == 3
    assert "leaver" not in store.customer_ids(OURS)
