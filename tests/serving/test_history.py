"""A data set and profiles become customers, events and past contacts."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tactful.features.events.dataset import EventDataset, write_events
from tactful.features.events.schema import validate
from tactful.serving.ingestion.loading.history import load_history
from tactful.serving.store.port import KnownCustomer, Store
from tactful.serving.store.sqlite.store import SqliteStore
from tests.serving.shop import ALLOWED, NOW, ZONE, ago

ROWS = [
    ("a", 9, "purchase", "store", "", 12.5),
    ("a", 5, "contact", "mail", "spring", 0.0),
    ("a", 1, "redeemed", "", "spring", 0.0),
    ("b", 3, "purchase", "web", "", 7.0),
]


@pytest.fixture
def dataset(tmp_path: Path) -> EventDataset:
    frame = pd.DataFrame(ROWS, columns=["customer_id", "days", "type", "channel", "subject", "amount"])
    frame["time"] = NOW - pd.to_timedelta(frame.pop("days"), unit="D")
    frame["event_id"] = [f"e{i}" for i in range(len(frame))]
    frame["categories"] = [1 << 63, 0, 0, 3]
    return write_events(validate(frame).events, tmp_path / "events", zone=ZONE, buckets=2)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return SqliteStore(tmp_path / "store.db")


def known(store: Store, customer: str) -> KnownCustomer:
    (found,) = store.customers("default", [(customer, NOW)])
    assert found is not None
    return found


def test_events_and_past_contacts_are_loaded(store: Store, dataset: EventDataset) -> None:
    assert load_history(store, "default", dataset, asserted=NOW) == 4
    found = known(store, "a")
    assert [(event[7], event[8]) for event in found.events] == [("", "e0"), ("spring", "e1"), ("spring", "e2")]
    assert found.events[0][6] == -(1 << 63)
    (contact,) = found.contacts or ()
    assert (contact.id, contact.channel, contact.message, contact.time) == ("e1", "mail", "spring", ago(days=5))
    assert [status for _, status, _ in store.ledger("default")] == ["sent"]
    assert (found.history_zone, found.joined) == (ZONE, ago(days=9))


def test_nobody_is_taken_to_consent_unless_told_so(store: Store, dataset: EventDataset) -> None:
    load_history(store, "default", dataset, asserted=NOW)
    assert known(store, "a").consents == {}
    load_history(store, "default", dataset, asserted=NOW, consents=ALLOWED)
    assert known(store, "a").consents == ALLOWED


def test_profiles_are_loaded_with_their_attributes(store: Store, dataset: EventDataset) -> None:
    profiles = pd.DataFrame(
        {
            "customer_id": ["b", "c"],
            "zone": ["Asia/Tokyo", None],
            "joined": [datetime(2020, 1, 1, tzinfo=UTC), None],
            "birthday": [datetime(1990, 5, 6).date(), None],  # noqa: DTZ001 - a day has no zone
            "children": [2.0, float("nan")],
            "name": ["Ben", "Cleo"],
        }
    )
    load_history(store, "default", dataset, asserted=NOW, profiles=profiles)
    assert store.customer_ids("default") == ["a", "b", "c"]
    ben, cleo = known(store, "b"), known(store, "c")
    assert (ben.zone, ben.joined) == ("Asia/Tokyo", datetime(2020, 1, 1, tzinfo=UTC))
    assert ben.attributes == {"birthday": "1990-05-06", "children": 2.0, "name": "Ben"}
    assert (cleo.zone, cleo.joined, cleo.attributes) == (None, None, {"name": "Cleo"})


def test_what_happened_later_is_left_out(store: Store, dataset: EventDataset) -> None:
    assert load_history(store, "default", dataset, asserted=NOW, until=ago(days=3)) == 2
    assert store.customer_ids("default") == ["a"]
    assert len(known(store, "a").events) == 2


def test_loading_again_changes_nothing(store: Store, dataset: EventDataset) -> None:
    load_history(store, "default", dataset, asserted=NOW, consents=ALLOWED)
    before = known(store, "a")
    load_history(store, "default", dataset, asserted=NOW, consents=ALLOWED)
    after = known(store, "a")
    assert (after.events, after.contacts, after.consents) == (before.events, before.contacts, before.consents)
