"""Who is erased is gone from the store and from the partitions of events beside it."""

from pathlib import Path

import pandas as pd

from tactful.features.events.dataset import read_events, write_events
from tactful.serving.engine.records.erase import erase_person
from tactful.serving.store.port import Arrival
from tactful.serving.store.sqlite.store import SqliteStore
from tests.contracts.stores import BUY, T, history
from tests.decisions.retailer import NOON
from tests.features.histories import frame

EVENT = {"time": pd.Timestamp("2026-03-01", tz="UTC"), "type": "purchase", "channel": "store"}
NUMBERS = dict.fromkeys(("amount", "discount", "quantity", "categories"), 0)


def test_an_erased_person_is_gone_from_the_partitions_by_every_name(tmp_path: Path) -> None:
    table = frame([EVENT | NUMBERS | {"customer_id": name} for name in ("c1", "device", "c2")])
    write_events(table, tmp_path / "events", zone="UTC", buckets=2)
    store = SqliteStore(tmp_path / "store.db")
    store.load(T, history())
    store.ingest(T, [Arrival("i1", "c1", BUY._replace(id="i1"), alias="device")], NOON)
    assert erase_person(store, T, "device", NOON, tmp_path / "events").names == ("c1", "device")
    assert read_events(tmp_path / "events")["customer_id"].tolist() == ["c2"]
    assert store.customer_ids(T) == []
    store.close()


def test_where_there_are_no_partitions_the_store_is_enough(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.load(T, history())
    for folder in (None, tmp_path / "events"):
        assert erase_person(store, T, "c1", NOON, folder).names == ("c1",)
    assert store.customer_ids(T) == []
    store.close()
