"""Customers from the command line: exported, erased, merged and separated, by ids of any characters."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tactful.features.events.dataset import read_events, write_events
from tactful.serving.bootstrap import open_store
from tactful.serving.errors import NotMergedError, UnknownCustomerError
from tactful.serving.settings import Settings
from tactful.serving.store.port import Arrival, History, Profile, Store
from tests.cli.shopfront import tactful
from tests.contracts.stores import BUY
from tests.features.histories import frame

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
ID = "7/export?x=%2F#"
EVENT = {"time": pd.Timestamp("2026-03-01", tz="UTC"), "type": "purchase", "channel": "store"}
NUMBERS = dict.fromkeys(("amount", "discount", "quantity", "categories"), 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of two tenants with a customer of the same id each."""
    for folder in (tmp_path, tmp_path / "tenants" / "other"):
        table = frame([EVENT | NUMBERS | {"customer_id": name} for name in (ID, "c2")])
        write_events(table, folder / "events", zone="UTC", buckets=2)
    for store in opened(tmp_path):
        for tenant in ("default", "other"):
            store.load(tenant, History("UTC", NOW, [Profile(ID, attributes={"name": "Ada"})]))
        ties = [Arrival(f"i{n}", ID, BUY._replace(id=f"e{n}"), alias=f"a{n}", is_user=True) for n in range(3)]
        store.ingest("default", ties, NOW)
    return tmp_path


def opened(data: Path) -> Iterator[Store]:
    store = open_store(Settings.of(data).store)
    yield store
    store.close()


def run(data: Path, *words: str) -> dict[str, object]:
    result = tactful("customers", *words, "--data", str(data))
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_a_customer_is_exported_and_erased_of_its_own_tenant_alone(data: Path) -> None:
    assert run(data, "export", ID)["attributes"] == {"name": "Ada"}
    erased = run(data, "erase", ID, "--json", "--tenant", "other")
    assert erased == {"ids": [ID], "decisions": 0, "log_emptied": True}
    assert read_events(data / "events")["customer_id"].tolist().count(ID) == 1
    assert read_events(data / "tenants" / "other" / "events")["customer_id"].tolist() == ["c2"]
    assert run(data, "export", ID)["attributes"] == {"name": "Ada"}
    with pytest.raises(UnknownCustomerError):
        raise tactful("customers", "export", ID, "--tenant", "other", "--data", str(data)).exception or AssertionError


def test_merges_are_listed_and_undone(data: Path) -> None:
    found = run(data, "merges", ID, "--json")["merges"]
    assert isinstance(found, list)
    assert sorted(one["alias"] for one in found) == ["a0", "a1", "a2"]
    assert run(data, "unmerge", "a1", "--json")["undone"] == [
        {"alias": "a1", "customer": ID, "names": ["a1"], "id": next(one["id"] for one in found if one["alias"] == "a1")}
    ]
    shown = tactful("customers", "unmerge", "--all", ID, "--data", str(data))
    assert shown.exit_code == 0
    assert "a0" in shown.output
    assert "a2" in shown.output
    for store in opened(data):
        assert store.customer_ids("default") == [ID, "a0", "a1", "a2"]
    again = tactful("customers", "unmerge", "a1", "--data", str(data))
    assert isinstance(again.exception, NotMergedError)
