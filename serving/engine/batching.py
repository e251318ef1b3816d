"""The batcher of decisions: one thread that decides for all waiting requests, one of each customer at a time.

Requests that arrive while a batch is decided wait for the next, so under load one scoring call and one durable commit
serve many, and the event loop in front of it is never held up by the disk or by another writer's lock. A group's
answers go back to the loop together.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tactful.serving.engine.batch_worker import BatchWorker
from tactful.serving.engine.drafts import DecisionCommand, DecisionResult
from tactful.serving.engine.service import DecisionService, Outcome
from tactful.serving.errors import NotReadyError
from tactful.serving.telemetry import tracing


@dataclass(frozen=True, slots=True, eq=False)
class _PendingCommand:
    """A command that waits for its result; `trace` is the trace that it is part of."""

    service: DecisionService
    command: DecisionCommand
    trace: Any
    result: "asyncio.Future[DecisionResult]"


class DecisionBatcher:
    """Decides for any tenant on a thread of its own; created, called and closed on one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._worker = BatchWorker[_PendingCommand]("decisions", self._decide, self._give_up)

    def submit(self, service: DecisionService, command: DecisionCommand) -> "asyncio.Future[DecisionResult]":
        """Ask for a decision; the errors of `DecisionService.decide` come with the future."""
        pending = _PendingCommand(service, command, tracing.here(), self._loop.create_future())
        if not self._worker.submit(service, command.customer, pending):
            pending.result.set_exception(_stopping())
        return pending.result

    @property
    def busy(self) -> float:
        """Seconds since the present batch was begun; 0 where there is none."""
        return self._worker.busy

    def close(self, timeout: float | None = None) -> None:
        """Decide for all who wait, then stop; see `BatchWorker.close`."""
        self._worker.close(timeout)

    def _decide(self, batch: Sequence[_PendingCommand]) -> None:
        by_service: defaultdict[DecisionService, list[_PendingCommand]] = defaultdict(list)
        for pending in batch:
            if not pending.result.cancelled():
                by_service[pending.service].append(pending)
        for service, theirs in by_service.items():
            try:
                outcomes = service.decide_many([p.command for p in theirs], [p.trace for p in theirs])
            except Exception as error:
                outcomes = [error] * len(theirs)
            self._loop.call_soon_threadsafe(_resolve, theirs, outcomes)

    def _give_up(self, pending: _PendingCommand) -> None:
        _resolve([pending], [_stopping()])


def _resolve(batch: Sequence[_PendingCommand], outcomes: Sequence[Outcome]) -> None:
    for pending, outcome in zip(batch, outcomes, strict=True):
        if pending.result.done():
            continue
        if isinstance(outcome, Exception):
            pending.result.set_exception(outcome)
        else:
            pending.result.set_result(outcome)


def _stopping() -> NotReadyError:
    return NotReadyError("the service is stopping")
