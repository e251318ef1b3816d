"""One more contact: counts by hand, and risk and effect against the parameters of the simulated world."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.studies.dose import by_recent, days_of, pressed
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.trial import events_of, ids_of
from tactful.experiments.world.world import START, World


def event(customer: str, day: float, type_: str) -> dict[str, object]:
    return {"customer_id": customer, "time": pd.Timestamp(START + timedelta(days=day)), "type": type_}


def test_days_are_counted_by_hand() -> None:
    told = pd.DataFrame(
        [
            event("ada", 0.1, "contact"),
            event("ada", 6.9, "contact"),
            event("ada", 7.5, "contact"),
            event("ada", 8.2, "purchase"),
            event("ada", 9.0, "unsubscribed"),
            event("ben", -3.0, "unsubscribed"),
            event("cem", 7.2, "contact"),
        ]
    ).assign(time=lambda frame: frame["time"].dt.as_unit("us"))
    days = days_of(told, ["ada", "ben", "cem"], START, START + timedelta(days=14))
    assert days.recent[0, 6:10].tolist() == [1, 2, 2, 2]
    assert days.reachable[0, 8:11].tolist() == [True, True, False]
    assert not days.reachable[1].any()
    assert days.known == slice(7, 12)
    contacts, left = pressed(days)
    assert sorted(contacts[:, 0].tolist()) == [0.0, 2.0]
    assert not left.any()
    with pytest.raises(ReadoutError, match="too short a log"):
        days_of(told, ["ada"], START, START + timedelta(days=9))


def test_the_worlds_risk_and_fading_are_found() -> None:
    parameters = preset("realistic")
    world = World(parameters, 5_000, seed=5, keep_events=True)
    ids = ids_of(world)
    rng = np.random.default_rng(1)
    for _ in range(56):
        world.step(np.where(rng.random(5_000) < 0.35, 2, 0))
    days = days_of(events_of(world, ids), ids.tolist(), START, START + timedelta(days=56))
    doses = by_recent(days)
    assert [dose.recent for dose in doses] == [0, 1, 2, 3, 4]
    for dose in doses[1:4]:
        truth = parameters.unsubscribe * np.exp(parameters.tiring * dose.recent)
        reach = dose.risk.high - dose.risk.value
        assert abs(dose.risk.value - truth) < 1.6 * reach
    assert doses[1].effect.low > 0
    assert doses[1].effect.value > doses[4].effect.value
