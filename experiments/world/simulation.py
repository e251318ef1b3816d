"""Policies side by side in the simulated world: what each is worth, with paired intervals over customers and seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tactful.experiments.base.errors import ExperimentError
from tactful.experiments.world.parameters import Parameters
from tactful.experiments.world.people import HORIZON
from tactful.experiments.world.policies import TRIGGERS, GreedyResponse, Oracle, PriorityList, RandomArm, Rule, Silence
from tactful.experiments.world.world import World
from tactful.features.array_types import Floats

LOW, HIGH, BESIDE = "list-2", "oracle", "triggers"
"""The ends of the gap that a policy closes a share of, and the rule that it must beat."""
_NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval, normal, over customers."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """By name."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A policy's life with the customers of one seed.

    Attributes:
        policy: Its name.
        seed: Of the world.
        values: Of each customer: margin of the weeks after discounts and costs, and what is expected of the 26 weeks
            after without contact; less the luck that they had; shape (n,).
        weekly: Value of each customer after each week: margin so far, and what is expected without contact of the weeks
            left and the 26 after; less their luck; shape (weeks, n).
        unsubscribed: Share of those who could be contacted on day 0 and cannot in the end.
        contacts: A customer and week.
    """

    policy: str
    seed: int
    values: Floats
    weekly: Floats
    unsubscribed: float
    contacts: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a policy stands over all seeds.

    Attributes:
        policy: Its name.
        value: Mean a customer, in currency.
        share: Of the gap between `LOW` and `HIGH`; None where one of them did not run.
        beyond: Mean difference a customer to `BESIDE`, paired; None where that did not run.
        unsubscribed: Mean over seeds.
        contacts: A customer and week, mean over seeds.
        weekly: Mean value after each week.
        ahead: Mean difference a customer to the first policy after each week, paired.
    """

    policy: str
    value: float
    share: Interval | None
    beyond: Interval | None
    unsubscribed: float
    contacts: float
    weekly: tuple[float, ...]
    ahead: tuple[Interval, ...]


def rules(weeks: int) -> dict[str, Callable[[], Rule]]:
    """The rules that need no model, by name: each call makes a fresh one."""
    return {
        "silence": Silence,
        "random": RandomArm,
        "list-1": lambda: PriorityList(1),
        "list-2": lambda: PriorityList(2),
        "triggers": lambda: PriorityList(2, TRIGGERS),
        "greedy": GreedyResponse,
        "oracle": lambda: Oracle(weeks),
    }


def simulate(
    policy: str,
    rule: Rule,
    parameters: Parameters,
    *,
    customers: int,
    seed: int,
    weeks: int,
    keep_events: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Course:
    """Let a rule decide every morning of some weeks.

    Args:
        policy: The rule's name.
        rule: How arms are chosen.
        parameters: The world's numbers.
        customers: How many.
        seed: Of the world.
        weeks: How long.
        keep_events: Whether the world writes its events down, for rules that read them.
        advance: Called with the number of weeks done after each.

    Raises:
        ExperimentError: Fewer than ten customers or no week.
    """
    if customers < 10 or weeks < 1:
        raise ExperimentError("too small a simulation", got=f"{customers} customers, {weeks} weeks", wanted="10 and 1")
    world = World(parameters, customers, seed, keep_events=keep_events)
    reachable, contacts, weekly = world.subscribed.copy(), 0, []
    for week in range(weeks):
        for _ in range(7):
            contacts += int((world.step(rule.choose(world)).arms > 0).sum())
        weekly.append(world.value + world.left(HORIZON + 7 * (weeks - week - 1)) - world.luck)
        advance(week + 1)
    return Course(
        policy=policy,
        seed=seed,
        values=world.value + world.left() - world.luck,
        weekly=np.array(weekly),
        unsubscribed=float((reachable & ~world.subscribed).sum() / reachable.sum()),
        contacts=contacts / customers / weeks,
    )


def standings(courses: Sequence[Course]) -> list[Standing]:
    """How each policy stands, in the order in which they first ran.

    Source: the interval of the share, a ratio of two paired means, by the delta method.

    Raises:
        ExperimentError: Policies ran on different seeds.
    """
    by_policy: dict[str, list[Course]] = {}
    for course in courses:
        by_policy.setdefault(course.policy, []).append(course)
    seeds = {policy: [course.seed for course in ran] for policy, ran in by_policy.items()}
    if len({tuple(found) for found in seeds.values()}) > 1:
        raise ExperimentError("policies of different seeds", got=seeds, wanted="the same for all")
    values = {policy: np.concatenate([course.values for course in ran]) for policy, ran in by_policy.items()}
    weekly = {policy: np.concatenate([course.weekly for course in ran], axis=1) for policy, ran in by_policy.items()}
    first = next(iter(weekly.values()), np.empty(0))
    return [_standing(policy, ran, values, weekly[policy], first) for policy, ran in by_policy.items()]


def _standing(
    policy: str, ran: Sequence[Course], values: Mapping[str, Floats], weekly: Floats, first: Floats
) -> Standing:
    own = values[policy]
    return Standing(
        policy=policy,
        value=float(own.mean()),
        share=_share(own - values[LOW], values[HIGH] - values[LOW]) if {LOW, HIGH} <= values.keys() else None,
        beyond=_mean(own - values[BESIDE]) if BESIDE in values else None,
        unsubscribed=float(np.mean([course.unsubscribed for course in ran])),
        contacts=float(np.mean([course.contacts for course in ran])),
        weekly=tuple(weekly.mean(axis=1).tolist()),
        ahead=tuple(_mean(week) for week in weekly - first),
    )


def _mean(differences: Floats) -> Interval:
    mean = float(differences.mean())
    half = _NORMAL * float(differences.std(ddof=1)) / np.sqrt(len(differences))
    return Interval(mean, mean - half, mean + half)


def _share(gained: Floats, gap: Floats) -> Interval:
    share = float(gained.mean() / gap.mean())
    error = float((gained - share * gap).std(ddof=1)) / np.sqrt(len(gap)) / abs(float(gap.mean()))
    return Interval(share, share - _NORMAL * error, share + _NORMAL * error)
