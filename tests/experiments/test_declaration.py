"""Who is in which arm: by the id alone, exclusive within a layer, independent across, never reshuffled on a ramp."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from tactful.experiments.design.declaration import Experiment
from tactful.experiments.design.holdouts import GlobalHoldout
from tests.experiments.declared import experiment, plan

IDS = [f"c{i}" for i in range(8_000)]
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
COVERAGES = st.floats(0.001, 1)


def arms(one: Experiment, coverage: float = 1.0) -> dict[str, str]:
    found = {customer: one.arm(customer, coverage) for customer in IDS}
    return {customer: arm.id for customer, arm in found.items() if arm is not None}


def test_shares_are_kept() -> None:
    drawn = list(arms(experiment(space=(0.0, 1.0))).values())
    assert abs(drawn.count("as_it_is") / len(drawn) - 0.5) < 0.02
    assert abs(drawn.count("random") / len(drawn) - 0.25) < 0.02


def test_parts_of_a_layer_share_nobody_and_leave_nobody_out() -> None:
    one, two = experiment(space=(0.0, 0.3)), experiment(space=(0.3, 1.0), salt="another")
    first, second = set(arms(one)), set(arms(two))
    assert not first & second
    assert first | second == set(IDS)


def test_layers_are_independent_of_each_other() -> None:
    one, two = arms(experiment(layer=None)), arms(experiment("tired"))
    table = [[0, 0], [0, 0], [0, 0]]
    for customer, arm in one.items():
        table[["as_it_is", "random", "coupon"].index(arm)][two[customer] == "with_it"] += 1
    assert chi2_contingency(table).pvalue > 0.001


@given(st.sampled_from(IDS), COVERAGES, COVERAGES)
def test_a_ramp_keeps_everybody_in_the_same_arm(customer: str, one: float, two: float) -> None:
    less, more = sorted((one, two))
    before = experiment("tired").arm(customer, less)
    assert before is None or before == experiment("tired").arm(customer, more)


def test_a_ramp_lets_customers_in_step_by_step() -> None:
    tired = experiment("tired")
    day = timedelta(days=1)
    january = datetime(2026, 1, 1, tzinfo=UTC)
    assert tired.coverage(january - day) == 0
    assert (tired.coverage(january), tired.coverage(MARCH)) == (0.2, 1.0)
    entered = [tired.enters(number / 100) for number in range(100)]
    assert entered.count(january) == 20
    assert entered.count(datetime(2026, 2, 1, tzinfo=UTC)) == 80


def test_without_a_ramp_everybody_enters_at_the_start() -> None:
    assert experiment().enters(0.7) == experiment().start
    assert experiment(start=None).enters(0.7) is None


def test_an_experiment_runs_from_start_to_stop() -> None:
    one = experiment()
    assert one.start is not None
    assert one.stop is not None
    assert one.runs(one.start)
    assert not one.runs(one.start - timedelta(seconds=1))
    assert not one.runs(one.stop)
    assert not experiment(start=None).runs(MARCH)


def test_the_holdout_takes_turns() -> None:
    holdout = plan().holdout
    assert isinstance(holdout, GlobalHoldout)
    first = {c for c in IDS if holdout.holds(c, MARCH)}
    later = {c for c in IDS if holdout.holds(c, MARCH + timedelta(weeks=13))}
    assert first == {c for c in IDS if holdout.holds(c, MARCH + timedelta(weeks=1))}
    assert abs(len(first) / len(IDS) - 0.1) < 0.02
    assert abs(len(first & later) / len(first) - 0.1) < 0.05
    assert not any(holdout.holds(c, datetime(2025, 12, 31, tzinfo=UTC)) for c in IDS[:100])
    assert holdout.model_copy(update={"rotates": None}).turn(MARCH) == 0
