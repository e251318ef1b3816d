"""What is planned is what is reached: power in simulated trials of the planned size."""

from datetime import timedelta

import numpy as np
import pytest

from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.base.metrics import METRICS
from tactful.experiments.design.declaration import Goal
from tactful.experiments.readout.effects import compare
from tactful.experiments.readout.outcomes import outcomes
from tactful.experiments.readout.power import first_enough, plan
from tests.experiments.declared import experiment
from tests.experiments.trials import START, trial

TIRED = experiment("tired").model_copy(
    update={"primary": Goal(metric="revenue_per_customer", minimum_effect=0.45), "population": None}
)


def test_the_planned_power_is_reached() -> None:
    log = trial(1, 1_000)
    (horizon,) = plan(TIRED, log.events, log.enrolled["customer"].tolist(), log.until, weeks=[4])
    found = []
    for seed in range(200):
        made = trial(100 + seed, 1_000, lift=horizon.one_look)
        table = outcomes(made.events, made.enrolled, made.until)
        control, treatment = (table[table["arm"] == arm] for arm in ("control", "treatment"))
        found.append(compare(control, treatment, METRICS["revenue_per_customer"]).pvalue < 0.05)
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


def test_longer_finds_less() -> None:
    log = trial(2, 1_500, weeks=8)
    horizons = plan(TIRED, log.events, log.enrolled["customer"].tolist(), log.until, weeks=[1, 2, 4])
    assert [h.one_look for h in horizons] == sorted((h.one_look for h in horizons), reverse=True)
    assert all(h.always_valid > h.one_look for h in horizons)
    assert horizons[2].mean > 3 * horizons[0].mean
    first = first_enough(horizons)
    assert first is not None
    assert first.always_valid <= 0.45
    assert first_enough([]) is None


def test_a_log_without_the_metric_plans_nothing() -> None:
    log = trial(3, 50)
    strangers = [f"stranger {i}" for i in range(20)]
    with pytest.raises(ReadoutError, match=r"no plan by revenue_per_customer: got .*does not vary .*: it is 0"):
        plan(TIRED, log.events, strangers, START + timedelta(days=28), weeks=[1])
    with pytest.raises(ReadoutError, match="too few customers"):
        plan(TIRED, log.events, ["c1"], log.until, weeks=[1])
