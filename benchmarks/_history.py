"""The ratios of earlier runs, so that a regression is seen: `make bench` records them, `compare` reads them.

    python -m benchmarks._history record     append the ratios in var/bench to benchmarks/history/NAME.jsonl
    python -m benchmarks._history compare    the latest of each ratio beside the median of earlier runs on this machine

`compare` ends with 1 if a ratio became worse by more than a tenth. A line of history holds the date, the machine, the
commit and the ratios of one run. Seconds are not recorded: they differ between machines and hours.
"""

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

BENCH = Path("var/bench")
HISTORY = Path(__file__).with_name("history")
TOLERANCE = 0.1

Better = Literal["lower", "higher"]
RATIOS: Mapping[str, Mapping[str, Better]] = {
    "decide": {"single_over_scoring": "lower", "chunked_over_scoring": "lower"},
    "features": {
        "over_scan": "lower",
        "six_over_one": "lower",
        "memory_over_pandas": "lower",
        "over_duckdb": "higher",
        "over_polars": "higher",
        "over_pandas": "higher",
    },
    "serve": {
        "sqlite_over_noop": "higher",
        "postgres_over_noop": "higher",
        "p99_over_noop.sqlite": "lower",
        "p99_over_noop.postgres": "lower",
    },
    "learning": {"lapse28.auc.value": "higher", "cdnow90.auc.value": "higher", "bank.auc.value": "higher"},
    "soak": {"p99_over_quiet": "lower"},
}
"""By benchmark the ratios that are recorded, as places in its document, and the direction in which each is better."""


def recorded(name: str, bench: Path = BENCH) -> dict[str, float]:
    """The ratios in the document of a benchmark's latest run; those that it lacks are left out."""
    document = json.loads((bench / f"{name}.json").read_text(encoding="utf-8"))
    found = {place: _at(document, place) for place in RATIOS[name]}
    return {place: value for place, value in found.items() if value is not None}


def record(bench: Path = BENCH, history: Path = HISTORY) -> None:
    """Appends the ratios of every document in var/bench to the history."""
    history.mkdir(exist_ok=True)
    head = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout  # nosec B607 # git is on the path
    for name in RATIOS:
        file = bench / f"{name}.json"
        if not file.exists():
            continue
        when = datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="minutes")
        line = {"date": when, "machine": machine(), "commit": commit.strip(), "ratios": recorded(name, bench)}
        if line["date"] not in {run["date"] for run in runs(name, history)}:
            with (history / f"{name}.jsonl").open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(line, sort_keys=True) + "\n")


def runs(name: str, history: Path = HISTORY) -> list[dict[str, Any]]:
    """The recorded runs of a benchmark, oldest first."""
    file = history / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def compared(history: Path = HISTORY) -> Iterator[tuple[str, str, float, float, bool]]:
    """Benchmark, ratio, latest value, median of the earlier ones on the same machine, and whether it became worse."""
    for name, ratios in RATIOS.items():
        *earlier, latest = runs(name, history) or [{"machine": "", "ratios": {}}]
        same = [run["ratios"] for run in earlier if run["machine"] == latest["machine"]]
        for place, better in ratios.items():
            before = [values[place] for values in same if place in values]
            if place not in latest["ratios"] or not before:
                continue
            now, usual = latest["ratios"][place], median(before)
            worse = now > usual * (1 + TOLERANCE) if better == "lower" else now < usual * (1 - TOLERANCE)
            yield name, place, now, usual, worse


def compare(history: Path = HISTORY) -> int:
    """Prints the latest ratios beside the usual ones; 1 if one became worse, else 0."""
    table = Table("benchmark", "ratio", "latest", "median before", "")
    found = list(compared(history))
    for name, place, now, usual, worse in found:
        table.add_row(name, place, f"{now:.3f}", f"{usual:.3f}", "worse" if worse else "")
    Console().print(table if found else "No benchmark has two recorded runs on one machine yet.")
    return int(any(worse for *_, worse in found))


def machine() -> str:
    """The kind of machine: processor, cores, system."""
    return f"{platform.machine()} {os.cpu_count()} cores {platform.system()}"


def _at(document: Any, place: str) -> float | None:
    for part in place.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return None if document is None else float(document)


def main() -> int:
    """Records or compares, as the argument says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._history", description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("record", "compare"))
    if parser.parse_args().what == "compare":
        return compare()
    record()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
