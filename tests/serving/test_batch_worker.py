"""A worker that stops in time: what waits is done or given up, and a batch that hangs holds nobody."""

import threading

from tactful.serving.engine.batch_worker import BatchWorker


def test_a_worker_that_is_closed_has_done_all_that_waited() -> None:
    done: list[int] = []
    worker = BatchWorker[int]("tested", done.extend, lambda _: None)
    for number in range(200):
        assert worker.submit("tenant", number % 7, number)
    worker.close()
    assert sorted(done) == list(range(200))
    assert not worker.submit("tenant", 0, 200)


def test_a_batch_that_hangs_does_not_keep_the_worker_from_closing() -> None:
    begun, freed, given_up = threading.Event(), threading.Event(), list[int]()

    def hang(_: list[int]) -> None:
        begun.set()
        freed.wait()

    worker = BatchWorker[int]("tested", hang, given_up.append)
    worker.submit("tenant", "lane", 0)
    begun.wait()
    for number in range(1, 4):
        worker.submit("tenant", "lane", number)
    assert worker.busy > 0
    worker.close(timeout=0.1)
    assert given_up == [1, 2, 3]
    freed.set()


def test_a_batch_holds_so_many_of_a_lane() -> None:
    batches: list[list[int]] = []
    gate = threading.Event()

    def note(batch: list[int]) -> None:
        gate.wait()
        batches.append(batch)

    worker = BatchWorker[int]("tested", note, lambda _: None, each=2)
    for number in range(6):
        worker.submit("tenant", "hot", number)
    worker.submit("tenant", "other", 9)
    gate.set()
    worker.close()
    assert sorted(item for batch in batches for item in batch) == [0, 1, 2, 3, 4, 5, 9]
    assert all(sum(item < 9 for item in batch) <= 2 for batch in batches)
