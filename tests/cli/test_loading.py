"""Customers and events brought into a service's store by commands, and taken out again."""

import json
from pathlib import Path
from typing import Any

import pytest

from tactful.cli.wiring.training import history
from tactful.features.errors import TactfulError
from tactful.features.events.dataset import open_events
from tactful.features.timestamps import EARLIEST
from tactful.serving.bootstrap import open_store
from tactful.serving.settings import Settings
from tests.cli.shopfront import tactful, words
from tests.serving.shop import CATALOGUE, write


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a catalogue and a store that is made when it is first used."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "catalogue.yaml").write_text(CATALOGUE)
    return folder


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return write(tmp_path / "events").folder


def told(*arguments: object) -> dict[str, Any]:
    result = tactful(*map(str, arguments), "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_history_goes_in_and_comes_out_as_it_was(data: Path, events: Path, tmp_path: Path) -> None:
    customers = tmp_path / "customers.csv"
    customers.write_text("customer_id,first_name,consent_email,size\nregular,Ada,true,4\nleaver,Ben,false,5\n")
    found = told("store", "load", "--data", data, "--events", events, "--customers", customers)
    assert found["events"] == sum(open_events(events).rows)
    assert (found["customers"]["rows"], found["undeclared"], found["remarks"]) == (2, ["size"], [])
    exported = told("events", "export", "--data", data, "--out", tmp_path / "out")
    assert exported["digest"] == open_events(events).digest
    assert open_events(tmp_path / "out").digest == exported["digest"]
    with history(None, data) as folder:
        assert open_events(folder).digest == exported["digest"]
    assert not folder.exists()
    again = ("--customers", str(customers), "--as-of", "2026-05-01")
    shown = words(tactful("store", "load", "--data", str(data), *again).output)
    assert "rows of customers 2" in shown
    assert shown.endswith("Kept as text, since the catalogue does not declare them: size.")


def test_customers_alone_have_the_zone_of_the_catalogue(data: Path, tmp_path: Path) -> None:
    customers = tmp_path / "customers.csv"
    customers.write_text("customer_id\nregular\n")
    told("store", "load", "--data", data, "--customers", customers)
    store = open_store(Settings.of(data).store)
    (known,) = store.customers("default", [("regular", Settings.of(data).now or EARLIEST)])
    store.close()
    assert known is not None
    assert known.history_zone == "America/New_York"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "nothing to load: got 'neither --events nor --customers'; wanted one of them, or both"),
        (("--events", "nowhere"), "no event data set: got 'nowhere'"),
        (("--customers", "nowhere.csv"), "cannot read the log: got 'nowhere.csv'"),
    ],
)
def test_what_cannot_be_loaded_is_an_error(data: Path, options: tuple[str, ...], complaint: str) -> None:
    error = tactful("store", "load", "--data", str(data), *options).exception
    assert isinstance(error, TactfulError)
    assert str(error).startswith(complaint)


def test_an_export_replaces_nothing(data: Path, tmp_path: Path) -> None:
    error = tactful("events", "export", "--data", str(data), "--out", str(tmp_path)).exception
    assert str(error).startswith("a folder that is there already")
