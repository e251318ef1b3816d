"""An experiment in the simulated world: each customer lives under the rule of its arm, and the log tells of it."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.experiments.design.declaration import Experiment
from tactful.experiments.world.parameters import ARMS
from tactful.experiments.world.policies import CAP, Rule
from tactful.experiments.world.triggers import allowed
from tactful.experiments.world.world import World
from tactful.features.array_types import Floats, Ints

Ids = NDArray[np.object_]


def ids_of(world: World) -> Ids:
    """Ids of a world's customers, by number; every one begins with `simulated`."""
    return np.array([f"simulated-{world.seed}-{i}" for i in range(len(world))], dtype=object)


@dataclass(frozen=True, eq=False)
class Split(Rule):
    """Every customer under the rule of its arm; customers outside the trial under that of the control.

    Args:
        experiment: The experiment, as declared; before its start and after its stop all live under the control's.
        rules: The rule of each arm, by its id.
        ids: Ids of the customers, by number.
    """

    experiment: Experiment
    rules: Mapping[str, Rule]
    ids: Ids

    def choose(self, world: World) -> Ints:
        """The arms of this morning."""
        chosen = np.array(self.rules[self.experiment.control_id].choose(world))
        if not self.experiment.runs(world.moment):
            return chosen
        drawn = self._drawn(self.experiment.coverage(world.moment))
        for arm, rule in self.rules.items():
            who = drawn == arm
            if arm != self.experiment.control_id and who.any():
                chosen[who] = rule.choose(world)[who]
        return chosen

    def _drawn(self, coverage: float) -> Ids:
        found = (self.experiment.arm(str(customer), coverage) for customer in self.ids)
        return np.array([arm.id if arm else "" for arm in found], dtype=object)


def events_of(world: World, ids: Ids) -> pd.DataFrame:
    """The events of a world that keeps them, as a canonical frame.

    Args:
        world: The world.
        ids: Ids of the customers, by number.
    """
    assert world.log is not None, "a world that keeps its events"
    told = world.log.told
    sizes = [len(part.customers) for part in told]
    names = np.array([*ARMS, ""], dtype=object)
    types = np.repeat(np.array([part.type for part in told], dtype=object), sizes)
    detail = np.concatenate([part.detail for part in told])
    message = np.where(types == "purchase", "", names[detail])
    return pd.DataFrame(
        {
            "customer_id": ids[np.concatenate([part.customers for part in told])].astype(str),
            "time": pd.to_datetime(np.repeat([part.time for part in told], sizes), unit="us", utc=True),
            "type": types.astype(str),
            "event_id": np.char.add("e", np.arange(len(types)).astype(str)),
            "amount": np.concatenate([part.amount for part in told]),
            "discount": np.concatenate([part.discount for part in told]),
            "quantity": 0.0,
            "categories": np.uint64(0),
            "channel": np.where(np.isin(types, ["purchase", "cart"]), "web", "email"),
            "subject": message.astype(str),
        }
    )


def true_effect(world: World, other: World, since: int) -> float:
    """Revenue per customer of one world less that of another: the truth, where only the rule differs.

    Args:
        world: Lived under one rule, with its events kept.
        other: The same seed under the other.
        since: When to count from, microseconds since the epoch.
    """
    return _revenue(world, since) - _revenue(other, since)


def _revenue(world: World, since: int) -> float:
    assert world.log is not None
    sales = (part.amount.sum() for part in world.log.told if part.type == "purchase" and part.time >= since)
    return float(sum(sales)) / len(world)


def drawn(world: World) -> tuple[Ints, Floats]:
    """An arm for everybody, all that are allowed and silence alike, and the probability of each, shape (n, arms)."""
    options = allowed(world, CAP)
    options[:, 0] = True
    probabilities = options / options.sum(axis=1, keepdims=True)
    luck = np.random.default_rng([world.seed, 6, world.day]).random((len(world), 1))
    return np.asarray((np.cumsum(probabilities, axis=1) < luck).sum(axis=1)), probabilities


def week_after(world: World, arms: Ints) -> Floats:
    """The margin of each customer in the week that begins with these arms, and holds no other contact; the world stays.

    The luck of the week is the world's own, whatever the arms: so what differs between two such weeks is their doing.
    """
    ahead = deepcopy(world)
    silence = np.zeros(len(world), dtype=np.int64)
    return np.asarray(sum(ahead.step(arms if day == 0 else silence).margin for day in range(7)))
