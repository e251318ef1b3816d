"""What the gate is given: rewards in currency, both policies on the same decisions, predictions against outcomes."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tactful.decisions.catalogue.selection import Greedy, RandomEligible
from tactful.decisions.kernel.decision import Decision
from tactful.experiments.offpolicy.decision_log import LEFT_ALONE
from tactful.training.data.attribution import Delivery, Goal
from tactful.training.data.errors import TrainingError
from tactful.training.fit.by_action import by_arm, whatever_ties
from tactful.training.gate.evidence import Reward, gather, of_record, predictions_of
from tests.decisions.retailer import CATALOGUE, compiled
from tests.training.decided import LATER, after, chosen, log, logged, made, moved

MADE = made(40)
CONTACT = next(d for d in MADE if d.choice is not None and d.choice.action.id == "win_back/come_back_coupon/mail")
SILENT = chosen(MADE, None)
REWARD = Reward(Goal(), margin=0.5)


def test_a_reward_is_margin_less_discount_and_cost() -> None:
    assert REWARD.of(logged(SILENT, [after(2, value=30.0)])) == 15.0
    assert REWARD.of(logged(CONTACT)) == -0.5
    assert REWARD.of(logged(CONTACT, [after(2, value=30.0)])) == 15.0 - 0.5 - 2.0
    assert REWARD.of(logged(CONTACT, [after(9, value=30.0)])) == -0.5


def test_contacts_and_silence_are_judged_over_the_longest_window_of_the_log() -> None:
    long = compiled(CATALOGUE.replace("value: 10\n", "value: 10\n        attribution_window: 28d\n"))
    decisions = made(200, catalogue=long)
    brief, silent = chosen(decisions, "come_back_coupon"), chosen(decisions, None)
    assert brief.matures("margin") == moved(brief, 7)
    entries = [logged(decision, [after(20, value=30.0)]) for decision in (brief, silent)]
    reward = REWARD.over(entries)
    assert reward.window == timedelta(days=28)
    assert [bool(reward.outcomes(entry)) for entry in entries] == [True, True]
    with pytest.raises(TrainingError, match="some older than 28 days"):
        gather(entries, REWARD, moved(brief, 27), Greedy(kind="greedy"))


def test_one_sale_told_twice_is_one_sale() -> None:
    twice = [after(2, value=30.0), after(2, "converted", value=28.0)]
    assert REWARD.of(logged(SILENT, twice)) == 15.0


def test_an_open_window_does_not_count() -> None:
    bought = logged(SILENT, [after(2, value=30.0)])
    evidence = gather([logged(CONTACT), bought], REWARD, moved(CONTACT, 7), Greedy(kind="greedy"))
    assert len(evidence.candidate) == 2
    with pytest.raises(
        TrainingError,
        match="cannot be judged: no decision is settled: got '1 decisions to judge by'; wanted some older",
    ):
        gather([logged(CONTACT)], REWARD, moved(CONTACT, 6), Greedy(kind="greedy"))


def test_outcomes_that_were_never_reported_judge_nothing() -> None:
    ignored = [after(2, "complained"), after(9, value=30.0)]
    with pytest.raises(
        TrainingError, match="cannot be judged: no outcome: got '40 decisions and none'; wanted purchase or"
    ):
        gather([logged(d, ignored) for d in MADE], REWARD, LATER, Greedy(kind="greedy"))


def test_the_incumbent_is_the_policy_of_the_record_also_where_all_were_alike() -> None:
    greedy = [replace(d, policy={**d.policy, "kind": "greedy"}, stratum="uniform") for d in MADE]
    told = of_record(greedy[0])
    assert sorted(told.values())[-1] == 1.0
    evidence = gather([logged(d, [after(2)]) for d in greedy], REWARD, LATER, RandomEligible(kind="random"))
    assert (evidence.incumbent.target.max(axis=1) == 1).all()
    assert (evidence.candidate.target == evidence.candidate.logged).all()
    assert of_record(MADE[0])[LEFT_ALONE] == MADE[0].silence_probability


def test_what_was_not_delivered_counts_for_value_and_not_for_calibration() -> None:
    entries = [logged(d, [after(2)], delivery=Delivery.RELEASED) for d in MADE]

    def predicted(decision: Decision) -> object:
        return decision.choice

    evidence = gather(entries, REWARD, LATER, Greedy(kind="greedy"), predicted=predicted)  # type: ignore[arg-type]
    assert len(evidence.candidate) == len(MADE)
    assert evidence.calibration == []


def test_predictions_are_those_of_delivered_contacts() -> None:
    entries = log(400)
    found = predictions_of(entries, REWARD, LATER)
    contacts = [e for e in entries if e.decision.choice is not None]
    assert len(found.arms) == len(contacts)
    assert found.outcomes.sum() == sum(bool(e.outcomes) for e in contacts)
    assert set(np.unique(found.predicted)) <= {0.05, 0.1, 0.2}


def test_a_response_is_held_against_what_its_model_was_taught() -> None:
    brief = [replace(part, matures=moved(CONTACT, 1)) for part in CONTACT.rewards]
    entries = [logged(replace(CONTACT, rewards=tuple(brief)), [after(3)])]
    choice, factors = CONTACT.choice, CONTACT.choice.factors
    learnt = replace(choice, factors=replace(factors, baseline=0.1))
    assert predictions_of(entries, REWARD, LATER).outcomes.tolist() == [0.0]
    assert predictions_of(entries, REWARD, LATER, lambda _: learnt).outcomes.tolist() == [0.0]
    taught = predictions_of(entries, REWARD, LATER, lambda _: learnt, {choice.action.message})
    assert taught.outcomes.tolist() == [1.0]


def test_certainty_that_was_wrong_is_no_accident() -> None:
    sure = by_arm(["mail"] * 40, np.zeros(40), np.ones(40), np.arange(40))
    assert whatever_ties(sure) == 0.0
    assert not sure[0].holds
    with pytest.raises(TrainingError, match="predictions that are no numbers: got 1"):
        by_arm(["mail"], np.array([np.nan]), np.ones(1), np.arange(1))


def test_who_left_is_told_and_a_model_of_rewards_is_there_for_enough_decisions() -> None:
    entries = log(400)
    left = [replace(entries[0], outcomes=[after(1, "unsubscribed")]), *entries[1:]]
    evidence = gather(left, REWARD, LATER + timedelta(days=1), RandomEligible(kind="random"))
    assert evidence.unsubscribes.tolist() == [True] + [False] * 399
    assert evidence.predictions is not None
    assert evidence.predictions.shape == evidence.candidate.logged.shape
    assert gather(left[:50], REWARD, LATER, RandomEligible(kind="random")).predictions is None


def test_a_margin_is_a_share() -> None:
    with pytest.raises(TrainingError, match=r"unfit margin: got 1\.2"):
        Reward(Goal(), margin=1.2)
