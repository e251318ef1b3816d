"""The store from the command line: looked over, compacted, copied, restored, migrated."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tactful.features.errors import TactfulError
from tactful.serving.errors import StoreError
from tactful.serving.store.schema import metadata
from tests.cli.shopfront import CUSTOMERS, opened, tactful, words


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has decided; nobody writes to it."""
    return opened(tmp_path_factory.mktemp("cli") / "shop")


@pytest.fixture
def data(furnished: Path, tmp_path: Path) -> Path:
    """A copy of its folder."""
    return Path(shutil.copytree(furnished, tmp_path / "shop"))


def told(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
    result = tactful("store", *arguments, "--json")
    assert result.exit_code == exit_code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_clean_store_says_so(data: Path) -> None:
    found = told("check", "--data", str(data))
    assert (found["decisions"], found["findings"]) == (len(CUSTOMERS), [])
    assert found["caps"] > 0
    assert words(tactful("store", "check", "--data", str(data)).stdout).endswith("Nothing is wrong.")


def test_a_store_that_lacks_a_contact_is_not_clean(data: Path) -> None:
    with sqlite3.connect(data / "tactful.db") as connection:
        connection.execute("DELETE FROM ledger WHERE id = 'd-leaver'")
    connection.close()
    found = told("check", "--data", str(data), exit_code=1)
    lost = {"kind": "ledger", "where": "d-leaver", "what": "no contact, though a message was decided"}
    assert found["findings"] == [lost]
    result = tactful("store", "check", "--data", str(data))
    assert result.exit_code == 1
    assert "ledger d-leaver no contact, though a message was decided" in words(result.stdout)


def test_a_restored_store_gives_the_same_answers(data: Path, tmp_path: Path) -> None:
    archive = str(tmp_path / "store.zip")
    made = told("backup", archive, "--data", str(data))
    assert made["rows"]["decisions"] == len(CUSTOMERS)
    before = tactful("explain", "d-leaver", "--data", str(data), "--json").stdout
    assert before
    for file in data.glob("tactful.db*"):
        file.unlink()
    assert told("restore", archive, "--data", str(data)) == made
    assert tactful("explain", "d-leaver", "--data", str(data), "--json").stdout == before
    again = tactful("store", "restore", archive, "--data", str(data))
    assert isinstance(again.exception, StoreError)
    assert "holds something already" in str(again.exception)
    assert f"decisions {len(CUSTOMERS)}" in words(tactful("store", "backup", archive, "--data", str(data)).stdout)


def test_compaction_leaves_what_the_models_and_the_catalogue_look_at(data: Path) -> None:
    taken = told("compact", "--data", str(data), "--inputs", "1m", "--vacuum")
    assert taken == {
        "answers": 0,
        "events": 0,
        "inputs": 0,
        "merges": 0,
        "messages": 0,
        "records": 0,
        "reservations": 0,
        "silences": 0,
    }
    assert told("check", "--data", str(data))["findings"] == []
    assert "events 0" in words(tactful("store", "compact", "--data", str(data)).stdout)


def test_a_new_store_is_migrated_to_the_present_schema(tmp_path: Path) -> None:
    schema = told("migrate", "--data", str(tmp_path))["schema"]
    assert tactful("store", "migrate", "--data", str(tmp_path)).stdout == f"The store has schema {schema}.\n"
    with sqlite3.connect(tmp_path / "tactful.db") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert metadata.tables.keys() < names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "--data", "nowhere"), "no such folder: got 'nowhere'"),
        (("compact", "--events", "soon"), "not a span: got 'soon'"),
    ],
)
def test_what_cannot_be_is_an_error(data: Path, arguments: tuple[str, ...], message: str) -> None:
    given = arguments if "--data" in arguments else (*arguments, "--data", str(data))
    result = tactful("store", *given)
    assert isinstance(result.exception, TactfulError)
    assert message in str(result.exception)
