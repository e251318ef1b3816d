"""Several processes behind one listening socket, kept running by one that answers nothing itself."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any

from tactful.features.errors import TactfulError
from tactful.serving.settings import Settings

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds before a worker that died is replaced: doubled each time, from the start once one has lived `SETTLED`."""
SETTLED = 30.0
STOPS = (signal.SIGTERM, signal.SIGINT)

Opened = Callable[[], None]
"""Called once requests can be answered."""
Work = Callable[[Settings, socket.socket, Opened], None]
"""What a worker does until it is told to stop; importable, since it is called in another process."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Place:
    """Where one worker after another runs."""

    number: int
    process: SpawnProcess | None = None
    began: float = 0.0
    pause: float = SHORTEST_PAUSE
    due: float = field(default_factory=time.monotonic)

    def mark_dead(self) -> None:
        """Notes that the worker died, and when the next one is due."""
        assert self.process is not None
        settled = time.monotonic() - self.began > SETTLED
        self.pause = SHORTEST_PAUSE if settled else min(LONGEST_PAUSE, self.pause * 2)
        self.due = time.monotonic() + self.pause
        _log.error("worker died", extra={"worker": self.number, "code": self.process.exitcode})
        self.process = None


def serve(settings: Settings, listening: socket.socket, opened: Opened) -> None:
    """Answer requests until this process gets a signal to stop, here or in as many processes as the settings say.

    Args:
        settings: How it is served.
        listening: Where requests come in.
        opened: Called once they are answered.

    Raises:
        StoreError: The store cannot be opened.
    """
    if settings.workers > 1:
        supervise(answer, settings, listening, opened)
    else:
        with stoppable():
            answer(settings, listening, opened)


def answer(settings: Settings, listening: socket.socket, opened: Opened) -> None:
    """Answer requests in this process until it gets a signal to stop.

    Args:
        settings: How it is served.
        listening: Where requests come in.
        opened: Called once they are answered.

    Raises:
        StoreError: The store cannot be opened.
    """
    from tactful.serving.bootstrap import open_tenants
    from tactful.serving.process.server import run
    from tactful.serving.process.upkeep import maintaining
    from tactful.serving.store.opening import open_store
    from tactful.serving.telemetry import logs, tracing

    logs.configure(settings.log_level)
    traced = settings.traces or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    stop_tracing = tracing.start(settings.traces) if traced else lambda: None
    store = open_store(settings.store, settings.durability, settings.connections, settings.store_deadline)
    tenants = open_tenants(settings, store)
    try:
        with maintaining(tenants, settings):
            run(tenants, settings, listening, opened)
    finally:
        tenants.store.close()
        stop_tracing()


def supervise(work: Work, settings: Settings, listening: socket.socket, opened: Opened) -> None:
    """Run workers until this process gets a signal to stop (SIGTERM, SIGINT); then they finish what they began.

    A worker that dies is replaced. A worker that exceeds the settings' grace, and a little, is killed. Workers
    end by themselves if this process is killed.

    Args:
        work: The work of each.
        settings: How many there are, among the rest.
        listening: Where requests come in, for all of them.
        opened: Called once the first of them answers.
    """
    context = multiprocessing.get_context("spawn")
    places = [_Place(number) for number in range(settings.workers)]
    news, teller = context.Pipe(duplex=False)
    with _stop_signal() as stopped, tempfile.TemporaryDirectory(prefix="tactful-") as folder, news, teller:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        heard: list[Any] = []
        while stopped not in heard:
            for place in places:
                if place.process is not None and place.process.exitcode is not None:
                    place.mark_dead()
                if place.process is None and place.due <= time.monotonic():
                    place.began = time.monotonic()
                    place.process = context.Process(target=_work, args=(work, settings, listening, teller))
                    place.process.start()
            heard = _heard([stopped, news], places)
            if news in heard and news.recv():
                opened()
                opened = _nothing
        listening.close()
        _end(places, settings.grace.total_seconds() + 5)


def _nothing() -> None:
    """Everybody was told."""


def _heard(others: list[Any], places: list[_Place]) -> list[Any]:
    """Waits for others' words, a death, or the moment a place is due."""
    sentinels = [place.process.sentinel for place in places if place.process is not None]
    due = [place.due - time.monotonic() for place in places if place.process is None]
    return wait([*others, *sentinels], max(0.0, min(due)) if due else None)


def _end(places: list[_Place], patience: float) -> None:
    processes = [place.process for place in places if place.process is not None]
    for process in processes:
        process.terminate()
    until = time.monotonic() + patience
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        if process.exitcode is None:
            _log.error("worker killed", extra={"worker": process.name})
            process.kill()
            process.join()


def _work(work: Work, settings: Settings, listening: socket.socket, teller: "Connection[bool, None]") -> None:
    """Runs in a process of its own."""
    threading.Thread(target=_end_with_parent, name="orphan", daemon=True).start()
    with stoppable():
        try:
            work(settings, listening, lambda: teller.send(True))
        except TactfulError as error:
            _log.error("worker failed", extra={"reason": str(error)})
            sys.exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def stoppable() -> Iterator[None]:
    """Ends the block in order, not the process at once, on a signal to stop."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = {number: signal.signal(number, end) for number in STOPS}
    try:
        yield
    except SystemExit as told:
        if told.code:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _stop_signal() -> Iterator[socket.socket]:
    """A socket that can be read once this process gets a signal to stop."""
    told, tell = socket.socketpair()
    tell.setblocking(False)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        with suppress(BlockingIOError):
            tell.send(b"\0")

    before = {number: signal.signal(number, stop) for number in STOPS}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        told.close()
        tell.close()
