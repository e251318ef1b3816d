"""What a loser would have needed: enough, and not more than enough."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from tactful.decisions.analysis.remedies import Remedy, remedies
from tactful.decisions.analysis.what_if import Changes, what_if
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.selection import Greedy
from tactful.decisions.kernel.decide import Request
from tests.decisions.retailer import CATALOGUE, LAPSING, RETAILER, KnownScorer, at, compiled, contact, decided, having
from tests.decisions.test_properties import snapshots

GREEDY = Greedy(kind="greedy")


def would_win(snapshot: Snapshot, action: str, **changes: Any) -> bool:
    changed = what_if(Request("d1", snapshot), RETAILER, GREEDY, KnownScorer(), Changes(**changes))
    return changed.outcome == action


def found(snapshot: Snapshot, action: str) -> dict[str, Remedy]:
    return {remedy.kind: remedy for remedy in remedies(Request("d1", snapshot), RETAILER, KnownScorer())[action]}


def valued(amount: float) -> dict[str, Any]:
    return {"value": amount}


def scored(mean: float) -> dict[str, Any]:
    return {"response": {"mean": mean}, "offer": None}


@pytest.mark.parametrize(("kind", "fields", "most"), [("value", valued, 1e7), ("score", scored, 1.0)])
@settings(max_examples=40)
@given(snapshot=snapshots)
def test_what_is_enough_wins_a_little_less_does_not_and_where_there_is_none_nor_does_the_most(
    snapshot: Snapshot, kind: str, fields: Callable[[float], dict[str, Any]], most: float
) -> None:
    request = Request("d1", snapshot)
    decision = what_if(request, RETAILER, GREEDY, KnownScorer(), Changes())
    by_action = remedies(request, RETAILER, KnownScorer())
    for candidate in decision.survivors:
        if candidate is decision.choice:
            continue
        action, message = candidate.action.id, candidate.action.message
        needed = next((remedy.needed for remedy in by_action[action] if remedy.kind == kind), None)
        if needed is None:
            assert not would_win(snapshot, action, messages={message: fields(most)})
        else:
            assert isinstance(needed, float)
            assert would_win(snapshot, action, messages={message: fields(needed)})
            less = needed - 4e-6 * max(1.0, abs(needed))
            assert not would_win(snapshot, action, messages={message: fields(less)})


def test_an_effect_that_a_discount_eats_into_has_to_be_larger() -> None:
    """The discount is paid on every response, those included that would have come without the message."""
    rivals = compiled(
        CATALOGUE.replace("objective: propensity", "objective: effect")
        .replace("response:", "effect:")
        .replace("offer: {kind: A, days: 30}", "effect: {mean: 0.1}\n        response: {mean: 0.3}")
        .replace("{{ offer.days }}", "30")
        .replace("value: features.spend * 0.1", "value: 20")
        .replace("value: 10\n", "value: 41\n")
    )
    found = remedies(Request("d1", LAPSING), rivals, KnownScorer())["win_back/come_back_coupon/email"]
    (score,) = (remedy for remedy in found if remedy.kind == "score")
    assert score.needed == pytest.approx((41 * 0.1 + 2 * 0.3) / 20, rel=1e-4)


def test_the_score_needed_is_as_exact_where_the_effect_is_harmful_now() -> None:
    harmful = compiled(
        CATALOGUE.replace("objective: propensity", "objective: effect")
        .replace("response:", "effect:")
        .replace("offer: {kind: A, days: 30}", "effect: {mean: -0.1}\n        response: {mean: 0.3}")
        .replace("{{ offer.days }}", "30")
        .replace("value: features.spend * 0.1", "value: 20")
        .replace("value: 10\n", "value: 41\n")
    )
    found = remedies(Request("d1", LAPSING), harmful, KnownScorer())["win_back/come_back_coupon/email"]
    (score,) = (remedy for remedy in found if remedy.kind == "score")
    assert score.needed == pytest.approx((41 * 0.1 + 2 * 0.3) / 20, rel=1e-4)


@settings(max_examples=40)
@given(snapshots)
def test_every_remedy_of_an_excluded_action_makes_it_win(snapshot: Snapshot) -> None:
    for action, changes in remedies(Request("d1", snapshot), RETAILER, KnownScorer()).items():
        for remedy in changes:
            if remedy.kind == "time":
                assert would_win(snapshot, action, moment=remedy.needed)
            elif remedy.kind == "policy":
                assert would_win(snapshot, action, policies={remedy.subject.split("[")[0]: None})
            elif remedy.kind == "consent":
                assert would_win(snapshot, action, consents={(action.split("/")[-1], "marketing"): True})


def test_a_full_cap_says_how_high_it_would_have_to_be() -> None:
    crowded = having(contacts=tuple(contact(days, "sms") for days in (2, 3, 4)))
    remedy = found(crowded, "win_back/come_back_coupon/email")["cap"]
    assert (remedy.subject, remedy.current, remedy.needed) == ("weekly", 2.0, 4.0)
    assert found(crowded, "win_back/come_back_coupon/email")["time"].needed == at(3 - 7)


def test_a_sibling_on_a_cheaper_channel_is_never_beaten_by_value() -> None:
    assert "value" not in found(LAPSING, "win_back/come_back_coupon/mail")


def test_a_response_above_one_is_no_remedy() -> None:
    hopeless = compiled(CATALOGUE.replace("value: 10\n", "value: 0.02\n"))
    kinds = {r.kind for r in remedies(Request("d1", LAPSING), hopeless, KnownScorer())["win_back/miss_you/email"]}
    assert kinds == {"value"}


def test_an_action_that_two_gates_exclude_has_no_single_remedy() -> None:
    poor = having(features=(30.0, 50.0), consents={("mail", "marketing"): True})
    assert remedies(Request("d1", poor), RETAILER, KnownScorer())["win_back/come_back_coupon/email"] == ()


def test_the_winner_needs_nothing() -> None:
    assert decided(LAPSING).outcome not in remedies(Request("d1", LAPSING), RETAILER, KnownScorer())


@pytest.mark.parametrize("consent", [True, False])
def test_a_missing_consent_is_a_remedy_where_it_is_the_only_obstacle(consent: bool) -> None:
    snapshot = having(consents={("mail", "marketing"): True, ("email", "marketing"): consent})
    changes = remedies(Request("d1", snapshot), RETAILER, KnownScorer()).get("win_back/come_back_coupon/email")
    assert changes is None if consent else {remedy.kind for remedy in changes or ()} == {"consent"}
