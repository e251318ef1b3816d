"""What every store promises whoever looks after it: to copy itself whole, and to forget only what nobody looks at."""

import hashlib
import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import insert, select

from tactful.features.build import build_one
from tactful.features.definitions.definitions import Feature, FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.history import history as history_of
from tactful.features.kernel.program import compile_features
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.bootstrap import open_store
from tactful.serving.engine.records.retention import needs_of
from tactful.serving.errors import StoreError
from tactful.serving.store.admin.backup import MANIFEST, backup, restore
from tactful.serving.store.admin.compaction import Compacted, Keep, Need, compact, shrink
from tactful.serving.store.port import Arrival, Outcome, Profile, Store
from tactful.serving.store.queries import keys
from tactful.serving.store.schema import idempotency, outbox
from tactful.serving.store.sqlite.store import SqliteStore
from tests.contracts.stores import BUY, DAY, EMAIL, T, draft, history, known
from tests.contracts.test_people import contents
from tests.decisions.retailer import NOON, at

VIEW, PURCHASE = EVENT_TYPES.index("view"), EVENT_TYPES.index("purchase")


@pytest.fixture
def empty(url: str, postgres: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store of the same kind as the other."""
    if url.startswith("sqlite"):
        store = open_store(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        name = f"{url.partition('?')[0].rpartition('/')[2]}_empty"
        with psycopg.connect(postgres, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        store = open_store(postgres.replace("/postgres?", f"/{name}?"))
    yield store
    store.close()


@pytest.fixture
def full(store: Store) -> Store:
    """A store with something of most kinds."""
    store.load(T, history(Profile("c1", "Asia/Tokyo", at(9), {"name": "Ada"}, {EMAIL: True}), events=[("c1", BUY)]))
    store.record(T, [replace(draft(known(store).version), notify=b"\x00told\n")])
    store.ingest(T, [Arrival("m1", "c1", alias="a1", outcome=Outcome("d1", "clicked", 7, 0.1))], NOON)
    store.keep_catalogue(T, "v1", "f1", "content\twith\nall kinds of \\ letters: é")
    return store


def test_a_restored_store_is_the_store(full: Store, empty: Store, tmp_path: Path) -> None:
    made = backup(full.database, tmp_path / "deep" / "store.zip", NOON)
    assert (tmp_path / "deep" / "store.zip").stat().st_mode & 0o077 == 0, "an archive is as secret as the store"
    assert made.moment == NOON.isoformat()
    assert (made.rows["customers"], made.rows["outbox"], made.rows["keys"]) == (1, 1, 0)
    assert restore(empty.database, tmp_path / "deep" / "store.zip") == made
    assert contents(empty) == contents(full)
    assert known(empty) == known(full)
    assert empty.ingest(T, [Arrival("e9", "a1", BUY._replace(id="e9"))], NOON) != []
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["store.zip"]


@pytest.mark.parametrize("wanted", [False, True])
def test_an_archive_holds_keys_only_where_it_is_asked_for_them(
    full: Store, empty: Store, tmp_path: Path, wanted: bool
) -> None:
    key, secret = keys.create(full.database, T, "checkout", ["read"], None, NOON)
    digest = hashlib.sha256(secret.rpartition("_")[2].encode()).hexdigest()
    archive = tmp_path / "store.zip"
    made = backup(full.database, archive, NOON, keys=wanted)
    assert made.rows["keys"] == wanted
    with zipfile.ZipFile(archive) as parts:
        content = b"".join(parts.read(name) for name in parts.namelist())
    assert (digest.encode() in content) is wanted
    restore(empty.database, archive)
    assert [one.id for one in keys.every(empty.database, T)] == [key.id] * wanted


def test_a_store_is_copied_while_others_write(full: Store, empty: Store, tmp_path: Path) -> None:
    """What is written while the copy is made is not in it, and is not held up."""
    told: list[int] = []

    def interrupted(done: int, _of: int) -> None:
        full.ingest(T, [Arrival(f"w{done}", "c1", BUY._replace(id=f"w{done}"))], NOON)
        told.append(done)

    before = contents(full)
    backup(full.database, tmp_path / "store.zip", NOON, interrupted)
    assert told
    assert contents(full) != before
    restore(empty.database, tmp_path / "store.zip")
    assert contents(empty) == before


def test_a_store_that_holds_something_is_not_overwritten(full: Store, tmp_path: Path) -> None:
    backup(full.database, tmp_path / "store.zip", NOON)
    before = contents(full)
    with pytest.raises(StoreError, match="holds something already"):
        restore(full.database, tmp_path / "store.zip")
    assert contents(full) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "0001"}, "an archive of another release: got 'schema 0001'"),
        ({"format": 2}, "an archive of another release: got 2"),
        ({"kind": "oracle"}, "another kind of store"),
        ({"parts": {"../outside": "0"}}, "damaged archive"),
    ],
)
def test_an_archive_of_something_else_is_refused(
    full: Store, empty: Store, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    backup(full.database, tmp_path / "store.zip", NOON)
    with zipfile.ZipFile(tmp_path / "store.zip") as archive, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        for name in archive.namelist():
            told = archive.read(name)
            other.writestr(name, json.dumps(json.loads(told) | change) if name == MANIFEST else told)
    before = contents(empty)
    with pytest.raises(StoreError, match=message):
        restore(empty.database, tmp_path / "other.zip")
    assert contents(empty) == before


def test_a_damaged_archive_is_refused(full: Store, empty: Store, tmp_path: Path) -> None:
    backup(full.database, tmp_path / "store.zip", NOON)
    with zipfile.ZipFile(tmp_path / "store.zip") as archive, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name) if name == MANIFEST else archive.read(name)[:-1] + b"x")
    before = contents(empty)
    with pytest.raises(StoreError, match="a damaged archive"):
        restore(empty.database, tmp_path / "other.zip")
    (tmp_path / "none.zip").write_bytes(b"not an archive")
    with pytest.raises(StoreError, match="cannot be written or read"):
        restore(empty.database, tmp_path / "none.zip")
    assert contents(empty) == before


def test_parts_that_the_database_cannot_read_are_an_error(full: Store, empty: Store, tmp_path: Path) -> None:
    backup(full.database, tmp_path / "store.zip", NOON)
    with zipfile.ZipFile(tmp_path / "store.zip") as archive:
        manifest = json.loads(archive.read(MANIFEST))
    manifest["parts"] = dict.fromkeys(manifest["parts"], hashlib.sha256(b"rubbish").hexdigest())
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        for name in manifest["parts"]:
            other.writestr(name, b"rubbish")
        other.writestr(MANIFEST, json.dumps(manifest))
    before = contents(empty)
    with pytest.raises(StoreError, match=r"not a database|signature"):
        restore(empty.database, tmp_path / "other.zip")
    assert contents(empty) == before


def test_compaction_takes_what_is_old_and_closes_what_expired(full: Store) -> None:
    views = [BUY._replace(id=f"v{n}", type=VIEW, time=microseconds(at(n))) for n in (10, 20, 30, 40)]
    full.load(T, history(Profile("c2"), events=[("c2", view) for view in views]))
    full.record(T, [draft(known(full, "c2").version, "d2", "c2")])
    with full.database.begin() as connection:
        for age in (0, 2):
            row = {"caller": "k", "key": f"{age}", "fingerprint": "", "created": microseconds(at(age))}
            connection.execute(insert(idempotency).values(tenant=T, **row))
        row = {"kind": "decision", "body": b"", "created": 0, "due": 0, "attempts": 1}
        connection.execute(insert(outbox).values(tenant=T, id="delivered", delivered=microseconds(at(40)), **row))
        connection.execute(insert(outbox).values(tenant=T, id="refused", refused="no", **row))
        connection.execute(insert(outbox).values(tenant=T, id="waiting", **row))
    done: list[tuple[int, int]] = []
    keep = Keep({"view": Need(timedelta(days=10), first=1, last=1)}, inputs=timedelta(days=1))
    later = NOON + 2 * DAY
    assert compact(full.database, T, keep, later, lambda *n: done.append(n)) == Compacted(
        events=2, reservations=1, inputs=2, answers=2, records=2, messages=0, merges=0, silences=0
    )
    assert done == [(2, 2)]
    assert [event[8] for event in known(full, "c2").events] == ["v40", "v10"]
    assert [event[8] for event in known(full).events] == ["e1"]
    assert [(contact.id, status) for _, status, contact in full.ledger(T)] == [("d1", "sent"), ("d2", "expired")]
    assert [stored.inputs for stored in full.decision_log(T)] == [None, None]
    with full.database.read() as connection:
        assert sorted(connection.scalars(select(outbox.c.id))) == ["d1", "waiting"]
    assert compact(full.database, T, keep, later) == Compacted(0, 0, 0, 0, 0, 0, 0, 0)
    shrink(full.database)
    assert full.set_status(T, "c2", "d2", "sent")


def test_silences_age_out_and_messages_stay(full: Store) -> None:
    full.load(T, history(Profile("c3")))
    silence = draft(known(full, "c3").version, "quiet", "c3")
    nothing = replace(silence, decision=replace(silence.decision, choice=None), reservation=None, notify=None)
    full.record(T, [nothing])
    keep = Keep({}, inputs=99 * DAY, silences=3 * DAY)
    assert compact(full.database, T, keep, NOON + 2 * DAY).silences == 0
    assert compact(full.database, T, keep, NOON + 4 * DAY).silences == 1
    assert [stored.id for stored in full.decision_log(T)] == ["d1"]


def test_compaction_touches_one_tenant(full: Store) -> None:
    full.load("market", history(events=[("c1", BUY._replace(type=VIEW))]))
    before = contents(full)
    none = Keep({name: Need(timedelta()) for name in EVENT_TYPES}, *[timedelta()] * 6)
    compact(full.database, "another", none, NOON + 99 * DAY)
    assert contents(full) == before


MOMENTS = st.integers(0, 900).map(lambda days: microseconds(at(days)))
EVENTS = st.lists(st.tuples(MOMENTS, st.sampled_from(range(len(EVENT_TYPES)))), max_size=40)


BOUNDED = FeatureSet(
    tuple(
        feature
        for feature in STANDARD.features
        if isinstance(feature, Feature)
        and all(need.span is not None for need in needs_of(FeatureSet((feature,))).values())
    )
)
"""Those that do not look at a whole history."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, later=st.integers(0, 200))
def test_no_feature_misses_what_compaction_took(tmp_path: Path, events: list[tuple[int, int]], later: int) -> None:
    assert {"days_since_purchase_5", "days_since_visit", "days_since_first_event"} < set(BOUNDED.names)
    told = [BUY._replace(id=f"e{n}", time=time, type=kind) for n, (time, kind) in enumerate(events)]
    store, tenant = SqliteStore(tmp_path / "store.db"), uuid.uuid4().hex
    store.load(tenant, history(events=[("c1", event) for event in told]))
    before = features_of(store, tenant, NOON + later * DAY)
    compact(store.database, tenant, Keep(needs_of(BOUNDED)), NOON)
    np.testing.assert_array_equal(features_of(store, tenant, NOON + later * DAY), before)
    store.close()


def features_of(store: Store, tenant: str, moment: datetime) -> NDArray[np.float64]:
    """The bounded features of customer c1 at a moment."""
    events = known(store, moment=moment, tenant=tenant).events
    columns = list(zip(*events, strict=True)) or [()] * 7
    told = history_of("UTC", columns[0], columns[1], amount=columns[3], discount=columns[4], quantity=columns[5])
    return build_one(told, moment, compile_features(BOUNDED))
