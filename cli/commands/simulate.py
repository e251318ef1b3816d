"""`tactful simulate`: policies side by side in a world whose truth is known."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tactful.cli.console import console, print_json, progress, say

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
    kept: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="FOLDER",
            help="Instead of comparing, let the service decide in the world of one seed, and leave its data folder.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Compare policies in a world whose truth is known.

    Each decides for the same simulated customers, with the same luck, and the table shows the value of each.

    `tactful` runs through the product: events, features, `decide`, outcomes, retraining and the release gate; `ungated`
    is the same without the gate. The value of a policy is the margin of the weeks and what is expected of the half year
    after. It is a world of our making: docs/explanation/world.md states every number of it.

    With `--keep`, a service decides and its folder is left, for every command that takes `--data` or `--events`.
    """
    if kept is not None:
        _keep(kept, world, weeks, seeds, customers, asked=(policies, plot), as_json=as_json)
        return
    from tactful.cli.simulation.report import as_dict, draw, over_time, standings_table
    from tactful.cli.simulation.run import compare

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


def _keep(
    folder: Path, world: str, weeks: int, seeds: str, customers: int, asked: tuple[str, Path | None], *, as_json: bool
) -> None:
    """Lives through a world under the service, and tells what is left."""
    from tactful.cli.simulation.persisted import keep
    from tactful.experiments.base.errors import ExperimentError
    from tactful.experiments.world.parameters import preset

    numbers = seeds_of(seeds)
    if len(numbers) > 1:
        raise ExperimentError("several worlds in one folder", got=f"--seeds {seeds}", wanted="one seed, such as 0")
    if asked not in ((BY_DEFAULT, None), ("tactful", None)):
        policies, plot = asked
        got = f"--policies {policies}" if plot is None else f"--plot {plot}"
        raise ExperimentError("nothing is compared in a world that is kept", got=got, wanted="neither of the two")
    with progress("simulating", console(stderr=True)) as advance:
        told = keep(folder, preset(world), customers=customers, seed=numbers[0], weeks=weeks, advance=advance)
    setting = {"world": world, "weeks": weeks, "seed": numbers[0], "folder": str(folder), "simulated": True}
    if as_json:
        print_json({**setting, **told})
        return
    moment = datetime.fromisoformat(told["to"])
    shop = f"the {world} world, seed {numbers[0]}, {weeks} weeks"
    made = (
        f"{told['decisions']:,} decisions about {told['customers']:,} customers, {told['contacts']:,} of them contacts"
    )
    lines = (
        f"A simulated shop is in {folder}: {shop}. Nobody in it is real.",
        f"It made {made}. {told['unsubscribed']:,} of the customers unsubscribed.",
        f"Its clock stands at {moment:%Y-%m-%d %H:%M} UTC. docs/how-to/retraining.md goes on from here.",
    )
    for line in lines:
        console().print(line, soft_wrap=True)
