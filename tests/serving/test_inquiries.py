"""What is asked about customers: answered as a decision would be, and nothing is written."""

from datetime import timedelta
from math import isnan

import pytest

from tactful.decisions.analysis.what_if import Changes
from tactful.serving.engine.queries.customers import customer_view, programmes, suppose, suppose_again
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import UnknownCustomerError, UnknownDecisionError, UnknownItemError
from tests.serving.shop import NOW


def test_a_portrait_shows_what_a_decision_is_made_from(service: DecisionService) -> None:
    seen = customer_view(service, "leaver")
    assert seen.known.attributes["first_name"] == "Ada"
    assert seen.features["days_since_purchase"] == pytest.approx(45)
    assert isnan(seen.features["days_since_redemption"])
    assert {o.programme for o in seen.decision.openings} == {"win_back"}
    (lapse,) = seen.explained
    assert (lapse.score, lapse.value) == ("lapse", seen.decision.scores["lapse"])
    assert lapse.reasons[0].value == pytest.approx(seen.features[lapse.reasons[0].column], nan_ok=True)
    assert {channel: counts["28d"] for channel, counts in seen.pressure.items()} == {"email": 0, "mail": 0, "sms": 0}
    assert {channel: free.moment for channel, free in seen.free.items()} == {"email": NOW, "mail": NOW, "sms": NOW}


def test_contact_pressure_and_the_next_free_moment_follow_the_ledger(service: DecisionService) -> None:
    told = service.decide("leaver", "d1").decision
    assert told.choice is not None
    channel = told.choice.action.channel
    seen = customer_view(service, "leaver")
    assert seen.pressure[channel] == {"1d": 1, "7d": 1, "28d": 1}
    if channel == "mail":
        assert seen.free["mail"].moment == NOW + timedelta(days=28)
        assert [reason.rule for reason in seen.free["mail"].reasons] == ["monthly_mail"]


def test_asking_writes_nothing(service: DecisionService) -> None:
    customer_view(service, "thankful")
    suppose(service, "thankful", Changes(scores={"lapse": 0.9}))
    assert list(service.store.decision_log(service.tenant)) == []
    assert all(status == "sent" for _, status, _ in service.store.ledger(service.tenant))


def test_a_supposition_changes_what_is_decided(service: DecisionService) -> None:
    assert suppose(service, "thankful", Changes()).decision.outcome == "thanks/thank_you/email"
    dearer = Changes(messages={"thank_you_short": {"value": 400.0}})
    assert suppose(service, "thankful", dearer).decision.outcome == "thanks/thank_you_short/sms"
    refused = Changes(consents={("email", "marketing"): False, ("sms", "marketing"): False})
    assert suppose(service, "thankful", refused).decision.choice is None


def test_a_past_decision_is_supposed_otherwise_with_its_own_inputs(service: DecisionService) -> None:
    service.decide("thankful", "d1")
    found = suppose_again(service, "d1", Changes(messages={"thank_you_short": {"value": 400.0}}))
    assert found.decision.outcome == "thanks/thank_you_short/sms", "the contact that d1 reserved is not in the way"
    assert found.currency == "USD"


def test_what_there_is_not_is_refused(service: DecisionService) -> None:
    with pytest.raises(UnknownCustomerError, match="nobody"):
        customer_view(service, "nobody")
    with pytest.raises(UnknownDecisionError, match="d9"):
        suppose_again(service, "d9", Changes())
    with pytest.raises(UnknownItemError, match=r"unknown score in a what-if: got 'laps'; wanted .*lapse"):
        suppose(service, "leaver", Changes(scores={"laps": 0.5}))


def test_programmes_come_in_the_marketers_order(service: DecisionService) -> None:
    found = programmes(service.champions.present())
    assert [programme["programme"] for programme in found] == ["win_back", "thanks", "birthday"]
    assert found[0]["messages"] == [{"message": "miss_you", "channels": ["email", "mail"], "state": "segment.leaving"}]
