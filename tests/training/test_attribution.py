"""What came of decisions: windows, delivery, late and foreign outcomes."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.features.timestamps import microseconds
from tactful.training.data.attribution import Delivery, Goal, LoggedDecision, delivered_contacts, every_decision
from tactful.training.data.errors import TrainingError
from tactful.training.data.rows import DecisionRows
from tests.decisions.retailer import CATALOGUE, compiled
from tests.training.decided import FEATURES, LATER, after, chosen, dated, log, logged, made, moved

MADE = made(40)
CONTACT = chosen(MADE, "miss_you")
SILENT = chosen(MADE, None)
WEEK = Goal()


def effects_of(*log: LoggedDecision, goal: Goal = WEEK) -> DecisionRows:
    return every_decision(log, goal, LATER, feature_names=FEATURES)


def responses_of(*log: LoggedDecision, goal: Goal = WEEK) -> DecisionRows:
    return delivered_contacts(log, goal, LATER, feature_names=FEATURES)


@given(days=st.floats(-5, 15, allow_nan=False))
def test_an_outcome_counts_from_the_decision_to_the_end_of_its_window(days: float) -> None:
    rows = effects_of(logged(CONTACT, [after(days)]))
    counts = timedelta() <= timedelta(days=days) < timedelta(days=7)
    assert (rows.outcomes.tolist(), rows.values.tolist()) == ([float(counts)], [10.0 * counts])


def test_rows_bear_the_features_probabilities_and_arms_of_the_moment() -> None:
    rows = effects_of(logged(CONTACT), logged(SILENT))
    assert rows.arms[0] == "silence"
    assert rows.taken_arms.tolist() == ["miss_you", "silence"]
    assert rows.feature_names == FEATURES
    by_arm = {c.action.message: 0.0 for c in CONTACT.survivors}
    for candidate in CONTACT.survivors:
        by_arm[candidate.action.message] += candidate.probability
    assert {arm: p for arm, p in zip(rows.arms, rows.probabilities[0], strict=True) if p and arm != "silence"} == by_arm
    assert np.allclose(rows.probabilities.sum(axis=1), 1)


def test_a_row_whose_window_is_open_waits() -> None:
    young = every_decision([logged(CONTACT), logged(SILENT)], WEEK, moved(CONTACT, 7), feature_names=FEATURES)
    assert len(young) == 2
    with pytest.raises(TrainingError, match=r"no decision to learn from: got '1 window still open'"):
        every_decision([logged(CONTACT)], WEEK, moved(CONTACT, 6.99), feature_names=FEATURES)


def test_the_record_says_each_messages_window_for_responses_and_the_longest_for_effects() -> None:
    long = compiled(CATALOGUE.replace("value: 10\n", "value: 10\n        attribution_window: 28d\n"))
    decisions = made(200, catalogue=long)
    patient, brief, silent = (chosen(decisions, message) for message in ("miss_you", "come_back_coupon", None))
    late = [after(20)]
    assert responses_of(logged(patient, late)).outcomes.tolist() == [1.0]
    assert responses_of(logged(brief, late)).outcomes.tolist() == [0.0]
    assert effects_of(logged(brief, late), logged(silent, late)).outcomes.tolist() == [1.0, 1.0]
    young = every_decision([logged(brief), logged(silent)], WEEK, moved(silent, 28), feature_names=FEATURES)
    assert set(young.settled.tolist()) == {microseconds(moved(silent, 28))}
    with pytest.raises(TrainingError, match="got '1 window still open'"):
        delivered_contacts([logged(patient)], WEEK, moved(patient, 27), feature_names=FEATURES)


def test_a_record_that_states_no_window_has_the_goals() -> None:
    old = replace(CONTACT, rewards=())
    goal = Goal(window=timedelta(days=14))
    assert responses_of(logged(old, [after(10)]), goal=goal).outcomes.tolist() == [1.0]
    assert responses_of(logged(CONTACT, [after(10)]), goal=goal).outcomes.tolist() == [0.0]
    assert goal.longest([logged(old), logged(CONTACT)]) == timedelta(days=14)
    assert goal.longest([]) == timedelta(days=14)


def test_rows_of_other_customers_or_channels_are_other_rows() -> None:
    rows = every_decision([logged(CONTACT)], Goal(), LATER, feature_names=FEATURES)
    other = np.array(["somebody else"], dtype=object)
    digests = {rows.digest, replace(rows, customers=other).digest, replace(rows, channels=other).digest}
    assert len(digests) == 3


def test_a_late_outcome_corrects_the_label_and_the_digest_and_nothing_else() -> None:
    before = effects_of(logged(CONTACT), logged(SILENT))
    later = effects_of(logged(SILENT), logged(CONTACT, [after(3)]))
    assert (before.outcomes.tolist(), later.outcomes.tolist()) == ([0.0, 0.0], [0.0, 1.0])
    assert before.digest != later.digest
    again = effects_of(logged(CONTACT, [after(3)]), logged(SILENT))
    assert again.digest == later.digest


@pytest.mark.parametrize("delivery", [d for d in Delivery if d is not Delivery.SENT])
def test_what_was_not_delivered_is_no_rejection(delivery: Delivery) -> None:
    lost = logged(CONTACT, delivery=delivery)
    for rows in (responses_of(lost, logged(chosen(MADE, "come_back_coupon"))), effects_of(lost, logged(SILENT))):
        assert len(rows) == 1
        assert rows.left_out == {f"not delivered: {delivery.value}": 1}


def test_probabilities_are_those_given_delivery() -> None:
    silent = [decision for decision in MADE if decision.choice is None]
    sent = [decision for decision in MADE if decision.choice and decision.choice.action.message == "miss_you"]
    half = [logged(d, delivery=Delivery.EXPIRED if i % 2 else Delivery.SENT) for i, d in enumerate(sent)]
    kept, lost = (len(sent) + 1) // 2, len(sent) // 2
    rows = effects_of(*half, *map(logged, silent))
    arm = rows.arms.index("miss_you")
    plain = next(i for i in range(len(rows)) if set(np.flatnonzero(rows.probabilities[i])) == {0, arm})
    decision = next(d for d in MADE if d.id == rows.ids[plain])
    contacted = (1 - decision.silence_probability) * kept / (kept + lost)
    wanted = contacted / (contacted + decision.silence_probability)
    assert rows.probabilities[plain, arm] == pytest.approx(wanted)


def test_erased_features_and_silence_without_a_choice_are_counted() -> None:
    forced = replace(SILENT, candidates=(), probability=1.0, silence_probability=1.0)
    rows = effects_of(logged(CONTACT), logged(forced), replace(logged(SILENT), features=None))
    assert rows.left_out == {"no choice but silence": 1, "features erased": 1}


def test_an_outcome_answers_the_decision_it_names_else_the_last_contact_before_it() -> None:
    second = replace(dated(CONTACT, moved(CONTACT, 2)), id="second")
    unnamed, named = [after(3)], [after(3, decision=CONTACT.id)]
    last = responses_of(logged(CONTACT, unnamed), logged(second, unnamed))
    assert dict(zip(last.ids, last.outcomes, strict=True)) == {CONTACT.id: 0.0, "second": 1.0}
    told = responses_of(logged(CONTACT, named), logged(second, named))
    assert dict(zip(told.ids, told.outcomes, strict=True)) == {CONTACT.id: 1.0, "second": 0.0}
    undelivered = logged(second, unnamed, Delivery.RELEASED)
    assert responses_of(logged(CONTACT, unnamed), undelivered).outcomes.tolist() == [1.0]


def test_other_kinds_of_outcomes_do_not_count() -> None:
    assert responses_of(logged(CONTACT, [after(1, "opened")])).outcomes.tolist() == [0.0]
    assert responses_of(logged(CONTACT, [after(1, "opened")]), goal=Goal(kinds=("opened",))).outcomes.tolist() == [1.0]


def test_a_log_in_any_order_gives_the_same_rows() -> None:
    entries = log(200)
    assert effects_of(*entries).where(np.ones(len(entries), bool)).digest == effects_of(*reversed(entries)).digest


def test_arms_stand_in_one_order_whichever_was_seen_first() -> None:
    decisions = [chosen(MADE, message) for message in ("miss_you", "come_back_coupon")]
    entries = [logged(replace(one, candidates=(one.choice,))) for one in decisions if one.choice]
    rows, again = effects_of(*entries), effects_of(*reversed(entries))
    assert rows.arms == again.arms == ("silence", "come_back_coupon", "miss_you")
    assert rows.taken_arms.tolist() == again.taken_arms.tolist()[::-1] == ["miss_you", "come_back_coupon"]
    assert rows.digest == again.digest


def test_mistakes_are_told() -> None:
    with pytest.raises(TrainingError, match="features of another number: got 2; wanted 1; at decision"):
        every_decision([logged(CONTACT)], WEEK, LATER, feature_names=("one",))
    with pytest.raises(TrainingError, match="unfit attribution window"):
        Goal(window=timedelta())
    with pytest.raises(TrainingError, match="a goal without outcomes"):
        Goal(kinds=())
    with pytest.raises(TrainingError, match="features that were not logged: got \\['height'\\]"):
        effects_of(logged(CONTACT)).columns(["height"])
