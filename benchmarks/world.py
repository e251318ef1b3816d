"""Does the product beat simple rules where the truth is known? Policies in simulated worlds, on the reporting seeds.

`python -m benchmarks.world` takes about ten minutes on two cores and writes `var/bench/world.json`: for each policy the
share of the gap between the priority list at cap 2 and the oracle that it closes, unsubscriptions, and the paired
interval against triggers only.
"""

import json
from pathlib import Path
from typing import Any

from cli.console import console, progress, say
from cli.simulation.report import as_dict, over_time, standings_table
from cli.simulation.run import compare

BENCH = Path("var/bench")
WEEKS, SEEDS = 26, (10, 11, 12, 13, 14)
POLICIES = ("silence", "random", "list-1", "list-2", "triggers", "greedy", "tactful", "ungated", "oracle")
WORLDS = {"realistic": (2000, POLICIES), "easy": (1000, POLICIES), "hostile": (1000, POLICIES)}
"""Customers of each seed, and what is compared."""


def main() -> None:
    """Runs every world, prints a table of each, and writes the figures."""
    BENCH.mkdir(parents=True, exist_ok=True)
    (BENCH / "world.json").write_text(json.dumps(measured(), indent=2, sort_keys=True) + "\n", encoding="utf-8")


def measured() -> dict[str, Any]:
    """The figures of every world."""
    found: dict[str, Any] = {}
    for world, (customers, policies) in WORLDS.items():
        with progress(world, console(stderr=True)) as advance:
            standings, releases = compare(policies, world, SEEDS, customers=customers, weeks=WEEKS, progress=advance)
        console().print(f"The {world} world, seeds 10 to 14, {customers:,} customers each", highlight=False)
        say(console(), standings_table(standings))
        say(console(), over_time(standings))
        setting = {"weeks": WEEKS, "seeds": list(SEEDS), "customers": customers}
        found[world] = as_dict(standings, setting, releases)
    return found


if __name__ == "__main__":
    main()
