"""The simulated world keeps what its table promises: the same luck for all, and hazards within their binomial error."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tactful.experiments.base.errors import ExperimentError
from tactful.experiments.world.parameters import ARMS, DESIGN, PRESETS, Design, Parameters, meanings, preset
from tactful.experiments.world.policies import CAP, PriorityList, RandomArm, Rule, Silence
from tactful.experiments.world.simulation import HIGH, LOW, Course, rules, simulate, standings
from tactful.experiments.world.triggers import allowed, open_arms
from tactful.experiments.world.world import World
from tactful.features.array_types import Ints

GUIDE = Path(__file__).parents[2] / "docs/explanation/world.md"
N = 4000


def lived(rule: Rule, days: int, *, customers: int = 300, seed: int = 3, parameters: Parameters | None = None) -> World:
    world = World(parameters or preset("realistic"), customers, seed)
    while world.day < days:
        world.step(rule.choose(world))
    return world


def everybody(world: World, arm: str) -> Ints:
    return np.full(len(world), ARMS.index(arm))


def within_error(happened: int, chances: np.ndarray) -> bool:
    """Whether a count of independent chances lies within four standard errors of what they promise."""
    return bool(abs(happened - chances.sum()) < 4 * np.sqrt((chances * (1 - chances)).sum()) + 1)


class TestLuck:
    def test_the_same_seed_gives_the_same_life(self) -> None:
        first, second = (lived(RandomArm(), 40) for _ in range(2))
        assert first.value.tolist() == second.value.tolist()
        assert first.subscribed.tolist() == second.subscribed.tolist()
        assert lived(RandomArm(), 40, seed=4).value.tolist() != first.value.tolist()

    def test_silence_is_the_same_whatever_else_draws(self) -> None:
        world = World(preset("realistic"), 300, 3)
        for _ in range(40):
            RandomArm().choose(world)
            np.random.default_rng().random(100)
            world.step(Silence().choose(world))
        assert world.value.tolist() == lived(Silence(), 40).value.tolist()

    def test_who_is_treated_alike_has_the_same_luck(self) -> None:
        untouched, half = World(preset("realistic"), 300, 3), World(preset("realistic"), 300, 3)
        odd = np.arange(300) % 2 == 1
        for _ in range(60):
            untouched.step(np.zeros(300, dtype=np.int64))
            half.step(np.where(odd, 1, 0))
        assert untouched.value[~odd].tolist() == half.value[~odd].tolist()
        assert untouched.value[odd].tolist() != half.value[odd].tolist()

    def test_everybody_has_the_same_past(self) -> None:
        worlds = [World(preset("realistic"), 300, 3) for _ in range(2)]
        assert worlds[0].day == 0
        assert worlds[0].last_contact.tolist() == worlds[1].last_contact.tolist()
        assert not worlds[0].value.any()

    @pytest.mark.parametrize("policy", ["silence", "list-2", "oracle"])
    def test_luck_has_a_mean_of_nothing_and_most_of_the_noise(self, policy: str) -> None:
        world = lived(rules(8)[policy](), 56, customers=6000)
        assert abs(world.luck.mean()) < 4 * world.luck.std() / np.sqrt(6000)
        raw = world.value + world.left()
        assert (raw - world.luck).std() < raw.std()


class TestHazards:
    def test_purchases_come_at_the_rate_of_the_table(self) -> None:
        world = World(preset("realistic"), N, 1)
        chances = np.zeros(N)
        before = world.purchases.copy()
        for _ in range(5):
            chances += -np.expm1(-world.hazard())
            world.step(np.zeros(N, dtype=np.int64))
        assert within_error(int((world.purchases - before).sum()), chances)

    def test_a_contact_adds_its_lift_over_three_days(self) -> None:
        calm = replace(Parameters(), newsletter=0.3, past_contacts=0.0, sleeping=0.0, contact_attrition=0.0)
        touched, untouched = World(calm, 20_000, 2), World(calm, 20_000, 2)
        promised = touched.lifts()[:, 1] * touched.subscribed
        gained = 0
        for day in range(len(calm.spread) + 1):
            with_it = touched.step(everybody(touched, "newsletter") * (day == 0))
            without = untouched.step(np.zeros(20_000, dtype=np.int64))
            gained += int(with_it.bought.sum()) - int(without.bought.sum())
        assert 0.85 * promised.sum() < gained <= promised.sum() + 3 * np.sqrt(promised.sum())

    def test_a_sleeping_dog_buys_less_when_woken(self) -> None:
        world = World(preset("realistic"), N, 1)
        assert (world.lifts()[world.people.sleeping & world.alive, 1:] < 0).all()
        assert (world.lifts()[~world.people.sleeping & world.alive, 1] > 0).all()
        assert world.people.sleeping.mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / N))

    @pytest.mark.parametrize("contacts", [0, 3])
    def test_people_unsubscribe_and_leave_as_often_as_the_table_says(self, contacts: int) -> None:
        risky = replace(Parameters(), unsubscribe=0.02, contact_attrition=0.02, past_contacts=0.0, contract_share=0.0)
        world = World(risky, N, 5)
        world.contacted[:, :contacts] = True
        there, reachable = world.alive.copy(), world.subscribed.copy()
        unsubscribes, leaves = world.risks()
        assert unsubscribes.mean() == pytest.approx(0.02 * np.exp(0.5 * contacts), rel=0.1)
        world.step(everybody(world, "newsletter"))
        assert within_error(int((reachable & ~world.subscribed).sum()), unsubscribes[reachable])
        own = -np.expm1(-world.people.attrition)
        chances = (leaves + own - leaves * own)[there]
        assert within_error(int((there & ~world.alive).sum()), chances)

    def test_effects_fade_with_each_recent_contact(self) -> None:
        world = World(replace(Parameters(), past_contacts=0.0), 500, 1)
        rested = world.lifts()[:, 1]
        world.contacted[:, :2] = True
        assert world.lifts()[:, 1] == pytest.approx(rested * 0.7**2)

    def test_a_discount_is_paid_on_what_would_have_come_anyway(self) -> None:
        idle = replace(
            Parameters(), promotion=0.0, sale=0.0, past_contacts=0.0, contact_cost=0.0, contact_attrition=0.0
        )
        given, none = World(idle, N, 1), World(idle, N, 1)
        for day in range(3):
            given.step(everybody(given, "sale") * (day == 0))
            none.step(np.zeros(N, dtype=np.int64))
        assert given.purchases.tolist() == none.purchases.tolist()
        share = (idle.margin_share - idle.sale_discount) / idle.margin_share
        assert given.value[given.subscribed] == pytest.approx(none.value[given.subscribed] * share)


class TestRules:
    def test_none_goes_beyond_its_cap_or_to_who_unsubscribed(self) -> None:
        for name, make in rules(weeks=6).items():
            rule, world = make(), World(preset("hostile"), 300, 2)
            cap = 1 if name == "list-1" else CAP
            while world.day < 42:
                arms = rule.choose(world)
                assert not arms[~world.subscribed].any()
                assert allowed(world, cap)[np.arange(300), arms].all()
                world.step(arms)

    def test_the_list_takes_the_first_that_is_open(self) -> None:
        world = lived(Silence(), 3)
        arms = PriorityList(2).choose(world)
        first = open_arms(world)[:, 5] & allowed(world, 2)[:, 5]
        assert first.any()
        assert (arms[first] == 5).all()

    @pytest.mark.parametrize("world", PRESETS)
    def test_nothing_beats_the_oracle(self, world: str) -> None:
        courses = [
            simulate(name, make(), preset(world), customers=1500, seed=seed, weeks=26)
            for name, make in rules(26).items()
            for seed in (0,)
        ]
        found = {standing.policy: standing.value for standing in standings(courses)}
        assert max(found, key=found.__getitem__) == HIGH


def course(policy: str, values: list[float], seed: int = 0) -> Course:
    weekly = np.array([np.zeros(len(values)), values])
    return Course(policy, seed, np.array(values), weekly, 0.0, 0.0)


def test_a_share_of_the_gap_is_what_a_policy_gains_of_it() -> None:
    low, high = [0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]
    middle = [3.0, 4.0, 5.0, 6.0]
    found = {s.policy: s for s in standings([course(LOW, low), course("ours", middle), course(HIGH, high)])}
    shares = {policy: standing.share.value for policy, standing in found.items() if standing.share}
    assert shares == {LOW: 0.0, "ours": 0.75, HIGH: 1.0}
    assert found["ours"].beyond is None


def test_each_week_has_its_interval_over_the_first_policy() -> None:
    own, first = [3.0, 4.0, 8.0, 6.0], [0.0, 1.0, 2.0, 3.0]
    none, (before, after) = (s.ahead for s in standings([course("first", first), course("own", own)]))
    assert [(week.value, week.low, week.high) for week in none] == [(0.0, 0.0, 0.0)] * 2
    assert (before.value, before.low, before.high) == (0.0, 0.0, 0.0)
    assert after.value == 3.75
    assert after.high - after.value == pytest.approx(1.96 * np.std([3, 3, 6, 3], ddof=1) / 2)
    assert after.value - after.low == pytest.approx(after.high - after.value)


def test_policies_of_different_seeds_are_not_compared() -> None:
    with pytest.raises(ExperimentError, match="policies of different seeds"):
        standings([course("a", [1.0, 2.0]), course("b", [1.0, 2.0], seed=1)])


def test_an_unknown_world_is_refused() -> None:
    with pytest.raises(ExperimentError, match="unknown world: got 'flat'; wanted easy, realistic, hostile"):
        preset("flat")


@pytest.mark.parametrize("values", [tuple(PRESETS.values()), (DESIGN,)], ids=["worlds", "design"])
def test_the_guide_states_every_number_of_the_tables(values: tuple[Parameters | Design, ...]) -> None:
    row = r"^\| `(\w+)` " + r"\| ([\d.]+) " * len(values) + r"\| ([^|]+) \|$"
    rows = re.findall(row, GUIDE.read_text("utf-8"), re.M)
    stated = [(name, tuple(map(float, numbers)), meaning) for name, *numbers, meaning in rows]
    assert stated == meanings(*values)


def test_an_effect_is_shared_out_whole() -> None:
    assert {sum(parameters.spread) for parameters in PRESETS.values()} == {1.0}
