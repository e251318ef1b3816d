"""After a decision: cleared once, released, answered; in doubt nobody is contacted."""

from datetime import timedelta

import pytest

from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import EVENT_TYPES, OutcomeKind
from tactful.serving.engine.contacts import clear, release, report
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import AlreadySentError, NothingToSendError, UnknownDecisionError
from tactful.serving.store.port import History, Profile
from tactful.serving.store.queries.contacts import ContactStatus
from tests.serving.shop import NOW

DAY = timedelta(days=1)


def consents(service: DecisionService, customer: str) -> dict[tuple[str, str], bool]:
    (known,) = service.store.customers(service.tenant, [(customer, NOW + DAY)])
    assert known is not None
    return dict(known.consents)


def statuses(service: DecisionService) -> dict[str, str]:
    return {contact.id: status for _, status, contact in service.store.ledger(service.tenant)}


def test_a_contact_is_cleared_once(service: DecisionService) -> None:
    service.decide("thankful", "d1")
    assert statuses(service)["d1"] == "reserved"
    assert clear(service, "d1").send
    assert statuses(service)["d1"] == "sent"
    again = clear(service, "d1")
    assert (again.send, [reason.observed for reason in again.reasons]) == (False, ["sent"])


def test_what_happened_meanwhile_stops_a_contact_and_gives_it_back(service: DecisionService) -> None:
    service.decide("thankful", "d1")
    refusal = Profile("thankful", consents={("email", "marketing"): False})
    service.store.load(service.tenant, History("America/New_York", NOW, [refusal]))
    found = clear(service, "d1")
    assert (found.send, [reason.gate for reason in found.reasons]) == (False, ["consent"])
    assert statuses(service)["d1"] == "released"


def test_a_released_contact_counts_no_more_and_is_not_sent(service: DecisionService) -> None:
    service.decide("thankful", "d1")
    assert release(service, "d1") is ContactStatus.RELEASED
    assert release(service, "d1") is ContactStatus.RELEASED
    assert not clear(service, "d1").send
    again = service.decide("thankful", "d2").decision
    assert again.outcome == "thanks/thank_you/email", "the opening is free again"


def test_a_sent_contact_stays_sent(service: DecisionService) -> None:
    service.decide("thankful", "d1")
    clear(service, "d1")
    with pytest.raises(AlreadySentError, match="d1"):
        release(service, "d1")


def test_an_expired_reservation_is_not_sent(service: DecisionService) -> None:
    service.decide("thankful", "d1")
    service.clock = lambda: NOW + timedelta(days=31)
    assert [reason.observed for reason in clear(service, "d1").reasons] == ["expired"]


def test_silence_leads_to_no_contact(service: DecisionService) -> None:
    service.decide("regular", "d1")
    for act in (clear, release):
        with pytest.raises(NothingToSendError, match="d1"):
            act(service, "d1")
    with pytest.raises(UnknownDecisionError, match="d9"):
        report(service, "d9", "opened", "m1")


def test_an_outcome_is_an_event_and_confirms_the_contact(service: DecisionService) -> None:
    service.decide("thankful", "d1")
    service.clock = lambda: NOW + DAY
    assert report(service, "d1", "clicked", "m1", NOW + timedelta(hours=2), 7.5)
    assert not report(service, "d1", "clicked", "m1", NOW + timedelta(hours=3), 9.0), "told again, it counts once"
    assert statuses(service)["d1"] == "sent"
    (known,) = service.store.customers(service.tenant, [("thankful", NOW + DAY)])
    assert known is not None
    (row,) = [row for row in known.events if EVENT_TYPES[row[1]] == "clicked"]
    assert (row[3], row[7], row[9]) == (7.5, "thank_you", "thanks")


@pytest.mark.parametrize("kind", ["unsubscribed", "complained"])
def test_unsubscribing_and_complaining_take_effect_at_once(service: DecisionService, kind: OutcomeKind) -> None:
    service.decide("thankful", "d1")
    assert consents(service, "thankful")["email", "marketing"]
    report(service, "d1", kind, "m1")
    assert not consents(service, "thankful")["email", "marketing"]
    assert consents(service, "thankful")["sms", "marketing"], "other channels are not concerned"


def test_the_time_of_an_outcome_lies_between_the_decision_and_now(service: DecisionService) -> None:
    service.decide("thankful", "d1")
    service.clock = lambda: NOW + DAY
    report(service, "d1", "opened", "early", NOW - DAY)
    report(service, "d1", "opened", "late", NOW + 9 * DAY)
    (known,) = service.store.customers(service.tenant, [("thankful", NOW + 2 * DAY)])
    assert known is not None
    opened = [row[0] for row in known.events if EVENT_TYPES[row[1]] == "opened"]
    assert opened == [microseconds(NOW), microseconds(NOW + DAY)]
