"""The batcher of messages: threads that ingest all waiting requests, so that one durable commit serves many."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import chain
from queue import Empty, SimpleQueue

from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError, StoreError
from tactful.serving.ingestion.pipeline import IngestPipeline, RawRequest, Receipts

LARGEST_GROUP = 64
HANDS = 2
"""How many groups are taken in at once, and how many bodies are unfolded."""

_Waiting = tuple[DecisionService, RawRequest, "Future[Receipts]"]


class IngestBatcher:
    """Takes requests in on threads of its own: batches alone, single messages together with others that wait.

    Args:
        pipeline: Receives them.
    """

    def __init__(self, pipeline: IngestPipeline) -> None:
        self._reception = pipeline
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._door = threading.Lock()
        self._closed = False
        self._threads = [threading.Thread(target=self._serve, name="ingestion", daemon=True) for _ in range(HANDS)]
        for thread in self._threads:
            thread.start()

    def submit(self, service: DecisionService, raw_request: RawRequest) -> "Future[Receipts]":
        """Take a request in; the errors of `IngestPipeline.receive` come with the future."""
        future: Future[Receipts] = Future()
        with self._door:
            if self._closed:
                future.set_exception(NotReadyError("the service is stopping"))
            else:
                self._waiting.put((service, raw_request, future))
        return future

    def close(self) -> None:
        """Take in whatever waits, then stop."""
        with self._door:
            self._closed = True
            for _ in self._threads:
                self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while group := self._group():
            asked = [waiting for waiting in group if waiting is not None]
            for batch in _parties(asked):
                self._receive([waiting for waiting in batch if waiting[2].set_running_or_notify_cancel()])
            if len(asked) < len(group):
                return

    def _group(self) -> list[_Waiting | None]:
        """The next to come, and everybody else who is there by then."""
        group = [self._waiting.get()]
        while group[-1] is not None and len(group) < LARGEST_GROUP:
            try:
                group.append(self._waiting.get_nowait())
            except Empty:
                break
        return group

    def _receive(self, batch: Sequence[_Waiting]) -> None:
        """Messages that cannot be stored together are stored one by one, unless the store itself fails."""
        if not batch:
            return
        try:
            receipts = self._reception.receive(batch[0][0], [raw_request for _, raw_request, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, StoreError):
                for waiting in batch:
                    self._receive([waiting])
                return
            for _, _, future in batch:
                future.set_exception(error)
            return
        for (_, _, future), one in zip(batch, receipts, strict=True):
            future.set_result(one)


def _parties(asked: Sequence[_Waiting]) -> Iterator[list[_Waiting]]:
    """Single messages by tenant; each batch alone, so that no two are unfolded by one hand."""
    singles: dict[DecisionService, list[_Waiting]] = defaultdict(list)
    for waiting in asked:
        if waiting[1].call is not None:
            singles[waiting[0]].append(waiting)
    return chain(singles.values(), ([waiting] for waiting in asked if waiting[1].call is None))
