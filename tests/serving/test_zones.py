"""One log goes both ways, by an import and by the tracking API, and gives the same features, bit for bit."""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tactful.features.build import build_dataset_pairs
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset, erase, open_events, write_events
from tactful.features.importing.importer import Imported, import_log
from tactful.features.importing.yaml import parse_mapping
from tactful.features.timestamps import AHEAD, local_days
from tactful.serving.engine.records.export import export_events
from tactful.serving.engine.service import DecisionService
from tactful.serving.engine.snapshots import snapshot
from tactful.serving.ingestion.loading.history import slices
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.admin.people import zones_of
from tactful.serving.store.sqlite.store import SqliteStore
from tests.patience import PATIENCE
from tests.serving.shop import NOW, ZONE

MAPPING = f"""
zone: {ZONE}
customer: who
customer_zone: zone
time: time
amount: coalesce(revenue, '0')
discount: coalesce(discount, '0')
quantity: coalesce(quantity, '0')
event_id: id
events:
  - {{type: purchase, when: event = 'Order Completed', channel: web}}
  - {{type: refund, when: event = 'Order Refunded', amount: "'-' || revenue", channel: web}}
  - {{type: view, when: event = 'Product Viewed', channel: web}}
  - {{type: cart, when: event = 'Product Added', channel: web}}
"""
ZONES = {
    "honolulu": "Pacific/Honolulu",
    "apia": "Pacific/Apia",
    "kolkata": "Asia/Kolkata",
    "nowhere": "",
    "windows": "W. Europe Standard Time",
}
NAMES = ("Order Completed", "Product Viewed", "Order Completed", "Product Added", "Order Completed", "Order Refunded")


def log() -> list[dict[str, str]]:
    """Events at hours that are different days in different zones, some at weekends."""
    rows = []
    for customer, zone in ZONES.items():
        for number in range(60):
            name = NAMES[number % len(NAMES)]
            money = {"revenue": f"{20 + number * 0.37:.2f}"} if name.startswith("Order") else {}
            saved = {"discount": "1.5"} if number % 4 == 0 and name == "Order Completed" else {}
            moment = NOW - timedelta(days=number * 1.63, hours=number % 24, seconds=number + 1)
            row = {"id": f"{customer}-{number}", "who": customer, "zone": zone, "event": name, "quantity": "1"}
            rows.append({**row, "time": moment.isoformat(), **money, **saved})
    return rows


def imported_log(folder: Path) -> Imported:
    with (folder / "log.csv").open("w", newline="") as file:
        names = ("id", "who", "zone", "event", "time", "quantity", "revenue", "discount")
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(log())
    return import_log(folder / "log.csv", parse_mapping(MAPPING), latest=NOW + AHEAD)


@pytest.fixture
def imported(tmp_path: Path) -> Imported:
    return imported_log(tmp_path)


@pytest.fixture
def dataset(imported: Imported, tmp_path: Path) -> EventDataset:
    return write_events(imported.events, tmp_path / "events", zone=imported.zone, zones=imported.zones, buckets=2)


def message(row: dict[str, str]) -> dict[str, Any]:
    properties = {name: float(row[name]) for name in ("revenue", "discount", "quantity") if name in row}
    return {
        "type": "track", "messageId": row["id"], "userId": row["who"], "event": row["event"],
        "timestamp": row["time"], "properties": {"channel": "web", **properties},
    }  # fmt: skip


def identify(customer: str, zone: str) -> dict[str, Any]:
    return {"type": "identify", "messageId": f"i-{customer}", "userId": customer, "context": {"timezone": zone}}


def test_an_imported_log_and_a_tracked_one_have_the_same_features(
    dataset: EventDataset, service: DecisionService, shop: Settings, tmp_path: Path
) -> None:
    with running(service) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        batches = [[identify(customer, zone) for customer, zone in ZONES.items()]]
        batches += [[message(row) for row in log() if row["who"] == customer] for customer in ZONES]
        for batch in batches:
            assert client.post("/v1/batch", json={"batch": batch}).status_code == 200
    customers = sorted(ZONES)
    for moment in (NOW, NOW - timedelta(days=3, hours=5)):
        trained = build_dataset_pairs(dataset, customers, [moment] * len(customers), STANDARD)
        found = service.store.customers(service.tenant, [(customer, moment) for customer in customers])
        for known, features in zip(found, trained.values, strict=True):
            assert known is not None
            assert len(known.events) == len([row for row in log() if row["who"] == known.id and _before(row, moment)])
            served = np.array(snapshot(known, moment, service.champions.present()).features[: len(STANDARD)])
            names = [feature.name for feature in STANDARD.features]
            differing = np.flatnonzero(served.view(np.int64) != np.ascontiguousarray(features).view(np.int64))
            assert [names[place] for place in differing] == []
    exported = export_events(service.store, service.tenant, tmp_path / "exported", catalogue=shop.catalogue)
    assert exported.zone == ZONE
    again = build_dataset_pairs(exported, customers, [NOW] * len(customers), STANDARD)
    np.testing.assert_array_equal(again.values, build_dataset_pairs(dataset, customers, [NOW] * 5, STANDARD).values)


def _before(row: dict[str, str], moment: datetime) -> bool:
    return datetime.fromisoformat(row["time"]) < moment


def test_a_loaded_log_has_the_features_that_models_learn_from(
    dataset: EventDataset, service: DecisionService, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "loaded.db")
    for part in slices(dataset, {}):
        store.load("default", part)
    assert zones_of(store.database, "default") == {name: ZONES[name] for name in ("apia", "honolulu", "kolkata")}
    customers = sorted(ZONES)
    trained = build_dataset_pairs(dataset, customers, [NOW] * len(customers), STANDARD)
    for known, features in zip(
        store.customers("default", [(customer, NOW) for customer in customers]), trained.values, strict=True
    ):
        assert known is not None
        served = np.array(snapshot(known, NOW, service.champions.present()).features[: len(STANDARD)])
        np.testing.assert_array_equal(served, features)
    store.close()


def test_days_are_those_of_the_customers_clock(dataset: EventDataset) -> None:
    features = {}
    for number in range(dataset.buckets):
        events = dataset.events(number)
        for place, customer in enumerate(events.customers):
            own = slice(events.starts[place], events.starts[place + 1])
            zone = dataset.all_zones().get(customer, ZONE)
            assert events.day[own].tolist() == local_days(events.time[own], zone).tolist()
            features[customer] = events.day[own].tolist()
    assert len({tuple(days) for days in features.values()}) == 4
    assert features["nowhere"] == features["windows"]


def test_unknown_zones_are_passed_over_and_counted(imported: Imported) -> None:
    assert imported.unknown_zones == {"W. Europe Standard Time": 60}
    assert sorted(imported.zones) == ["apia", "honolulu", "kolkata"]


def test_the_latest_zone_of_a_customer_holds(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "who,zone,time\na,Asia/Tokyo,2026-01-02\na,Europe/Paris,2026-01-03\na,,2026-01-04\na,Asia/Kolkata,2026-01-01\n"
    )
    mapping = parse_mapping("{zone: UTC, customer: who, customer_zone: zone, time: time, events: [{type: view}]}")
    assert import_log(tmp_path / "log.csv", mapping).zones == {"a": "Europe/Paris"}


def test_zones_are_part_of_the_digest_and_go_with_an_erasure(imported: Imported, tmp_path: Path) -> None:
    plain = write_events(imported.events, tmp_path / "plain", zone=ZONE, buckets=2)
    zoned = write_events(imported.events, tmp_path / "zoned", zone=ZONE, zones=imported.zones, buckets=2)
    other = write_events(imported.events, tmp_path / "other", zone=ZONE, zones={"apia": "UTC"}, buckets=2)
    assert len({plain.digest, zoned.digest, other.digest}) == 3
    assert set(erase(zoned, ["apia", "kolkata"]).all_zones()) == {"honolulu"}
    assert open_events(zoned.folder).digest not in (plain.digest, zoned.digest)
    assert erase(zoned, ["honolulu"]).all_zones() == {}
