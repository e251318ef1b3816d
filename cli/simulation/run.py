"""Runs policies over seeds: those of `tactful.experiments.world.simulation`, and the product."""

from collections.abc import Callable, Sequence

from tactful.cli.simulation.product import Product
from tactful.experiments.base.errors import ExperimentError
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.policies import Rule
from tactful.experiments.world.simulation import Course, Standing, rules, simulate, standings

PRODUCTS: dict[str, Callable[[], Product]] = {"tactful": Product, "ungated": lambda: Product(gated=False)}
"""The product by name: as it is, and with whatever it learnt put to use at once."""

Releases = dict[str, dict[str, dict[str, str]]]
"""What the gate answered, by policy, seed and week."""


def compare(
    policies: Sequence[str],
    world: str,
    seeds: Sequence[int],
    *,
    customers: int,
    weeks: int,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> tuple[list[Standing], Releases]:
    """Every policy in every world.

    Args:
        policies: Names, the first of which is what the plot over time compares with.
        world: Name of the preset.
        seeds: Of the worlds.
        customers: Of each.
        weeks: How long.
        progress: Called with weeks done and all weeks.

    Raises:
        ExperimentError: An unknown policy or world, or too small a simulation.
    """
    parameters, known = preset(world), {**rules(weeks), **PRODUCTS}
    if unknown := [name for name in policies if name not in known]:
        raise ExperimentError("unknown policy", got=", ".join(unknown), wanted=f"some of {', '.join(known)}")
    courses: list[Course] = []
    releases: Releases = {}
    total = len(policies) * len(seeds) * weeks
    for policy in policies:
        for seed in seeds:
            rule: Rule = known[policy]()
            done = len(courses) * weeks
            course = simulate(
                policy,
                rule,
                parameters,
                customers=customers,
                seed=seed,
                weeks=weeks,
                keep_events=isinstance(rule, Product),
                advance=lambda week, done=done: progress(done + week, total),  # type: ignore[misc]
            )
            courses.append(course)
            if isinstance(rule, Product):
                answers = {str(week): answer for week, answer in rule.releases.items()}
                releases.setdefault(policy, {})[str(seed)] = answers
    return standings(courses), releases
