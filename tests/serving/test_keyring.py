"""Keys are remembered for a moment and no longer."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tactful.serving.api.access.keyring import MEMORY, MOST_REMEMBERED, NOTED, Keyring
from tactful.serving.errors import StoreError, UnauthenticatedError
from tactful.serving.store.queries.keys import ApiKey

NOW = datetime(2026, 5, 6, tzinfo=UTC)
SECRET = "0" * 48


class Shelf:
    """Keys by id, and how often they were looked for."""

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = {key.id: key for key in keys}
        self.looked = 0

    def find(self, id_: str) -> ApiKey | None:
        self.looked += 1
        return self.keys.get(id_)


def key(id_: str) -> ApiKey:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    return ApiKey("t", id_, "name", frozenset({"read"}), None, NOW, digest=digest)


def sent(number: int) -> str:
    return f"tactful_{number:016x}_{SECRET}"


def test_a_key_is_looked_for_once_in_a_while() -> None:
    shelf, moments = Shelf(key(f"{1:016x}")), [0.0]
    keyring = Keyring(shelf.find, lambda: moments[0])
    for moments[0] in (0.0, MEMORY / 2, MEMORY - 0.01):
        assert asyncio.run(keyring.key(sent(1))).tenant == "t"
    assert shelf.looked == 1
    moments[0] = MEMORY
    asyncio.run(keyring.key(sent(1)))
    assert shelf.looked == 2


def test_a_revoked_key_opens_nothing_once_the_memory_is_over() -> None:
    shelf, moments = Shelf(key(f"{1:016x}")), [0.0]
    keyring = Keyring(shelf.find, lambda: moments[0])
    asyncio.run(keyring.key(sent(1)))
    shelf.keys = {id_: replace(known, revoked=NOW) for id_, known in shelf.keys.items()}
    moments[0] = MEMORY
    with pytest.raises(UnauthenticatedError):
        asyncio.run(keyring.key(sent(1)))


def test_an_expired_key_opens_nothing_at_once() -> None:
    shelf, moment = Shelf(replace(key(f"{1:016x}"), expires=NOW)), [NOW - timedelta(seconds=1)]
    keyring = Keyring(shelf.find, lambda: 0.0, now=lambda: moment[0])
    asyncio.run(keyring.key(sent(1)))
    moment[0] = NOW
    with pytest.raises(UnauthenticatedError, match="a key that has expired"):
        asyncio.run(keyring.key(sent(1)))


def test_the_use_of_a_key_is_noted_once_in_a_while_and_a_store_that_fails_does_no_harm() -> None:
    noted: list[str] = []

    def note(id_: str, when: datetime) -> None:
        noted.append(id_)
        raise StoreError("the store fails")

    async def use(moments: list[float]) -> None:
        now = [0.0]
        keyring = Keyring(Shelf(key(f"{1:016x}")).find, lambda: now[0], note=note)
        for now[0] in moments:
            await keyring.key(sent(1))
            await asyncio.gather(*keyring._notes)

    asyncio.run(use([0.0, 1.0, NOTED - 1, NOTED, NOTED + 1]))
    assert len(noted) == 2


def test_strangers_do_not_fill_the_memory() -> None:
    shelf = Shelf()
    keyring = Keyring(shelf.find, lambda: 0.0)

    async def knock(number: int) -> None:
        with pytest.raises(UnauthenticatedError):
            await keyring.key(sent(number))

    async def all_knock() -> None:
        for number in range(MOST_REMEMBERED + 10):
            await knock(number)

    asyncio.run(all_knock())
    assert len(keyring._remembered) <= MOST_REMEMBERED


def test_nothing_is_opened_while_the_store_fails() -> None:
    def find(_: str) -> ApiKey | None:
        raise StoreError("the store fails")

    with pytest.raises(StoreError):
        asyncio.run(Keyring(find).key(sent(1)))
