"""Upkeep inside the service, where the settings ask for it: backup, compaction and checks of the store, once a day."""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tactful.features.definitions.standard import STANDARD
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.records.retention import needed
from tactful.serving.settings import Settings
from tactful.serving.store.admin.backup import backup
from tactful.serving.store.admin.checking import check
from tactful.serving.store.admin.compaction import Keep, compact
from tactful.serving.store.database import Database
from tactful.serving.store.queries import operator_actions
from tactful.serving.store.queries.tenants import every
from tactful.serving.telemetry.logs import whence
from tactful.serving.telemetry.metrics import METRICS

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


def maintain(tenants: Tenants, settings: Settings) -> None:
    """Back up the store, then compact and check it for every tenant; a job that fails keeps no other from its turn.

    Args:
        tenants: Decide for the tenants of the store.
        settings: Where the archive goes, and how long rows are kept.

    Raises:
        StoreError: The store cannot list its tenants.
    """
    database = tenants.store.database
    if settings.backup is not None:
        archive = settings.backup
        _run("backup", "", lambda: _backed_up(database, archive))
    for tenant in sorted({settings.tenant, *every(database)}):
        for job, work in _JOBS.items():
            _run(job, tenant, partial(work, tenants, settings, tenant))


def _run(job: str, tenant: str, work: Callable[[], Sequence[str]]) -> None:
    """Carry out a job, log its findings, and count it."""
    try:
        findings = work()
    except Exception as error:
        _log.error("upkeep failed", extra={"job": job, "tenant": tenant, **whence(error)})
        METRICS.upkeep(job, "failed").inc()
        return
    for finding in findings:
        _log.error("store finding", extra={"job": job, "tenant": tenant, "what": finding})
    METRICS.upkeep(job, "findings" if findings else "done").inc()


def _backed_up(database: Database, archive: Path) -> Sequence[str]:
    backup(database, archive, datetime.now(UTC))
    return ()


def _compacted(tenants: Tenants, settings: Settings, tenant: str) -> Sequence[str]:
    service = tenants.of(tenant)
    events = needed(service.champions.present(), STANDARD)
    keep = Keep(events, inputs=settings.keep_inputs, silences=settings.keep_silences)
    done = compact(service.store.database, tenant, keep, service.clock())
    rows = {"inputs": done.inputs, "silences": done.silences, "gone_events": done.events}
    _log.info("store compacted", extra={"tenant": tenant, **rows})
    return ()


def _checked(tenants: Tenants, _: Settings, tenant: str) -> Sequence[str]:
    return [f"{finding.kind}: {finding.what}" for finding in check(tenants.store, tenant).findings]


def _verified(tenants: Tenants, _: Settings, tenant: str) -> Sequence[str]:
    found = operator_actions.verify(tenant, operator_actions.every(tenants.store.database, tenant))
    return [] if found.broken is None else [f"row {found.broken} of the audit: {found.reason}"]


_JOBS: Mapping[str, Callable[[Tenants, Settings, str], Sequence[str]]] = {
    "compact": _compacted,
    "check": _checked,
    "audit": _verified,
}
"""The jobs of upkeep for each tenant, in their order."""


def _work(tenants: Tenants, settings: Settings, over: threading.Event, look: float) -> None:
    while not over.wait(look):
        with suppress(BlockingIOError), _turn(settings.data / MARK) as due:
            if due:
                try:
                    maintain(tenants, settings)
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
