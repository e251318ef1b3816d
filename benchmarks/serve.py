"""What does a durable decision over HTTP cost beside an endpoint that decides nothing?

Generated customers of a retailer with about 90 events each, in SQLite and in PostgreSQL; real models; every decision
new, recorded with its reservation and on disk before it is told. The peer is FastAPI with the same request and response
models, telling one of the service's own answers. Both run on the same server, in processes of their own, and are asked
in turn, in short rounds, so that what else the machine does falls on both. Throughput a core is answers a second of the
CPU that the server's processes took; PostgreSQL's own is told beside. Writes var/bench/serve.json.

    python -m benchmarks.serve
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._processes import Load, cpu_seconds, fsync_milliseconds, load, postgres, server
from benchmarks._retailer import MOMENT, furnish, stock
from tactful.experiments.samples.customers import generate
from tactful.serving.bootstrap import open_store
from tactful.serving.store.queries import keys

BENCH = Path("var/bench")
CUSTOMERS = 5_000
CALLERS = (1, 8, 32)
WORKERS = (1, 2)
ROUNDS, SECONDS = 3, 1.0
WARMING = 3.0
"""Seconds of asking before the rounds: a busy machine takes a worker's champion that long."""
HEADLINE = (1, 32)
"""The workers and callers of the ratios that are told first: one worker, saturated."""
EXAMPLE = 25
"""Which of the first answers the peer tells: the one of median length among so many."""


@dataclass(slots=True)
class Tally:
    """The answers, over all rounds."""

    latencies: list[int] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    database_cpu: float = 0.0

    def told(self) -> dict[str, float]:
        """Rates a second and a core, latencies in milliseconds."""
        p50, p99 = np.percentile(self.latencies, (50, 99)) / 1e3
        answers = len(self.latencies)
        return {
            "answers": answers,
            "a_second": answers / self.seconds,
            "a_core": answers / self.cpu,
            "cpu_microseconds": self.cpu / answers * 1e6,
            "database_cpu_microseconds": self.database_cpu / answers * 1e6,
            "p50_milliseconds": float(p50),
            "p99_milliseconds": float(p99),
        }


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that is asked."""

    process: int
    port: int
    database: int | None = None


def main() -> None:
    """Measures, prints and writes."""
    customers = generate(CUSTOMERS, seed=1)
    ids = [profile.customer for profile in customers.profiles]
    np.random.default_rng(1).shuffle(ids)
    BENCH.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "customers": CUSTOMERS,
        "events_a_customer": len(customers.table) / CUSTOMERS,
        "fsync_milliseconds": fsync_milliseconds(BENCH),
    }
    with tempfile.TemporaryDirectory(dir=BENCH) as scratch, postgres() as (database, postgres_url), load() as callers:
        folder = Path(scratch)
        furnish(folder, customers)
        for kind, url, process in (
            ("sqlite", f"sqlite:///{folder / 'tactful.db'}", None),
            ("postgres", postgres_url, database),
        ):
            store = open_store(url)
            stock(store, customers)
            _, key = keys.create(store.database, "default", "benchmark", ("decide",), 1e9, MOMENT)
            store.close()
            asks = {"customers": ids, "headers": f"Authorization: Bearer {key}\r\n"}
            result[kind] = {
                str(workers): beside_noop(folder, url, workers, process, callers, asks) for workers in WORKERS
            }
    result |= ratios(result)
    (BENCH / "serve.json").write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    _show(result)


def beside_noop(
    folder: Path, url: str, workers: int, database: int | None, callers: Load, asks: Mapping[str, Any]
) -> dict[str, Any]:
    """The service on a store and the endpoint that does nothing, each asked by so many callers at a time."""
    tallies: dict[tuple[str, int], Tally] = defaultdict(Tally)
    with service(folder, url, workers, database) as real, noop(folder, real, callers, asks) as nothing:
        for number in range(ROUNDS):
            for at_once in CALLERS:
                for name, peer in (("noop", nothing), ("service", real)):
                    series = f"{name}-{workers}-{number}-{at_once}"
                    _ask(peer, callers, tallies[name, at_once], callers=at_once, series=series, **asks)
    return {str(at_once): {name: tallies[name, at_once].told() for name in ("noop", "service")} for at_once in CALLERS}


@contextmanager
def service(folder: Path, url: str, workers: int, database: int | None) -> Iterator[Peer]:
    """The service, as it is run."""
    arguments = ("-m", "tactful.cli.main", "serve", "--data", str(folder), "--port", "0", "--workers", str(workers))
    with server(*arguments, environment={"TACTFUL_STORE": url}) as (process, port):
        yield Peer(process, port, database)


@contextmanager
def noop(folder: Path, real: Peer, callers: Load, asks: Mapping[str, Any]) -> Iterator[Peer]:
    """The endpoint that does nothing, with an answer of the service to tell."""
    callers.answered(port=real.port, callers=8, seconds=WARMING, series=f"warm-{real.process}", **asks)
    example = f"example-{real.process}"
    found = callers.answered(port=real.port, callers=1, seconds=WARMING, series=example, sample=EXAMPLE, **asks)
    answers = sorted(found["answers"], key=len)
    (folder / "answer.json").write_text(answers[len(answers) // 2], encoding="utf-8")
    with server("-m", "benchmarks._noop", str(folder / "answer.json")) as (process, port):
        yield Peer(process, port)


def _ask(peer: Peer, load: Load, tally: Tally, **asks: Any) -> None:
    before, database = cpu_seconds(peer.process), cpu_seconds(peer.database) if peer.database else 0.0
    found = load.answered(port=peer.port, seconds=SECONDS, **asks)
    tally.cpu += cpu_seconds(peer.process) - before
    tally.database_cpu += cpu_seconds(peer.database) - database if peer.database else 0.0
    tally.seconds += found["seconds"]
    tally.latencies += found["latencies"]


def ratios(result: Mapping[str, Any]) -> dict[str, Any]:
    """The service over the peer: throughput a core, and the latency that one in a hundred passes."""
    workers, at_once = map(str, HEADLINE)
    found = {kind: result[kind][workers][at_once] for kind in ("sqlite", "postgres")}
    return {
        **{f"{kind}_over_noop": f["service"]["a_core"] / f["noop"]["a_core"] for kind, f in found.items()},
        "p99_over_noop": {
            kind: f["service"]["p99_milliseconds"] / f["noop"]["p99_milliseconds"] for kind, f in found.items()
        },
    }


def _show(result: Mapping[str, Any]) -> None:
    screen = Console()
    screen.print(
        f"{result['customers']:,} customers with {result['events_a_customer']:.0f} events each; "
        f"an fsync takes {result['fsync_milliseconds']:.2f} ms"
    )
    table = Table("store", "workers", "callers", "a second", "CPU µs", "p50 ms", "p99 ms", "a core", "p99 ratio")
    for kind in ("sqlite", "postgres"):
        for workers in map(str, WORKERS):
            for at_once in map(str, CALLERS):
                nothing, real = (result[kind][workers][at_once][name] for name in ("noop", "service"))
                table.add_row(
                    kind,
                    workers,
                    at_once,
                    f"{real['a_second']:,.0f} / {nothing['a_second']:,.0f}",
                    f"{real['cpu_microseconds']:,.0f} / {nothing['cpu_microseconds']:,.0f}",
                    f"{real['p50_milliseconds']:.1f} / {nothing['p50_milliseconds']:.1f}",
                    f"{real['p99_milliseconds']:.1f} / {nothing['p99_milliseconds']:.1f}",
                    f"{real['a_core'] / nothing['a_core']:.3f}",
                    f"{real['p99_milliseconds'] / nothing['p99_milliseconds']:.1f}",
                )
    screen.print(table)
    screen.print(
        f"a core: {result['sqlite_over_noop']:.3f} on SQLite, {result['postgres_over_noop']:.3f} on PostgreSQL; "
        f"p99: {result['p99_over_noop']['sqlite']:.1f} and {result['p99_over_noop']['postgres']:.1f}"
    )


if __name__ == "__main__":
    main()
