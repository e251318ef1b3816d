"""An experiment in the world: everybody under the rule of the arm, and the log finds the difference that is there."""

from datetime import timedelta

import numpy as np
import pandas as pd

from tactful.experiments.base.metrics import METRICS
from tactful.experiments.design.declaration import Experiment
from tactful.experiments.readout.effects import compare
from tactful.experiments.readout.outcomes import outcomes
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.policies import PriorityList, Silence
from tactful.experiments.world.trial import Split, drawn, events_of, ids_of, true_effect, week_after
from tactful.experiments.world.world import START, World
from tactful.features.events.schema import validate
from tactful.features.timestamps import microseconds

EXPERIMENT = Experiment.model_validate(
    {
        "id": "contacts",
        "salt": "contacts",
        "start": START + timedelta(days=1),
        "stop": START + timedelta(days=20),
        "arms": [
            {"id": "none", "kind": "silence", "share": 0.5},
            {"id": "some", "kind": "current", "share": 0.5},
        ],
        "primary": {"metric": "revenue_per_customer", "minimum_effect": 0.1},
    }
)
RULES = {"none": Silence(), "some": PriorityList()}


def lived(rule: Split | Silence | PriorityList, customers: int, days: int) -> World:
    world = World(preset("easy"), customers, seed=3, keep_events=True)
    for _ in range(days):
        world.step(rule.choose(world))
    return world


def test_everybody_lives_under_the_rule_of_the_arm() -> None:
    ids = np.array([f"simulated-3-{i}" for i in range(400)], dtype=object)
    world = lived(Split(EXPERIMENT, RULES, ids), 400, 25)
    assert ids_of(world).tolist() == ids.tolist()
    events = events_of(world, ids)
    assert len(validate(events).rejected) == 0
    contacts = events[(events["type"] == "contact") & (events["time"] >= pd.Timestamp(START))]
    arms = {arm.id for arm in map(EXPERIMENT.arm, set(contacts["customer_id"])) if arm}
    assert arms == {"some"}
    assert contacts["time"].min() >= pd.Timestamp(EXPERIMENT.start).normalize()
    assert contacts["time"].max() < pd.Timestamp(EXPERIMENT.stop)


def test_the_log_finds_the_true_difference() -> None:
    ids = np.array([f"simulated-3-{i}" for i in range(4_000)], dtype=object)
    always = EXPERIMENT.model_copy(update={"start": START, "stop": None})
    world = lived(Split(always, RULES, ids), 4_000, 28)
    arms = [arm.id for arm in map(always.arm, ids) if arm]
    enrolled = pd.DataFrame({"customer": ids.astype(str), "arm": arms, "entered": pd.Timestamp(START)})
    rows = outcomes(events_of(world, ids), enrolled, START + timedelta(days=28))
    found = compare(*(rows[rows["arm"] == arm] for arm in RULES), METRICS["revenue_per_customer"])
    truth = true_effect(lived(RULES["some"], 4_000, 28), lived(RULES["none"], 4_000, 28), microseconds(START))
    assert truth > 0
    assert abs(found.difference - truth) < 3 * found.error


def test_a_week_ahead_leaves_the_world_as_it_is() -> None:
    world = World(preset("easy"), 300, seed=3)
    arms, probabilities = drawn(world)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (probabilities[np.arange(300), arms] > 0).all()
    earned = week_after(world, arms)
    assert world.day == 0
    assert np.array_equal(earned, week_after(world, arms))
    for day in range(7):
        world.step(arms if day == 0 else np.zeros(300, dtype=np.int64))
    assert np.allclose(world.value, earned)
