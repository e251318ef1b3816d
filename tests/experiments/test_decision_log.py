"""Recorded decisions become arrays without a loss, and another policy is judged among the same survivors."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tactful.decisions.catalogue.selection import Greedy, InverseGap, Policy, PriorityList, RandomEligible
from tactful.decisions.kernel.decide import Request, decide
from tactful.decisions.kernel.decision import Decision
from tactful.experiments.base.errors import LogError
from tactful.experiments.offpolicy.decision_log import from_decisions
from tactful.experiments.offpolicy.estimators import ips
from tests.decisions.retailer import CATALOGUE, LAPSING, RETAILER, KnownScorer, compiled, contact, having

GREEDY = Greedy(kind="greedy")
RANDOM = RandomEligible(kind="random")
EXPLORING = InverseGap(kind="inverse_gap", gamma=2.0, floor=0.03)


def logged(n: int, policy: Policy = EXPLORING) -> list[Decision]:
    """Decisions about customers who may be rich, may have a birthday, may have been contacted, may be loyal."""
    rng = np.random.default_rng(5)
    customers = [
        having(
            customer=f"c{i // 2}",
            features=(float(rng.choice([5.0, 30.0])), float(rng.choice([50.0, 200.0]))),
            attributes={"birthday": date(1990, 5, 6)} if rng.random() < 0.5 else {},
            contacts=(contact(0.5),) if rng.random() < 0.2 else (),
        )
        for i in range(n)
    ]
    asked = [Request(f"d{i}", customer) for i, customer in enumerate(customers)]
    return decide(asked, RETAILER, policy, KnownScorer())


def rewarded(decisions: list[Decision]) -> dict[str, float]:
    return {decision.id: float(i % 3) for i, decision in enumerate(decisions)}


def test_the_policy_that_was_logged_is_the_policy_of_the_log() -> None:
    decisions = logged(60)
    log = from_decisions(decisions, rewarded(decisions), EXPLORING)
    assert (log.logged == log.target).all()
    assert (log.weights == 1).all()
    assert log.actions[0] == "silence"
    assert [log.actions[c] for c in log.choices] == [decision.outcome for decision in decisions]
    assert log.options.sum(axis=1).tolist() == [1 + len(list(decision.survivors)) for decision in decisions]
    assert log.customers.tolist() == [decision.customer for decision in decisions]


def test_another_policy_chooses_among_the_same_survivors_as_the_kernel_would() -> None:
    decisions = logged(60)
    for policy in (GREEDY, RANDOM, PriorityList(kind="priority_list")):
        log = from_decisions(decisions, rewarded(decisions), policy)
        again = from_decisions(logged(60, policy), rewarded(decisions), policy)
        assert log.actions == again.actions
        assert (log.target == again.logged).all()


def test_a_decision_without_survivors_is_silence_whatever_the_policy() -> None:
    (decision,) = decide([Request("d", having(features=(1.0, 10.0)))], RETAILER, EXPLORING, KnownScorer())
    log = from_decisions([decision], {"d": 0.0}, GREEDY)
    assert (log.actions, log.logged.tolist(), log.target.tolist()) == (("silence",), [[1.0]], [[1.0]])


def test_mandatory_actions_go_first_under_any_policy() -> None:
    text = CATALOGUE.replace("value: 5\n", "value: 0\n        mandatory: true\n")
    customer = having(attributes={"birthday": date(1990, 5, 6)})
    (decision,) = decide([Request("d", customer)], compiled(text), EXPLORING, KnownScorer())
    log = from_decisions([decision], {"d": 0.0}, RANDOM)
    assert len(log.actions) > 2
    assert dict(zip(log.actions, log.target[0], strict=True))["birthday/happy_birthday/email"] == 1.0
    assert log.weights.tolist() == [1.0]


def test_one_action_that_two_openings_bring_up_is_two_options() -> None:
    (decision,) = decide([Request("d", LAPSING)], RETAILER, EXPLORING, KnownScorer())
    survivors = list(decision.survivors)
    halves = [replace(c, probability=c.probability / 2) for c in survivors]
    twins = [replace(c, opening="another") for c in halves]
    doubled = replace(decision, candidates=(*halves, *twins), choice=twins[0], probability=twins[0].probability)
    log = from_decisions([doubled], {"d": 1.0}, RANDOM)
    assert len(log.actions) == len(set(log.actions)) == 1 + 2 * len(survivors)
    assert log.actions[log.choices[0]] == f"{twins[0].action.id} (2)"
    assert log.target[0] == pytest.approx(np.full(len(log.actions), 1 / len(log.actions)))


def test_each_decision_must_have_a_reward_and_one_probability() -> None:
    decisions = logged(4)
    with pytest.raises(LogError, match="a decision without a reward: wanted what came of it, also 0; at decision d3"):
        from_decisions(decisions, {"d0": 1.0, "d1": 0.0, "d2": 2.0}, GREEDY)
    forged = [replace(decisions[0], probability=0.123)]
    with pytest.raises(LogError, match=r"a choice with two probabilities: got 0.123; .* at decision d0"):
        from_decisions(forged, {"d0": 1.0}, GREEDY)


def test_what_the_greedy_policy_would_have_earned_is_told_by_an_exploring_log() -> None:
    worth = {"silence": 0.5, "win_back/come_back_coupon/email": 2.0, "birthday/happy_birthday/email": 1.5}
    explored, greedy = logged(3000, RANDOM), logged(3000, GREEDY)
    rng = np.random.default_rng(1)
    rewards = {d.id: worth.get(d.outcome, 1.0) + rng.normal() for d in explored}
    found = ips(from_decisions(explored, rewards, GREEDY))
    told = float(np.mean([worth.get(decision.outcome, 1.0) for decision in greedy]))
    assert found.value == pytest.approx(told, abs=4 * found.standard_error)
    assert found.low <= told <= found.high


def test_no_decisions_are_no_log() -> None:
    with pytest.raises(LogError, match="a log without decisions"):
        from_decisions([], {}, GREEDY)
