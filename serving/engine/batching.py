"""The batcher of decisions: one thread that decides for all waiting requests, one of each customer at a time.

Requests that arrive while a batch is decided wait for the next, so under load one scoring call and one durable commit
serve many, and the event loop in front of it is never held up by the disk or by another writer's lock. A group's
answers go back to the loop together.
"""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tactful.serving.engine.drafts import DecisionCommand, DecisionResult
from tactful.serving.engine.fair_queue import FairQueue
from tactful.serving.engine.service import DecisionService, Outcome
from tactful.serving.errors import NotReadyError
from tactful.serving.telemetry import tracing

LARGEST_GROUP = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """Somebody who asked; `work` is what the asking is part of."""

    service: DecisionService
    command: DecisionCommand
    work: Any
    answer: "asyncio.Future[DecisionResult]"


class DecisionBatcher:
    """Decides for any tenant on a thread of its own; created, called and closed on one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting = FairQueue[_Waiting]()
        self._closed = False
        self._began: float | None = None
        self._thread = threading.Thread(target=self._serve, name="decisions", daemon=True)
        self._thread.start()

    def submit(self, service: DecisionService, command: DecisionCommand) -> "asyncio.Future[DecisionResult]":
        """Ask for a decision; the errors of `DecisionService.decide` come with the future."""
        future: asyncio.Future[DecisionResult] = self._loop.create_future()
        if self._closed:
            future.set_exception(NotReadyError("the service is stopping"))
        else:
            self._waiting.put(service, command.customer, _Waiting(service, command, tracing.here(), future))
        return future

    @property
    def busy(self) -> float:
        """Seconds since the group that is being answered was begun; 0 where none is."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    def close(self) -> None:
        """Answer everybody who waits, then stop."""
        self._closed = True
        self._waiting.close()
        self._thread.join()

    def _serve(self) -> None:
        while group := self._waiting.take(LARGEST_GROUP):
            for service, batch in _by_service(group).items():
                self._answer(service, [waiting for waiting in batch if not waiting.answer.cancelled()])

    def _answer(self, service: DecisionService, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        self._began = time.monotonic()
        try:
            outcomes = service.decide_many([waiting.command for waiting in batch], [waiting.work for waiting in batch])
        except Exception as error:
            outcomes = [error] * len(batch)
        self._began = None
        self._loop.call_soon_threadsafe(_tell, batch, outcomes)


def _by_service(asked: Sequence[_Waiting]) -> dict[DecisionService, list[_Waiting]]:
    parties: dict[DecisionService, list[_Waiting]] = defaultdict(list)
    for waiting in asked:
        parties[waiting.service].append(waiting)
    return parties


def _tell(batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if waiting.answer.done():
            continue
        if isinstance(outcome, Exception):
            waiting.answer.set_exception(outcome)
        else:
            waiting.answer.set_result(outcome)
