"""Upkeep inside the service, where the settings ask for it: compaction and a check of the store, once a day."""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tactful.features.definitions.standard import STANDARD
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.records.retention import needed
from tactful.serving.engine.service import DecisionService
from tactful.serving.settings import Settings
from tactful.serving.store.admin.checking import check
from tactful.serving.store.admin.compaction import Keep, compact
from tactful.serving.telemetry.logs import whence

DAY = 86_400.0
MARK = "upkeep"
"""The file whose lock one process of a machine holds, and whose age is that of the last upkeep."""
_LOOK = 60.0
"""Seconds between two looks whether upkeep is due."""
_log = logging.getLogger(__name__)


@contextmanager
def maintaining(tenants: Tenants, settings: Settings, look: float = _LOOK) -> Iterator[None]:
    """Maintain the store on a thread while the block runs, if the settings say so.

    Args:
        tenants: Know the store.
        settings: Name the tenant, and how long what is kept.
        look: Seconds between two looks whether upkeep is due.
    """
    if not settings.upkeep:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_work, args=(tenants, settings, over, look), name="upkeep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(1.0)


def maintain(service: DecisionService, settings: Settings) -> None:
    """Compact the store of a tenant, and log each thing that is wrong with it.

    Raises:
        NotReadyError: Nothing says which events are needed.
        StoreError: The store fails.
    """
    events = needed(service.champions.present(), STANDARD)
    keep = Keep(events, inputs=settings.keep_inputs, silences=settings.keep_silences)
    done = compact(service.store.database, service.tenant, keep, service.clock())
    found = check(service.store, service.tenant).findings
    _log.info("store compacted", extra={"inputs": done.inputs, "silences": done.silences, "gone_events": done.events})
    for finding in found:
        _log.error("store finding", extra={"kind": finding.kind, "what": finding.what})


def _work(tenants: Tenants, settings: Settings, over: threading.Event, look: float) -> None:
    while not over.wait(look):
        with suppress(BlockingIOError), _turn(settings.data / MARK) as due:
            if due:
                try:
                    maintain(tenants.of(settings.tenant), settings)
                except Exception as error:
                    _log.error("upkeep failed", extra=whence(error))


@contextmanager
def _turn(mark: Path) -> Iterator[bool]:
    """Whether upkeep is due, under a lock that no other process of this machine holds.

    Raises:
        BlockingIOError: Another process is at it.
    """
    with mark.open("a+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        due = os.fstat(held.fileno()).st_size == 0 or time.time() - os.fstat(held.fileno()).st_mtime > DAY
        yield due
        if due:
            held.truncate(0)
            held.write(b"done\n")
