"""Ten minutes of mixed load with everything going wrong: `make soak`.

Half of it on SQLite, half on PostgreSQL. Writes var/bench/soak.json and exits with 1 if anything was lost.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.storm.ground import furnish, serving
from tests.storm.verdict import Verdict, verdict
from tests.storm.weather import (
    Fault,
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
KILLS_EACH = 26
"""Least number of kills on each database: more than 50 in all."""


def storm(name: str, seconds: float, console: Console) -> tuple[Verdict, dict[str, Any]]:
    """One database's half: what was left, and what was done to it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tactful-soak-")))
        server = stack.enter_context(postgres()) if name == "postgres" else None
        settings = furnish(folder / "shop", server.uri if server else None)
        with serving(settings) as service, callers(service.url) as memory:
            faults: dict[str, Fault] = {
                "worker killed": kills_a_worker(service),
                "catalogue swapped": swaps_the_catalogue(service),
                "models swapped": swaps_the_models(settings),
                "rubbish sent": sends_rubbish(service),
            }
            if server:
                faults["server killed"] = kills_the_server(server)
            end = time.monotonic() + seconds

            def over(struck: Counter[str]) -> bool:
                console.print(f"  {name}: {len(memory.decisions):,} decisions, {struck.total()} faults", end="\r")
                return time.monotonic() > end and struck["worker killed"] + struck["server killed"] >= KILLS_EACH

            struck = rage(faults, over, memory, pause=1.0)
        console.print()
        found = verdict(settings, memory)
    answers = {str(status) if status else "no answer": times for status, times in sorted(memory.answers.items())}
    return found, {"answers": answers, "faults": dict(struck), "events": len(memory.events), "retries": memory.retries}


def main() -> None:
    """Runs both halves and tells what was left."""
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
    for fault in halves["postgres"][1]["faults"]:
        table.add_row(fault, *(f"{done['faults'].get(fault, 0):,}" for _, done in halves.values()), "")
    console.print(table)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    details = {name: {**asdict(found), **done} for name, (found, done) in halves.items()}
    RESULT.write_text(json.dumps({**total, "minutes": minutes, **details}, indent=2, sort_keys=True) + "\n")
    sys.exit(0 if all(found.clean for found, _ in halves.values()) else 1)


if __name__ == "__main__":
    main()
