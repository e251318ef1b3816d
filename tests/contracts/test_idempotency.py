"""A claim, then an answer: on either database, whoever dies meanwhile."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tactful.serving.bootstrap import open_store
from tactful.serving.errors import KeyInFlightError, KeyReusedError
from tactful.serving.store.database import Database
from tactful.serving.store.queries import idempotency
from tactful.serving.store.queries.idempotency import ABANDONED, LIFETIME, Claim, KeptAnswer

NOW = datetime(2026, 5, 6, tzinfo=UTC)
TOLD = KeptAnswer(200, b'{"customer_id":"c1"}', "application/json")


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of either kind."""
    embedded = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(embedded if request.param == "sqlite" else request.getfixturevalue("database"))
    yield store.database
    store.close()


def claim(database: Database, when: datetime = NOW, fingerprint: str = "f", caller: str = "k1") -> Claim | KeptAnswer:
    return idempotency.claim(database, "t", caller, "my key", fingerprint, when)


def claimed(database: Database, when: datetime = NOW) -> Claim:
    made = claim(database, when)
    assert isinstance(made, Claim)
    return made


def test_an_answer_is_told_again(kept: Database) -> None:
    idempotency.keep(kept, claimed(kept), TOLD)
    assert claim(kept) == claim(kept, NOW + LIFETIME - timedelta(seconds=1)) == TOLD


def test_one_of_many_at_once_gets_the_claim(kept: Database) -> None:
    def attempt(_: int) -> bool:
        try:
            return isinstance(claim(kept), Claim)
        except KeyInFlightError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == 1


def test_another_request_under_the_key_is_refused(kept: Database) -> None:
    made = claimed(kept)
    with pytest.raises(KeyReusedError):
        claim(kept, fingerprint="g")
    idempotency.keep(kept, made, TOLD)
    with pytest.raises(KeyReusedError):
        claim(kept, fingerprint="g")


def test_each_caller_has_keys_of_its_own(kept: Database) -> None:
    idempotency.keep(kept, claimed(kept), TOLD)
    assert isinstance(claim(kept, caller="k2", fingerprint="g"), Claim)


def test_what_was_given_up_is_carried_out_by_the_next(kept: Database) -> None:
    idempotency.give_up(kept, claimed(kept))
    assert isinstance(claim(kept, fingerprint="g"), Claim)


def test_the_claim_of_a_dead_process_goes_to_the_next_and_stays_theirs(kept: Database) -> None:
    dead, later = claimed(kept), NOW + ABANDONED
    with pytest.raises(KeyInFlightError):
        claim(kept, later - timedelta(seconds=1))
    heir = claimed(kept, later)
    idempotency.keep(kept, dead, KeptAnswer(200, b"late", None))
    idempotency.give_up(kept, dead)
    with pytest.raises(KeyInFlightError):
        claim(kept, later)
    idempotency.keep(kept, heir, TOLD)
    assert claim(kept, later) == TOLD


def test_an_answer_lives_for_a_day(kept: Database) -> None:
    idempotency.keep(kept, claimed(kept), TOLD)
    assert idempotency.expire(kept, NOW + LIFETIME - timedelta(seconds=1)) == 0
    assert isinstance(claim(kept, NOW + LIFETIME, fingerprint="g"), Claim)
    assert idempotency.expire(kept, NOW + 2 * LIFETIME) == 1


def test_no_key_is_kept_as_it_was_sent(kept: Database) -> None:
    assert claimed(kept).key != "my key"
