"""`tactful audit` lists what operators did, and finds the first row that somebody changed."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tactful.serving.settings import Settings
from tactful.serving.store.opening import SQLITE
from tests.cli.shopfront import tactful


def answered(*command: str) -> Any:
    """The JSON that a command prints."""
    result = tactful(*command, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def file_of(service: Path) -> str:
    """The store's file."""
    return Settings.of(service).store.removeprefix(SQLITE)


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A folder in whose store two keys were made."""
    for name in ("checkout", "page"):
        answered("keys", "create", name, "--scope", "read", "--data", str(tmp_path))
    return tmp_path


def test_the_actions_of_operators_are_listed(service: Path) -> None:
    actions = answered("audit", "list", "--data", str(service))["actions"]
    assert [(row["number"], row["action"]) for row in actions] == [(2, "key created"), (1, "key created")]
    assert all(row["actor"].startswith("cli:") for row in actions)


def test_a_whole_record_is_verified_up_to_its_last_digest(service: Path) -> None:
    found = answered("audit", "verify", "--data", str(service))
    assert (found["rows"], found["broken"]) == (2, None)
    assert answered("audit", "verify", "--known", found["head"], "--data", str(service)) == found


def test_a_row_that_was_changed_behind_the_guards_is_named_and_exits_with_1(service: Path) -> None:
    with closing(sqlite3.connect(file_of(service))) as connection, connection:
        connection.execute("DROP TRIGGER operator_actions_update")
        connection.execute("UPDATE operator_actions SET actor = 'cli:nobody' WHERE number = 2")
    result = tactful("audit", "verify", "--data", str(service))
    assert result.exit_code == 1
    assert result.output.startswith("Row 2 does not hold: its digest is not that of its content.")


def test_rows_that_were_taken_off_the_end_exit_with_1_where_a_digest_is_known(service: Path) -> None:
    head = answered("audit", "verify", "--data", str(service))["head"]
    with closing(sqlite3.connect(file_of(service))) as connection, connection:
        connection.execute("DROP TRIGGER operator_actions_delete")
        connection.execute("DELETE FROM operator_actions WHERE number = 2")
    result = tactful("audit", "verify", "--known", head, "--data", str(service))
    assert result.exit_code == 1
    assert "rows were taken off the end" in result.output
