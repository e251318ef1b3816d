"""A catalogue is put in force, read, listed and tried by commands, on the store of a service."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tactful.serving.errors import CatalogueMovedError
from tactful.serving.settings import Settings
from tests.cli.shopfront import opened, tactful, words
from tests.serving.shop import CATALOGUE, furnish, service_of

OTHER = CATALOGUE.replace("value: 5\n", "value: 0\n").replace("value: 4\n", "value: 0\n")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has decided; nobody writes to it."""
    return opened(tmp_path_factory.mktemp("cli") / "shop")


@pytest.fixture
def data(furnished: Path, tmp_path: Path) -> Path:
    """A copy of its folder."""
    return Path(shutil.copytree(furnished, tmp_path / "shop"))


def file(folder: Path, text: str) -> str:
    written = folder / "other.yaml"
    written.write_text(text)
    return str(written)


def told(*arguments: str) -> dict[str, Any]:
    result = tactful("catalogue", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_what_is_put_in_force_decides_and_is_listed(data: Path, tmp_path: Path) -> None:
    where = ("--data", str(data))
    assert tactful("catalogue", "get", *where).stdout == CATALOGUE
    assert words(tactful("catalogue", "history", *where).stdout).startswith("None was put in force yet")
    first = told("put", file(tmp_path, OTHER), *where)
    assert (first["number"], tactful("catalogue", "get", *where).stdout) == (1, OTHER)
    service = service_of(Settings.of(data))
    assert service.decide("thankful", "new").decision.choice is None
    service.store.close()
    again = told("put", file(tmp_path, CATALOGUE), *where, "--replaces", first["digest"])
    assert again["number"] == 2
    listed = told("history", *where)["catalogues"]
    assert [(row["number"], row["in_force"]) for row in listed] == [(2, True), (1, False)]
    assert all(row["by"].startswith("cli:") for row in listed)
    assert tactful("catalogue", "get", *where, "--number", "1").stdout == OTHER


def test_a_catalogue_with_mistakes_changes_nothing(data: Path, tmp_path: Path) -> None:
    wrong = file(tmp_path, CATALOGUE.replace("scores.lapse", "scores.laps"))
    result = tactful("catalogue", "put", wrong, "--data", str(data))
    assert result.exit_code == 1
    assert f"{wrong}:" in result.stderr
    assert "scores.laps" in result.stderr
    assert told("history", "--data", str(data)) == {"catalogues": []}


def test_a_catalogue_that_was_replaced_meanwhile_is_not_replaced(data: Path, tmp_path: Path) -> None:
    result = tactful("catalogue", "put", file(tmp_path, OTHER), "--data", str(data), "--replaces", "0123456789abcdef")
    assert isinstance(result.exception, CatalogueMovedError)


def test_the_first_catalogue_needs_no_file(data: Path, tmp_path: Path) -> None:
    (data / "catalogue.yaml").unlink()
    assert told("put", file(tmp_path, OTHER), "--data", str(data))["number"] == 1
    assert tactful("catalogue", "get", "--data", str(data)).stdout == OTHER


def test_a_catalogue_is_tried_and_nothing_is_written(tmp_path: Path) -> None:
    data = furnish(tmp_path / "undecided").data
    service = service_of(Settings.of(data))
    before = len(list(service.store.decision_log("default"))), len(list(service.store.ledger("default")))
    same = told("try", file(tmp_path, CATALOGUE), "--data", str(data))
    assert (same["customers"], same["changed"], same["failed"]) == (6, 0, {})
    assert same["in_force"] == same["tried"]
    other = told("try", file(tmp_path, OTHER), "--data", str(data))
    assert other["changed"] > 0
    assert other["tried"]["silence"] > other["in_force"].get("silence", 0)
    after = len(list(service.store.decision_log("default"))), len(list(service.store.ledger("default")))
    service.store.close()
    assert after == before
    shown = words(tactful("catalogue", "try", file(tmp_path, OTHER), "--data", str(data), "--customers", "2").stdout)
    assert "Of 2 customers" in shown


def test_a_number_that_there_is_not_is_an_error(data: Path) -> None:
    error = tactful("catalogue", "get", "--data", str(data), "--number", "7").exception
    assert str(error) == "no such catalogue: got 7; wanted one that was put in force"
