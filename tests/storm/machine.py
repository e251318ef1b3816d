"""Faults of the machine: a database that hangs, a disk that is full, a clock that runs ahead."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from tests.storm.ground import Service
from tests.storm.weather import Fault

AHEAD = timedelta(days=1)
"""How far the clock runs ahead."""


def hangs_the_database(server: Callable[[], psutil.Process]) -> Fault:
    """Stops every process of the database for three seconds, as a machine that hangs.

    Args:
        server: Finds the database's first process.
    """

    def strike(_: random.Random) -> None:
        processes = [server(), *server().children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    return strike


def fills_the_disk(disk: Path, repair: Callable[[], None]) -> Fault:
    """Fills a small disk to its last byte for two seconds.

    Args:
        disk: Where it is mounted.
        repair: What its operator does once there is room again.
    """

    def strike(_: random.Random) -> None:
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(65_536))
        time.sleep(2)
        filler.unlink()
        repair()

    return strike


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[str]:
    """Mounts a file system of a few megabytes at a folder; only the superuser can.

    Yields:
        Why there is none; empty where there is one.
    """
    folder.mkdir()
    if os.geteuid() != 0:
        yield "mounting a file system needs the superuser"
        return
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        yield mounted.stderr.strip()
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def clock_ahead(service: Service) -> Iterator[None]:
    """Restarts the service with a clock that stands a day ahead while the block runs, then with the right one."""
    service.restart(TACTFUL_NOW=(datetime.now(UTC) + AHEAD).isoformat())
    yield
    service.restart()
