"""What the outbox promises, on either store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain

from tactful.serving.store.port import Arrival, Store, StoredEvent
from tactful.serving.store.queries import outbox
from tactful.serving.store.queries.outbox import Record, Wait
from tests.contracts.stores import T, draft, known
from tests.decisions.retailer import NOON

LEASE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)


def written(store: Store, count: int = 1) -> None:
    """Wakes of so many events."""
    events = [StoredEvent(number, 0, 0, 1.0, 0.0, 0.0, 0, "", f"m{number}") for number in range(count)]
    store.ingest(T, [Arrival(event.id, "c1", event=event, wake=event.id.encode()) for event in events], NOON)


def claim(store: Store, after: timedelta = timedelta(), limit: int = 10, kind: str = "event") -> list[Record]:
    return outbox.claim(store.database, kind, NOON + after, LEASE, limit)


def test_a_record_is_written_with_what_it_tells_of(store: Store) -> None:
    written(store)
    written(store)
    (record,) = claim(store)
    assert record == Record(T, "m0", "event", b"m0", 1)
    store.record(T, [draft(known(store).version)])
    assert claim(store, kind="decision") == []


def test_a_claim_is_its_holders_until_it_runs_out(store: Store) -> None:
    written(store)
    assert len(claim(store)) == 1
    assert claim(store, LEASE - SECOND) == []
    assert [record.attempts for record in claim(store, LEASE)] == [2]


def test_what_is_done_or_refused_is_not_claimed_again_and_forgets_what_it_bore(store: Store) -> None:
    written(store, 2)
    first, second = claim(store)
    assert outbox.done(store.database, [first], NOON)
    assert outbox.refuse(store.database, second, "nobody there")
    assert not outbox.done(store.database, [second], NOON)
    assert not outbox.postpone(store.database, [Wait(first, NOON)])
    assert claim(store, 2 * LEASE) == []
    assert outbox.census(store.database) == {"waiting": 0, "delivered": 1, "refused": 1}


def test_what_is_postponed_comes_back_when_it_is_due(store: Store) -> None:
    written(store)
    (record,) = claim(store)
    assert outbox.postpone(store.database, [Wait(record, NOON + 9 * SECOND, b"rest")])
    assert claim(store, 8 * SECOND) == []
    (again,) = claim(store, 9 * SECOND)
    assert (again.body, again.attempts) == (b"rest", 1)


def test_who_lost_the_claim_postpones_nothing(store: Store) -> None:
    written(store)
    (slow,) = claim(store)
    (quick,) = claim(store, LEASE)
    assert not outbox.postpone(store.database, [Wait(slow, NOON + 9 * LEASE)])
    assert outbox.postpone(store.database, [Wait(quick, NOON + LEASE)])
    assert outbox.done(store.database, [slow], NOON), "what was done is done, whoever did it"


def test_many_who_claim_at_once_get_each_record_once(store: Store) -> None:
    written(store, 60)
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda _: claim(store, limit=5), range(24)))
    assert sorted(record.id for record in chain(*claimed)) == sorted(f"m{number}" for number in range(60))
