"""`tactful simulate`: policies side by side in a world whose truth is known."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import console, print_json, progress, say

BY_DEFAULT = "silence,random,list-1,list-2,triggers,greedy,tactful,oracle"


def seeds_of(text: str) -> list[int]:
    """Seeds of a list and of ranges, such as 10-14 or 0,3,7-9.

    Raises:
        ValueError: Something else, or none.

    Example:
        >>> seeds_of("0,7-9")
        [0, 7, 8, 9]
    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    if not found:
        raise ValueError(f"no seed: got {text!r}; wanted a list such as 10-14")
    return found


def simulate(
    world: Annotated[str, typer.Option(help="easy, realistic or hostile.")] = "realistic",
    weeks: Annotated[int, typer.Option(min=1, max=26, help="How long.")] = 26,
    seeds: Annotated[str, typer.Option(help="Worlds, such as 0,3 or 10-14; nobody tunes on 10 to 29.")] = "10-14",
    customers: Annotated[int, typer.Option(min=10, help="Of each world.")] = 2000,
    policies: Annotated[
        str, typer.Option(help="Of silence, random, list-1, list-2, triggers, greedy, tactful, ungated, oracle.")
    ] = BY_DEFAULT,
    plot: Annotated[Path | None, typer.Option(help="Also draw the plot over time into this PNG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Compare policies in a world whose truth is known.

    Each decides for the same simulated customers, with the same luck, and what it was worth is told.

    `tactful` runs through the product: events, features, `decide`, outcomes, retraining and the release gate; `ungated`
    is the same without the gate. The value of a policy is the margin of the weeks and what is expected of the half year
    after. It is a world of our making: docs/guides/world.md states every number of it.
    """
    from cli.simulation.report import as_dict, draw, over_time, standings_table
    from cli.simulation.run import compare

    names, numbers = policies.split(","), seeds_of(seeds)
    with progress("simulating", console(stderr=True)) as advance:
        found, releases = compare(names, world, numbers, customers=customers, weeks=weeks, progress=advance)
    title = f"the {world} world, {weeks} weeks, seeds {seeds}, {customers:,} customers each"
    if plot is not None:
        draw(found, plot, title)
    if as_json:
        setting = {"world": world, "weeks": weeks, "seeds": numbers, "customers": customers}
        print_json(as_dict(found, setting, releases))
        return
    console().print(title.capitalize(), highlight=False)
    say(console(), standings_table(found))
    say(console(), over_time(found))
    for policy, by_seed in releases.items():
        told = "; ".join(
            f"seed {seed}: {', '.join(f'week {w} {a}' for w, a in r.items())}" for seed, r in by_seed.items()
        )
        console().print(f"The release gate of {policy}: {told}.", highlight=False)
