"""API keys: made, found, revoked, and never kept as they read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tactful.serving.bootstrap import open_store
from tactful.serving.store.database import Database
from tactful.serving.store.queries import keys

NOW = datetime(2026, 5, 6, tzinfo=UTC)
LATER = datetime(2026, 5, 7, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgres"])
def keyed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of either kind."""
    embedded = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(embedded if request.param == "sqlite" else request.getfixturevalue("database"))
    yield store.database
    store.close()


def test_a_key_is_found_by_its_id_and_opened_by_its_secret(keyed: Database) -> None:
    key, sent = keys.create(keyed, "t", "checkout", ["read", "decide"], 2.5, NOW)
    id_, secret = keys.parts(sent) or ("", "")
    found = keys.find(keyed, id_)
    assert found == key
    assert (found.tenant, found.name, found.scopes, found.rate) == ("t", "checkout", {"read", "decide"}, 2.5)
    assert (found.created, found.revoked) == (NOW, None)
    assert found.opened_by(secret)
    assert not found.opened_by("0" * 48)


def test_a_revoked_key_opens_nothing_and_is_listed_still(keyed: Database) -> None:
    key, sent = keys.create(keyed, "t", "checkout", ["read"], None, NOW)
    _, secret = keys.parts(sent) or ("", "")
    assert not keys.revoke(keyed, "other", key.id, LATER)
    assert keys.revoke(keyed, "t", key.id, LATER)
    assert not keys.revoke(keyed, "t", key.id, LATER)
    (listed,) = keys.every(keyed, "t")
    assert listed.revoked == LATER
    assert not listed.opened_by(secret)


def test_a_key_expires_and_a_rotated_one_is_taken_for_a_while_yet(keyed: Database) -> None:
    old, _ = keys.create(keyed, "t", "page", ["track"], 5.0, NOW, NOW + 90 * DAY)
    assert not old.has_expired(NOW + 90 * DAY - timedelta(seconds=1))
    assert old.has_expired(NOW + 90 * DAY)
    assert keys.rotate(keyed, "other", old.id, DAY, LATER) is None
    new, sent = keys.rotate(keyed, "t", old.id, DAY, LATER) or (old, "")
    assert keys.parts(sent) is not None
    assert (new.name, new.scopes, new.rate, new.family) == ("page", {"track"}, 5.0, old.id)
    assert (new.created, new.expires) == (LATER, LATER + 90 * DAY)
    found = [keys.find(keyed, each.id) for each in (old, new)]
    assert [one and one.expires for one in found] == [LATER + DAY, LATER + 90 * DAY]
    assert found[1] == new
    assert keys.rotate(keyed, "t", old.id, DAY, LATER + DAY) is None
    third, _ = keys.rotate(keyed, "t", new.id, 400 * DAY, LATER + DAY) or (old, "")
    assert third.family == old.id
    replaced = keys.find(keyed, new.id)
    assert replaced is not None
    assert replaced.expires == LATER + 90 * DAY, "a rotation makes no key last longer"


def test_the_last_use_of_a_key_is_kept(keyed: Database) -> None:
    key, _ = keys.create(keyed, "t", "k", ["read"], None, NOW)
    assert key.used is None
    keys.touch(keyed, key.id, LATER)
    (listed,) = keys.every(keyed, "t")
    assert listed.used == LATER


def test_a_tenant_sees_its_own_keys_the_oldest_first(keyed: Database) -> None:
    second = keys.create(keyed, "t", "b", ["read"], None, LATER)[0]
    first = keys.create(keyed, "t", "a", ["read"], None, NOW)[0]
    keys.create(keyed, "other", "c", ["read"], None, NOW)
    assert keys.every(keyed, "t") == [first, second]
    assert keys.find(keyed, "0" * 16) is None


def test_secrets_differ_and_are_kept_nowhere(keyed: Database, tmp_path: Path) -> None:
    sent = {keys.create(keyed, "t", "k", ["read"], None, NOW)[1] for _ in range(20)}
    secrets = {(keys.parts(one) or ("", ""))[1] for one in sent}
    assert len(secrets) == 20
    assert all(len(bytes.fromhex(secret)) == 24 for secret in secrets)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(secret.encode() in kept for secret in secrets)


@pytest.mark.parametrize(
    "sent", ["", "tactful", "tactful_0_1", f"tactful_{'0' * 16}_{'0' * 47}", f" tactful_{'0' * 16}_{'0' * 48}"]
)
def test_what_does_not_read_like_a_key_has_no_parts(sent: str) -> None:
    assert keys.parts(sent) is None


def test_a_key_told_in_a_log_does_not_tell_its_digest() -> None:
    key = keys.ApiKey("t", "k", "n", frozenset(), None, NOW, digest="d" * 64)
    assert "d" * 64 not in repr(key)
