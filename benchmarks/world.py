"""Does the product beat simple rules where the truth is known? Policies in simulated worlds, on the reporting seeds.

`python -m benchmarks.world` takes about ten minutes on two cores and writes `var/bench/world.json`: for each policy the
share of the gap between the priority list at cap 2 and the oracle that it closes, unsubscriptions, and the paired
interval against triggers only.
"""

import json
from pathlib import Path
from typing import Any

from tactful.cli.console import console, progress, say
from tactful.cli.simulation.report import as_dict, over_time, standings_table
from tactful.cli.simulation.run import compare

BENCH = Path("var/bench")
WEEKS, SEEDS = 26, (10, 11, 12, 13, 14)
POLICIES = ("silence", "random", "list-1", "list-2", "triggers", "greedy", "tactful", "ungated", "oracle")
CUSTOMERS = {"realistic": 2000, "easy": 1000, "hostile": 1000}
"""Customers of each seed, by world."""


def main() -> None:
    """Runs every world, prints a table of each, and writes the figures, after each world what there is."""
    BENCH.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    for world, customers in CUSTOMERS.items():
        found[world] = measured(world, customers)
        (BENCH / "world.json").write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def measured(world: str, customers: int) -> dict[str, Any]:
    """The figures of a world."""
    with progress(world, console(stderr=True)) as advance:
        found, releases = compare(POLICIES, world, SEEDS, customers=customers, weeks=WEEKS, progress=advance)
    console().print(f"The {world} world, seeds 10 to 14, {customers:,} customers each", highlight=False)
    say(console(), standings_table(found))
    say(console(), over_time(found))
    return as_dict(found, {"weeks": WEEKS, "seeds": list(SEEDS), "customers": customers}, releases)


if __name__ == "__main__":
    main()
