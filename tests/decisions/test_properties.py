"""What must hold for any customer, catalogue policy and circumstances."""

import dataclasses
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.selection import AnyPolicy, Greedy, InverseGap, Policy
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tests.decisions.retailer import CATALOGUE, NOON, RETAILER, KnownScorer, compiled, decided

POLICY: TypeAdapter[Any] = TypeAdapter(AnyPolicy)
POLICIES = [
    {"kind": "greedy"},
    {"kind": "epsilon", "epsilon": 0.2},
    {"kind": "softmax", "temperature": 0.5, "floor": 0.1},
    {"kind": "inverse_gap", "gamma": 5.0},
    {"kind": "priority_list"},
    {"kind": "random"},
]

moments_before = st.integers(1, 60 * 24 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes))
contacts = st.builds(
    Contact,
    time=moments_before,
    channel=st.sampled_from(["email", "mail"]),
    programme=st.sampled_from(["", "win_back", "birthday", "thanks"]),
    counts=st.booleans(),
)
events = st.builds(
    Event,
    type=st.sampled_from(["purchase", "complained", "view"]),
    time=moments_before,
    id=st.uuids().map(str),
    amount=st.floats(0, 200),
)
snapshots = st.builds(
    Snapshot,
    customer=st.sampled_from(["c1", "c2", "c3"]),
    moment=st.just(NOON),
    features=st.tuples(
        st.one_of(st.floats(0, 100), st.just(float("nan"))), st.one_of(st.floats(0, 500), st.just(float("nan")))
    ),
    contacts=st.one_of(st.none(), st.lists(contacts, max_size=4).map(tuple)),
    events=st.lists(events, max_size=6).map(lambda found: tuple(sorted(found, key=lambda event: event.time))),
    attributes=st.fixed_dictionaries(
        {}, optional={"first_name": st.text(max_size=5), "birthday": st.dates(date(1930, 1, 1), date(2008, 1, 1))}
    ),
    consents=st.dictionaries(st.sampled_from([("email", "marketing"), ("mail", "marketing")]), st.booleans()),
    zone=st.sampled_from([None, "America/New_York", "Asia/Tokyo"]),
    joined=st.one_of(st.none(), moments_before),
)
policies = st.sampled_from(POLICIES).map(POLICY.validate_python)


@given(snapshots, policies)
def test_probabilities_sum_to_one_and_only_survivors_have_any(snapshot: Snapshot, policy: Policy) -> None:
    decision = decided(snapshot, policy=policy)
    total = sum(candidate.probability for candidate in decision.candidates) + decision.silence_probability
    assert total == pytest.approx(1.0, abs=1e-12)
    assert all(candidate.probability == 0 for candidate in decision.candidates if candidate.exclusions)
    assert all(candidate.probability >= 0 for candidate in decision.candidates)


@given(snapshots, policies, st.text(max_size=8))
def test_an_excluded_action_never_wins_and_the_choice_had_its_probability(
    snapshot: Snapshot, policy: Policy, decision_id: str
) -> None:
    decision = decided(snapshot, policy=policy, decision_id=decision_id)
    assert decision.probability > 0
    if decision.choice is None:
        assert decision.probability == decision.silence_probability
    else:
        assert decision.choice.survives
        assert decision.choice in decision.candidates
        assert decision.probability == decision.choice.probability


@given(snapshots, policies)
def test_the_same_inputs_give_the_same_bytes(snapshot: Snapshot, policy: Policy) -> None:
    assert decided(snapshot, policy=policy).as_bytes() == decided(snapshot, compiled(), policy).as_bytes()


@given(st.lists(snapshots, max_size=6), policies)
def test_a_list_of_one_decides_like_a_list_of_many(many: list[Snapshot], policy: Policy) -> None:
    requests = [Request(f"d{i}", snapshot) for i, snapshot in enumerate(many)]
    together = decide(requests, RETAILER, policy, KnownScorer())
    alone = [decide([request], RETAILER, policy, KnownScorer())[0] for request in requests]
    assert [d.as_bytes() for d in together] == [d.as_bytes() for d in alone]


@given(snapshots, policies, st.floats(0.1, 50), st.floats(0, 50))
def test_raising_a_value_never_lowers_its_probability(
    snapshot: Snapshot, policy: Policy, value: float, more: float
) -> None:
    def probabilities(amount: float) -> list[float]:
        catalogue = compiled(CATALOGUE.replace("value: 10\n", f"value: {amount!r}\n"))
        decision = decided(snapshot, catalogue, policy)
        return [c.probability for c in decision.candidates if c.action.message == "miss_you"]

    before, after = probabilities(value), probabilities(value + more)
    assert sum(after) >= sum(before) - 1e-12


@given(snapshots)
def test_removing_a_contact_policy_never_removes_a_survivor(snapshot: Snapshot) -> None:
    before = {candidate.action.id for candidate in decided(snapshot).survivors}
    lines = CATALOGUE.splitlines()
    for name in ("weekly", "one_mail", "breath", "night", "sorry"):
        fewer = compiled("\n".join(line for line in lines if f"id: {name}," not in line))
        assert before <= {candidate.action.id for candidate in decided(snapshot, fewer).survivors}


@given(snapshots, st.dictionaries(st.sampled_from(["email", "mail"]), st.integers(0, 2)))
def test_a_channel_without_capacity_is_never_chosen(snapshot: Snapshot, capacity: dict[str, int]) -> None:
    decision = decided(snapshot, run_context=RunContext(capacity=capacity))
    assert decision.choice is None or capacity.get(decision.choice.action.channel, 1) > 0


@given(snapshots)
def test_without_consent_or_history_nobody_is_contacted(snapshot: Snapshot) -> None:
    assert decided(dataclasses.replace(snapshot, consents={})).choice is None
    assert decided(dataclasses.replace(snapshot, contacts=None)).choice is None


@given(
    st.lists(st.floats(-20, 20), min_size=1, max_size=8), policies, st.integers(0, 7), st.floats(0, 10), st.randoms()
)
def test_every_policy_gives_a_distribution_that_rises_with_priority(
    priorities: list[float], policy: Policy, index: int, more: float, random: Any
) -> None:
    index %= len(priorities)
    order = np.array(random.sample(range(len(priorities) + 1), len(priorities) + 1))
    options = np.array([*priorities, 0.0])
    before = policy.distribution(options, order)
    options[index] += more
    after = policy.distribution(options, order)
    assert before.sum() == pytest.approx(1.0)
    assert (before >= 0).all()
    assert after[index] >= before[index] - 1e-12


@given(st.lists(st.floats(-20, 20), max_size=8), policies, st.floats(0, 0.3), st.floats(1.5, 50))
def test_no_option_is_rarer_than_the_floor_or_than_the_largest_weight_allows(
    priorities: list[float], policy: Policy, floor: float, weight: float
) -> None:
    options = np.array([*priorities, 0.0])
    bounded = policy.model_copy(update={"floor": floor, "floor_total": 1.0, "max_weight": weight})
    least = min(max(floor, 1 / weight), 1 / len(options))
    assert bounded.distribution(options, np.arange(len(options))).min() >= least - 1e-12


@given(st.integers(1, 60), st.floats(0, 0.5), st.floats(0, 1))
def test_floors_take_no_more_than_is_theirs_however_many_options(hopeless: int, floor: float, total: float) -> None:
    options = np.array([1.0, *[-5.0] * hopeless])
    bounded = Greedy(kind="greedy").model_copy(update={"floor": floor, "floor_total": total})
    shares = bounded.distribution(options, np.arange(len(options)))
    assert shares.sum() == pytest.approx(1.0)
    assert shares[1:].sum() <= total + 1e-9
    assert shares.min() == pytest.approx(min(floor, total / len(options), 1 / len(options)))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.floats(0.1, 100))
def test_learning_by_inverse_gaps_costs_less_than_one_over_gamma_an_option(gaps: list[float], gamma: float) -> None:
    options = np.array([0.0, *(-gap for gap in gaps)])
    shares = InverseGap(kind="inverse_gap", gamma=gamma, floor=0).distribution(options, np.arange(len(options)))
    assert -(shares @ options) <= len(gaps) / gamma


def test_a_floor_that_not_even_two_options_can_have_is_refused() -> None:
    with pytest.raises(ValidationError, match="not even two options"):
        Greedy(kind="greedy", floor=0.25)
    assert Greedy(kind="greedy", floor=0.25, floor_total=0.5).least(2) == 0.25


@given(snapshots, st.integers(0, 2**32))
def test_the_draw_follows_the_distribution(snapshot: Snapshot, seed: int) -> None:
    """Over many seeds each option is drawn about as often as its probability says."""
    policy = POLICY.validate_python({"kind": "random"})
    drawn = [decided(snapshot, policy=policy, run_context=RunContext(seed=f"{seed}-{i}")).outcome for i in range(60)]
    options = sum(candidate.survives for candidate in decided(snapshot, policy=policy).candidates) + 1
    counts = [drawn.count(outcome) for outcome in set(drawn)]
    assert max(counts) <= 60 / options + 6 * np.sqrt(60 / options)


@given(snapshots)
def test_what_lies_farther_back_than_a_catalogue_looks_changes_nothing(snapshot: Snapshot) -> None:
    memory = RETAILER.memory
    seen = tuple(e for e in snapshot.events if e.type in memory and e.time >= snapshot.moment - memory[e.type])
    assert decided(dataclasses.replace(snapshot, events=seen)).as_bytes() == decided(snapshot).as_bytes()


@given(snapshots, st.sets(st.sampled_from(["email", "mail"])).map(lambda found: tuple(sorted(found))))
def test_only_a_channel_that_was_asked_for_is_chosen(snapshot: Snapshot, channels: tuple[str, ...]) -> None:
    request = Request("d1", snapshot, channels)
    (decision,) = decide([request], RETAILER, RETAILER.catalogue.policy, KnownScorer())
    assert decision.choice is None or not channels or decision.choice.action.channel in channels
