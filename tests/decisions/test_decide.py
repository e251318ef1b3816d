"""What is chosen, and what is not."""

import dataclasses
from datetime import UTC, date, datetime

import pytest

from tactful.decisions.base.errors import SnapshotError
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.selection import PriorityList
from tactful.decisions.kernel.decide import RunContext, decide
from tests.decisions.retailer import (
    CATALOGUE,
    LAPSING,
    NOON,
    RETAILER,
    KnownScorer,
    at,
    compiled,
    contact,
    decided,
    event,
    having,
    reasons,
)


def test_the_action_worth_most_is_chosen() -> None:
    decision = decided(LAPSING)
    assert decision.outcome == "win_back/come_back_coupon/email"
    chosen = decision.choice
    assert chosen is not None
    assert chosen.factors is not None
    assert chosen.factors.response == pytest.approx(0.2)
    assert chosen.priority == pytest.approx(0.2 * 20 - 2 * 0.2 - 0.01)
    assert decision.probability == 1.0


def test_a_customer_without_an_opening_gets_silence_with_the_reason_of_each_programme() -> None:
    decision = decided(having(features=(1.0, 10.0)))
    assert decision.choice is None
    assert {exclusion.rule for exclusion in decision.closed} == {"win_back", "birthday", "thanks"}
    assert "scores.lapse = 0.025" in next(e.observed for e in decision.closed if e.rule == "win_back")


def test_silence_wins_when_every_action_costs_more_than_it_brings() -> None:
    dear = compiled(CATALOGUE.replace("cost: 0.01", "cost: 9").replace("cost: 0.5", "cost: 9"))
    decision = decided(LAPSING, dear)
    assert decision.choice is None
    assert all(candidate.survives for candidate in decision.candidates)


def test_silence_wins_a_tie() -> None:
    worthless = compiled(CATALOGUE.replace("value: 5", "value: 1.25").replace("cost: 0.01", "cost: 0.25"))
    decision = decided(having(features=(1.0, 10.0), attributes={"birthday": date(1990, 5, 6)}), worthless)
    assert [candidate.priority for candidate in decision.candidates] == [0.0]
    assert decision.choice is None


def test_the_message_is_the_one_written_for_the_state() -> None:
    poor = decided(having(features=(30.0, 50.0)))
    assert poor.outcome == "win_back/miss_you/email"
    assert reasons(poor, "win_back/come_back_coupon/email") == {"state"}


def test_a_missing_consent_excludes_the_channel() -> None:
    decision = decided(having(consents={("mail", "marketing"): True, ("email", "marketing"): False}))
    assert decision.outcome == "win_back/come_back_coupon/mail"
    assert reasons(decision, "win_back/miss_you/email") == {"consent"}
    assert decided(having(consents={})).choice is None


def test_an_unreadable_ledger_means_silence() -> None:
    decision = decided(having(contacts=None))
    assert decision.choice is None
    assert all("history" in {e.gate for e in c.exclusions} for c in decision.candidates)


def test_every_gate_is_asked_without_short_circuit() -> None:
    decision = decided(
        having(
            moment=datetime(2026, 5, 6, 3, tzinfo=UTC),
            consents={},
            contacts=tuple(contact(days) for days in (0.6, 1, 2)),
            events=(event("complained", 3),),
        )
    )
    assert reasons(decision, "win_back/miss_you/email") == {"consent", "cap", "gap", "quiet_hours", "suppression"}


def test_an_answered_opening_is_not_answered_again() -> None:
    bought = having(features=(1.0, 10.0), events=(event("purchase", 1, id="p1", amount=80.0),))
    first = decided(bought)
    assert first.outcome == "thanks/thank_you/email"
    assert first.choice is not None
    again = having(bought, contacts=(contact(1.5, programme="thanks", opening=first.choice.opening),))
    assert reasons(decided(again), "thanks/thank_you/email") == {"duplicate"}


def test_a_programme_waits_before_it_is_entered_again() -> None:
    early = decided(having(contacts=(contact(10, programme="win_back"),)))
    exclusion = early.candidates[0].exclusions[0]
    assert exclusion.gate == "reentry"
    assert exclusion.until == at(10 - 28)
    assert decided(having(contacts=(contact(28, programme="win_back"),))).choice is not None


def test_capacity_that_is_used_up_excludes_the_channel() -> None:
    decision = decided(LAPSING, run_context=RunContext(capacity={"email": 0}))
    assert decision.outcome == "win_back/come_back_coupon/mail"


def test_a_shadow_price_moves_the_choice_to_the_other_channel() -> None:
    decision = decided(LAPSING, run_context=RunContext(prices={"email": 1.0}))
    assert decision.outcome == "win_back/come_back_coupon/mail"


def test_a_mandatory_message_goes_before_everything_even_at_a_loss() -> None:
    recall = CATALOGUE.replace("value: 5\n", "value: 0\n        mandatory: true\n")
    decision = decided(having(attributes={"birthday": date(1990, 5, 6)}), compiled(recall))
    assert decision.outcome == "birthday/happy_birthday/email"
    assert decision.silence_probability == 0


def test_a_superseded_programme_keeps_silent_until_the_other_is_answered() -> None:
    text = CATALOGUE.replace(
        "kind: event, type: purchase, where: event.amount >= 50.0, expiry: 3d}",
        "kind: event, type: purchase, where: event.amount >= 50.0, expiry: 3d}\n    supersedes: win_back",
    )
    catalogue = compiled(text)
    bought = having(events=(event("purchase", 1, id="p1", amount=80.0),))
    decision = decided(bought, catalogue)
    assert decision.outcome == "thanks/thank_you/email"
    assert reasons(decision, "win_back/miss_you/email") == {"superseded"}
    answered = having(bought, contacts=(contact(1.5, programme="thanks", opening="thanks:p1", channel="sms"),))
    assert decided(answered, catalogue).outcome == "win_back/come_back_coupon/email"


def test_a_programme_that_cannot_speak_supersedes_nothing() -> None:
    expiring = "kind: event, type: purchase, where: event.amount >= 50.0, expiry: 3d}"
    superseding = CATALOGUE.replace(
        expiring, f"{expiring}\n    supersedes: win_back\n    eligible: features.spend > 900.0"
    )
    bought = having(events=(event("purchase", 1, id="p1", amount=80.0),))
    assert decided(bought, compiled(superseding)).outcome == "win_back/come_back_coupon/email"


def test_the_first_of_two_mandatory_messages_goes_by_a_priority_list() -> None:
    both = CATALOGUE.replace("value: 10\n", "value: 1\n        mandatory: true\n").replace(
        "value: 5\n", "value: 50\n        mandatory: true\n"
    )
    snapshot = having(attributes={"birthday": date(1990, 5, 6)})
    decision = decided(snapshot, compiled(both), PriorityList(kind="priority_list"))
    assert decision.outcome == "win_back/miss_you/email"


def test_a_zone_that_is_none_closes_what_needs_one_and_nothing_else() -> None:
    decision = decided(having(zone="Mars/Olympus"))
    assert reasons(decision, "win_back/miss_you/email") == {"quiet_hours"}
    assert decision.outcome == "win_back/come_back_coupon/mail"


def test_a_held_out_customer_is_left_alone() -> None:
    catalogue = compiled(CATALOGUE.replace("objective:", "holdout: {share: 1.0, salt: all}\nobjective:"))
    decision = decided(LAPSING, catalogue)
    assert decision.choice is None
    assert reasons(decision, "win_back/miss_you/mail") == {"holdout"}


def test_a_mandatory_message_reaches_who_is_held_out() -> None:
    held_out = CATALOGUE.replace("objective:", "holdout: {share: 1.0, salt: all}\nobjective:")
    recall = compiled(held_out.replace("value: 5\n", "value: 0\n        mandatory: true\n"))
    decision = decided(having(attributes={"birthday": date(1990, 5, 6)}), recall)
    assert decision.outcome == "birthday/happy_birthday/email"
    assert reasons(decision, "win_back/miss_you/email") == {"holdout"}


def test_an_unknown_feature_closes_the_gate_instead_of_failing() -> None:
    decision = decided(having(features=(float("nan"), 200.0)))
    assert decision.choice is None
    unknown_value = decided(having(features=(30.0, float("nan"))))
    assert unknown_value.outcome == "win_back/miss_you/email"


def test_a_missing_attribute_that_a_condition_reads_is_a_reason() -> None:
    text = CATALOGUE.replace("id: birthday\n", "id: birthday\n    eligible: customer.first_name != ''\n")
    decision = decided(having(attributes={"birthday": date(1990, 5, 6)}), compiled(text))
    exclusion = next(e for c in decision.candidates for e in c.exclusions if e.gate == "eligibility")
    assert "customer.first_name" in exclusion.observed


def test_a_factor_that_is_not_a_number_excludes_the_action() -> None:
    text = CATALOGUE.replace("value: features.spend * 0.1", "value: 1.0 / (features.spend - 200.0)")
    decision = decided(LAPSING, compiled(text))
    assert reasons(decision, "win_back/come_back_coupon/email") == {"worth"}


def test_nothing_to_decide_is_no_decision() -> None:
    assert decide([], RETAILER, RETAILER.catalogue.policy, KnownScorer()) == []


@pytest.mark.parametrize(
    "changes", [{"moment": NOON.replace(tzinfo=None)}, {"events": (event("purchase", 0),)}], ids=["naive", "future"]
)
def test_a_snapshot_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SnapshotError):
        dataclasses.replace(LAPSING, **changes)  # type: ignore[arg-type]


def test_a_snapshot_keeps_its_customer() -> None:
    assert decided(Snapshot("c9", NOON, (30.0, 200.0), contacts=())).customer == "c9"
