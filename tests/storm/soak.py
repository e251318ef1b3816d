"""Ten minutes of mixed load with everything going wrong: `make soak`.

Half of it on SQLite, half on PostgreSQL, each in four phases: callers alone; callers beside hostile parties; a clock
that runs a day ahead; and everything mixed. Writes var/bench/soak.json and exits with 1 if anything was lost, broken or
too slow.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tactful.serving.settings import Settings
from tests.storm.bystanders import Seen, bystanders
from tests.storm.callers import Memory
from tests.storm.ground import Service, furnish, serving
from tests.storm.hostile import (
    dripping_receiver,
    drips_requests,
    makes_a_customer_hot,
    offers_bad_bundles,
    puts_bad_catalogues,
)
from tests.storm.machine import clock_ahead, fills_the_disk, hangs_the_database, small_disk
from tests.storm.verdict import Verdict, verdict
from tests.storm.weather import (
    Fault,
    Postgres,
    callers,
    kills_a_worker,
    kills_the_server,
    postgres,
    rage,
    sends_rubbish,
    swaps_the_catalogue,
    swaps_the_models,
)

RESULT = Path("var/bench/soak.json")
WORKERS = 3
"""Two answer while the third starts again."""
DISK = {"sqlite": 96, "postgres": 512}
"""Megabytes of the store's disk."""
SLOWDOWN = 3.0
"""The most that other customers' p99 may grow beside hostile parties."""


@dataclass(frozen=True)
class Ground:
    """One database's half, ready.

    Args:
        service: The service.
        settings: Of its shop.
        server: PostgreSQL, or None on SQLite.
        disk: Where the store's small disk is mounted.
        no_disk: Why there is no such disk; empty where there is one.
    """

    service: Service
    settings: Settings
    server: Postgres | None
    disk: Path
    no_disk: str


def hostile(ground: Ground) -> dict[str, Fault]:
    """What parties outside do, by name; nobody else may notice."""
    return {
        "requests dripped": drips_requests(ground.service),
        "customer made hot": makes_a_customer_hot(ground.service),
        "bad catalogue put": puts_bad_catalogues(ground.service),
        "bad bundle offered": offers_bad_bundles(ground.settings),
        "rubbish sent": sends_rubbish(ground.service),
    }


def failing(ground: Ground) -> dict[str, Fault]:
    """What fails inside, and what operators change meanwhile, by name."""
    faults = {
        "worker killed": kills_a_worker(ground.service, spare=1),
        "catalogue swapped": swaps_the_catalogue(ground.service),
        "models swapped": swaps_the_models(ground.settings),
    }
    if not ground.no_disk:
        faults["disk filled"] = fills_the_disk(ground.disk, ground.server.start if ground.server else lambda: None)
    if ground.server:
        faults["server killed"] = kills_the_server(ground.server)
        faults["server stopped"] = hangs_the_database(ground.server.process)
    return faults


def storm(name: str, seconds: float, console: Console) -> tuple[Verdict, dict[str, Any]]:
    """One database's half: what was left, and what was done to it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tactful-soak-")))
        no_disk = stack.enter_context(small_disk(folder / "disk", DISK[name]))
        server = stack.enter_context(postgres(folder / "disk")) if name == "postgres" else None
        receiver = stack.enter_context(dripping_receiver())
        shop = folder / ("shop" if server else "disk")
        settings = furnish(shop, server.uri if server else None, receiver)
        with serving(settings, WORKERS, folder / "service.log") as service:
            ground = Ground(service, settings, server, folder / "disk", no_disk)
            with callers(service.url) as memory, bystanders(service.url) as seen:
                struck = phases(
                    ground, memory, seen, seconds, lambda line: console.print(f"  {name}: {line}", end="\r")
                )
        console.print()
        found = verdict(settings, memory, seen)
    answers = {str(status) if status else "no answer": times for status, times in sorted(memory.answers.items())}
    details = {"answers": answers, "faults": dict(struck), "events": len(memory.events), "retries": memory.retries}
    waits = {phase: round(1_000 * float(np.quantile(some, 0.99)), 1) for phase, some in memory.waits.items()}
    ratio = round(waits["hostile"] / waits["quiet"], 2)
    return found, {**details, "p99_ms": waits, "p99_over_quiet": ratio, "no_disk": no_disk, "silences": seen.silences}


def phases(ground: Ground, memory: Memory, seen: Seen, seconds: float, report: Callable[[str], None]) -> Counter[str]:
    """The four phases, one after another: how often each fault struck."""

    def until(share: float) -> Callable[[Counter[str]], bool]:
        end = time.monotonic() + seconds * share

        def over(struck: Counter[str]) -> bool:
            report(f"{memory.phase}, {len(memory.decisions):,} decisions, {struck.total()} faults ")
            return time.monotonic() > end

        return over

    outside, inside = hostile(ground), failing(ground)
    memory.phase = "warm-up"
    rage({}, until(0.05), memory, pause=0.2)
    memory.phase = "quiet"
    rage({}, until(0.1), memory, pause=0.2)
    memory.phase = "hostile"
    struck = rage(outside, until(0.25), memory, pause=0.5)
    memory.phase = "clock ahead"
    seen.paused.set()
    with clock_ahead(ground.service):
        rage({}, until(0.05), memory, pause=0.2)
    seen.paused.clear()
    seen.clock_jumped = True
    memory.phase = "everything"
    struck.update(rage(outside | inside, until(0.55), memory, pause=1.0))
    return struck


def is_clean(halves: Mapping[str, tuple[Verdict, dict[str, Any]]]) -> bool:
    """Whether nothing was lost, broken, silent or too slow."""
    return all(found.clean and done["p99_over_quiet"] <= SLOWDOWN for found, done in halves.values())


def main() -> None:
    """Runs both halves and prints what was left."""
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--minutes", type=float, default=10.0)
    minutes = reading.parse_args().minutes
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    console = Console()
    console.print(f"{minutes:g} minutes of load with faults on SQLite and PostgreSQL")
    halves = {name: storm(name, minutes * 30, console) for name in ("sqlite", "postgres")}
    total = {name: sum(asdict(found)[name] for found, _ in halves.values()) for name in asdict(halves["sqlite"][0])}
    table = Table("", *halves, "together")
    for name, value in total.items():
        table.add_row(
            name.replace("_", " "), *(f"{asdict(found)[name]:,}" for found, _ in halves.values()), f"{value:,}"
        )
    ratios = {name: done["p99_over_quiet"] for name, (_, done) in halves.items()}
    table.add_row("p99 over quiet", *(f"{ratio:g}" for ratio in ratios.values()), f"{max(ratios.values()):g}")
    for fault in halves["postgres"][1]["faults"]:
        table.add_row(fault, *(f"{done['faults'].get(fault, 0):,}" for _, done in halves.values()), "")
    console.print(table)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    details = {name: {**asdict(found), **done} for name, (found, done) in halves.items()}
    RESULT.write_text(
        json.dumps(
            {**total, "p99_over_quiet": max(ratios.values()), "minutes": minutes, **details}, indent=2, sort_keys=True
        )
        + "\n"
    )
    sys.exit(0 if is_clean(halves) else 1)


if __name__ == "__main__":
    main()
