"""The batcher of messages: threads that ingest all waiting requests, so that one durable commit serves many."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import chain
from typing import NamedTuple

from tactful.serving.engine.batch_worker import LARGEST_BATCH, BatchWorker
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError, StoreError
from tactful.serving.ingestion.pipeline import IngestPipeline, RawRequest, Receipts

THREADS = 2
"""How many batches are ingested at once, and how many bodies are unfolded."""


class _PendingRequest(NamedTuple):
    service: DecisionService
    request: RawRequest
    result: "Future[Receipts]"


class IngestBatcher:
    """Ingests requests on threads of its own: batches alone, single messages together with others that wait.

    Tenants and senders take turns, so that a flood by one sender delays that sender alone.

    Args:
        pipeline: Receives the requests.
    """

    def __init__(self, pipeline: IngestPipeline) -> None:
        self._pipeline = pipeline
        self._worker = BatchWorker[_PendingRequest](
            "ingestion", self._ingest, _give_up, threads=THREADS, each=LARGEST_BATCH
        )

    def submit(self, service: DecisionService, request: RawRequest) -> "Future[Receipts]":
        """Ingest a request; the errors of `IngestPipeline.receive` come with the future."""
        pending = _PendingRequest(service, request, Future())
        if not self._worker.submit(service, request.source, pending):
            _give_up(pending)
        return pending.result

    def close(self, timeout: float | None = None) -> None:
        """Ingest all requests that wait, then stop; see `BatchWorker.close`."""
        self._worker.close(timeout)

    def _ingest(self, batch: Sequence[_PendingRequest]) -> None:
        for together in _together(batch):
            self._receive([pending for pending in together if pending.result.set_running_or_notify_cancel()])

    def _receive(self, batch: Sequence[_PendingRequest]) -> None:
        """Messages that cannot be stored together are stored one by one, unless the store itself fails."""
        if not batch:
            return
        try:
            receipts = self._pipeline.receive(batch[0].service, [pending.request for pending in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, StoreError):
                for pending in batch:
                    self._receive([pending])
                return
            for pending in batch:
                pending.result.set_exception(error)
            return
        for pending, one in zip(batch, receipts, strict=True):
            pending.result.set_result(one)


def _together(batch: Sequence[_PendingRequest]) -> Iterator[list[_PendingRequest]]:
    """Single messages by tenant; each batch alone, so that one thread unfolds one body at a time."""
    singles: dict[DecisionService, list[_PendingRequest]] = defaultdict(list)
    for pending in batch:
        if pending.request.call is not None:
            singles[pending.service].append(pending)
    return chain(singles.values(), ([pending] for pending in batch if pending.request.call is None))


def _give_up(pending: _PendingRequest) -> None:
    pending.result.set_exception(NotReadyError("the service is stopping"))
