"""The desk: one thread that answers asks, as many at a time as are waiting.

Whoever comes while a group is being answered waits for the next, so under load one scoring call and one durable commit
serve many, and an event loop in front of it is never held up by the disk or by another writer's lock.
"""

import threading
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from serving.errors import NotReadyError
from serving.making import Answer, Ask
from serving.service import DecisionService

LARGEST_GROUP = 64

_Waiting = tuple[Ask, "Future[Answer]"]


class Desk:
    """Answers asks on a thread of its own.

    Args:
        service: Decides.
    """

    def __init__(self, service: DecisionService) -> None:
        self._service = service
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._door = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="desk", daemon=True)
        self._thread.start()

    def ask(self, customer: str, decision_id: str, channels: tuple[str, ...] = ()) -> "Future[Answer]":
        """Ask for a decision at this moment; the errors of `DecisionService.decide` come with the future."""
        future: Future[Answer] = Future()
        with self._door:
            if self._closed:
                future.set_exception(NotReadyError("the service is stopping"))
            else:
                self._waiting.put((Ask(customer, decision_id, self._service.clock(), channels), future))
        return future

    def close(self) -> None:
        """Answer everybody who waits, then stop."""
        with self._door:
            self._closed = True
            self._waiting.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while group := self._group():
            asked = [waiting for waiting in group if waiting is not None]
            self._answer([waiting for waiting in asked if waiting[1].set_running_or_notify_cancel()])
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

    def _answer(self, group: list[_Waiting]) -> None:
        try:
            outcomes = self._service.decide_many([ask for ask, _ in group])
        except Exception as error:
            for _, future in group:
                future.set_exception(error)
            return
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
