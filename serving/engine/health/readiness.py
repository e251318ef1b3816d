"""Whether the service can do its work: a decision completes, the store takes a write, and how old its backlog is."""

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

from starlette.concurrency import run_in_threadpool

from tactful.serving.engine.batching import DecisionBatcher
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError, ServingError, StoreError
from tactful.serving.store.port import KnownCustomer
from tactful.serving.store.probing import write_and_forget
from tactful.serving.store.queries import outbox

MEMORY = 1.0
"""Seconds for which the result of the checks is given again, so that probes cost nothing however often they come."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The result of checks that passed.

    Args:
        backlog: Age of the oldest outbox record that is due; None where none is.
    """

    backlog: timedelta | None


class Readiness:
    """Checks the service, at most one check at a time; made and used on one event loop.

    Args:
        service: The service.
        batcher: Makes its decisions.
        patience: How long the checks may take, and the desk may be busy with one group of decisions.
    """

    def __init__(self, service: DecisionService, batcher: DecisionBatcher, patience: timedelta) -> None:
        self._service = service
        self._batcher = batcher
        self._patience = patience.total_seconds()
        self._checking: asyncio.Task[Condition] | None = None
        self._checked = 0.0
        self.started = False

    async def condition(self) -> Condition:
        """The condition of the service, at most `MEMORY` seconds old.

        Raises:
            NotReadyError: It cannot do its work; the reason names no path and nothing of the shop.
        """
        if self._checking is None or (self._checking.done() and time.monotonic() - self._checked > MEMORY):
            self._checking = asyncio.create_task(run_in_threadpool(self._check))
            self._checked = time.monotonic()
        try:
            found = await asyncio.wait_for(asyncio.shield(self._checking), self._patience)
        except TimeoutError:
            raise NotReadyError("the checks take too long", wanted=f"at most {self._patience:g} seconds") from None
        self.started = True
        return found

    def _check(self) -> Condition:
        if self._batcher.busy > self._patience:
            raise NotReadyError("no decision completes")
        try:
            write_and_forget(self._service.store.database)
            backlog = outbox.backlog(self._service.store.database, self._service.clock())
        except StoreError:
            raise NotReadyError("the store takes no writes") from None
        try:
            rehearse(self._service)
        except ServingError:
            raise NotReadyError("nothing to decide with", wanted="models and a catalogue that were accepted") from None
        except Exception:
            raise NotReadyError("no decision completes") from None
        return Condition(backlog)


def rehearse(service: DecisionService) -> None:
    """Make a decision about a customer of whom nothing is known, and record nothing.

    Raises:
        NotReadyError: There is nothing to decide with.
        Exception: The error that keeps a decision from being made.
    """
    champion, moment = service.champions.present(), service.clock()
    command = DecisionCommand("rehearsal", uuid.uuid4().hex, moment)
    nobody = KnownCustomer(command.customer, 0, "UTC", None, None, {}, {}, (), ())
    (made,) = service.maker.make([(command, nobody)], champion)
    if isinstance(made, Exception):
        raise made
