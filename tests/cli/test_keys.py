"""Keys from the command line: shown once, listed without their secret, revoked."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tactful.serving.bootstrap import open_store
from tactful.serving.errors import SettingsError
from tactful.serving.settings import Settings
from tactful.serving.store.queries import keys
from tests.cli.shopfront import tactful, words


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A folder whose store is made when it is first used."""
    return str(tmp_path)


def created(data: str, *options: str) -> dict[str, object]:
    result = tactful("keys", "create", "checkout", "--scope", "decide", "--data", data, "--json", *options)
    assert result.exit_code == 0, result.output
    told: dict[str, object] = json.loads(result.stdout)
    return told


def test_a_key_is_shown_once_and_opens_the_door(data: str) -> None:
    told = created(data, "--scope", "read", "--rate", "50", "--tenant", "shop")
    assert (told["scopes"], told["rate"], told["tenant"], told["revoked"]) == (["decide", "read"], 50.0, "shop", None)
    id_, secret = keys.parts(str(told["key"])) or ("", "")
    store = open_store(Settings.of(Path(data)).store)
    kept = keys.find(store.database, id_)
    store.close()
    assert kept is not None
    assert (kept.tenant, kept.name) == ("shop", "checkout")
    assert kept.opened_by(secret)
    assert datetime.now(UTC) >= kept.created
    assert secret not in tactful("keys", "list", "--data", data, "--tenant", "shop").output


def test_for_people_the_key_stands_alone_on_its_line(data: str) -> None:
    result = tactful("keys", "create", "checkout", "--scope", "decide", "--data", data)
    assert keys.parts(result.stdout.strip()) is not None
    assert result.stderr == "Shown this once. It may decide for default.\n"


def test_keys_are_listed_and_revoked(data: str) -> None:
    first, second = created(data), created(data)
    revoked = tactful("keys", "revoke", str(first["id"]), "--data", data)
    assert revoked.stdout == f"{first['id']} is revoked.\n"
    listed = json.loads(tactful("keys", "list", "--data", data, "--json").stdout)["keys"]
    assert {key["id"]: key["revoked"] is None for key in listed} == {first["id"]: False, second["id"]: True}
    assert "key" not in listed[0]
    table = words(tactful("keys", "list", "--data", data).stdout)
    assert f"{second['id']} checkout decide" in table
    other = tactful("keys", "list", "--data", data, "--tenant", "other", "--json")
    assert json.loads(other.stdout) == {"keys": []}


def test_a_key_for_a_page_may_track_and_nothing_else(data: str) -> None:
    told = json.loads(tactful("keys", "create", "page", "--browser", "--data", data, "--json").stdout)
    assert told["scopes"] == ["track"]


def test_a_key_that_is_rotated_is_taken_for_a_while_yet(data: str) -> None:
    old = created(data, "--lasts", "90d")
    rotated = json.loads(tactful("keys", "rotate", str(old["id"]), "--overlap", "1d", "--data", data, "--json").stdout)
    assert (rotated["scopes"], rotated["name"]) == (old["scopes"], old["name"])
    listed = json.loads(tactful("keys", "list", "--data", data, "--json").stdout)["keys"]
    ends = {key["id"]: datetime.fromisoformat(key["expires"]) - datetime.now(UTC) for key in listed}
    assert round(ends[str(old["id"])] / timedelta(days=1)) == 1
    assert round(ends[rotated["id"]] / timedelta(days=1)) == 90
    for line in (["rotate", "0" * 16], ["rotate", str(old["id"]), "--overlap", "soon"]):
        assert isinstance(tactful("keys", *line, "--data", data).exception, SettingsError)


def test_what_cannot_be_is_said(data: str) -> None:
    wrong = tactful("keys", "create", "checkout", "--scope", "everything", "--data", data)
    assert isinstance(wrong.exception, SettingsError)
    wanted = "wanted decide, ingest, track, content, read, merge, admin"
    assert str(wrong.exception) == f"no such scope: got 'everything'; {wanted}"
    none = tactful("keys", "create", "checkout", "--data", data)
    assert str(none.exception) == f"no such scope: got 'none'; {wanted}"
    gone = tactful("keys", "revoke", "0" * 16, "--data", data)
    assert isinstance(gone.exception, SettingsError)
    id_ = str(created(data)["id"])
    foreign = tactful("keys", "revoke", id_, "--data", data, "--tenant", "other")
    assert isinstance(foreign.exception, SettingsError), "a tenant revokes its own keys alone"


def test_a_folder_that_is_not_there_gets_no_store_of_its_own(data: str) -> None:
    nowhere = Path(data) / "mistyped"
    refused = tactful("keys", "create", "checkout", "--scope", "decide", "--data", str(nowhere))
    assert isinstance(refused.exception, SettingsError)
    assert not nowhere.exists()
