"""One decision service: who is asked about, what is recorded, what goes wrong with whom."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest

from tactful.decisions.base.snapshot import Contact
from tactful.serving.engine.drafts import DecisionCommand, DecisionResult
from tactful.serving.engine.in_force.pointer import HISTORY
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import (
    DecisionConflictError,
    NotReadyError,
    StoreError,
    UnknownCustomerError,
    UnknownDecisionError,
)
from tactful.serving.settings import Settings
from tactful.serving.store.port import Arrival, History, Profile
from tests.serving.shop import ALLOWED, CATALOGUE, NOW, export_bundle

Opener = Callable[[], DecisionService]


def ledger(service: DecisionService) -> list[tuple[str, str, str]]:
    entries = service.store.ledger(service.tenant)
    return [(customer, contact.id, status) for customer, status, contact in entries if status != "sent"]


def profile(service: DecisionService, customer: str, **attributes: object) -> None:
    profiles = [Profile(customer, attributes=attributes, consents=ALLOWED)]
    service.store.load(service.tenant, History("UTC", NOW, profiles))


@pytest.mark.parametrize(
    ("customer", "outcome"),
    [
        ("leaver", "win_back/miss_you/email"),
        ("thankful", "thanks/thank_you/email"),
        ("celebrant", "birthday/happy_birthday/email"),
        ("regular", "silence"),
        ("complainer", "silence"),
        ("refuser", "silence"),
    ],
)
def test_each_state_gets_its_message_or_silence(service: DecisionService, customer: str, outcome: str) -> None:
    answer = service.decide(customer, "d1")
    assert answer.decision.outcome == outcome
    assert (answer.text is None) == (outcome == "silence")
    assert answer.currency == "USD"


def test_a_message_is_reserved_before_it_is_told(service: DecisionService) -> None:
    decision = service.decide("thankful", "d1").decision
    assert ledger(service) == [("thankful", "d1", "reserved")]
    ((_, _, contact),) = [e for e in service.store.ledger(service.tenant) if e[0] == "thankful"]
    assert decision.choice is not None
    assert contact == Contact(
        NOW, "email", "thanks", "thank_you", ("service",), decision.choice.opening, counts=True, id="d1"
    )


def test_silence_reserves_nothing(service: DecisionService) -> None:
    service.decide("regular", "d1")
    assert ledger(service) == []
    assert service.decision("d1").decision.choice is None


def test_no_opening_is_answered_twice(service: DecisionService) -> None:
    assert service.decide("thankful", "d1").decision.choice is not None
    second = service.decide("thankful", "d2").decision
    assert {e.gate for c in second.candidates for e in c.exclusions} == {"duplicate"}


def test_a_decision_told_again_is_the_same(service: DecisionService, open_shop: Opener) -> None:
    first = service.decide("thankful", "d1")
    for again in (service.decision("d1"), service.decide("thankful", "d1"), open_shop().decision("d1")):
        assert again.decision.as_bytes() == first.decision.as_bytes()
        assert again.text == first.text
    assert ledger(service) == [("thankful", "d1", "reserved")]


def test_a_decision_keeps_its_text_when_the_catalogue_changes(
    service: DecisionService, open_shop: Opener, shop: Settings
) -> None:
    first = service.decide("thankful", "d1")
    shop.catalogue.write_text(CATALOGUE.replace("Thank you for", "Thanks a lot for"))
    export_bundle(shop.data / "bundles" / "first", seed=1)
    newer = open_shop()
    for told in (service.decide("thankful", "d1"), newer.decision("d1"), newer.decide("thankful", "d1")):
        assert told.text == first.text
        assert told.decision.versions == first.decision.versions


def test_a_decision_is_told_without_text_once_the_personal_data_are_gone(
    service: DecisionService, shop: Settings
) -> None:
    service.decide("thankful", "d1")
    connection = sqlite3.connect(shop.store.removeprefix("sqlite:///"))
    connection.execute("UPDATE decisions SET inputs = NULL")
    connection.commit()
    connection.close()
    told = service.decision("d1")
    assert told.text is None
    assert told.decision.choice is not None


def test_a_stranger_is_an_error(service: DecisionService) -> None:
    with pytest.raises(UnknownCustomerError, match="got 'nobody'"):
        service.decide("nobody", "d1")
    with pytest.raises(UnknownDecisionError, match="got 'd1'"):
        service.decision("d1")


def test_an_id_belongs_to_one_customer(service: DecisionService) -> None:
    service.decide("regular", "d1")
    with pytest.raises(DecisionConflictError, match="got 'd1'"):
        service.decide("thankful", "d1")
    assert ledger(service) == []


def test_a_person_is_asked_about_by_any_id_and_answered_once(service: DecisionService) -> None:
    service.store.ingest(service.tenant, [Arrival("i1", "thankful", alias="device")], NOW)
    told = service.decide("device", "d1")
    assert told.decision.customer == "thankful"
    for name in ("device", "thankful"):
        assert service.decide(name, "d1").decision.as_bytes() == told.decision.as_bytes()
    assert ledger(service) == [("thankful", "d1", "reserved")]
    with pytest.raises(DecisionConflictError, match="got 'd1'"):
        service.decide("leaver", "d1")


def test_an_unreadable_ledger_means_silence(service: DecisionService, shop: Settings) -> None:
    connection = sqlite3.connect(shop.store.removeprefix("sqlite:///"))
    connection.execute("DROP TABLE ledger")
    connection.close()
    decision = service.decide("thankful", "d1").decision
    assert decision.choice is None
    assert all("history" in {e.gate for e in c.exclusions} for c in decision.candidates)
    assert service.decision("d1").decision.as_bytes() == decision.as_bytes()


def test_a_message_whose_text_does_not_fit_is_excluded_and_not_reserved(
    service: DecisionService, shop: Settings
) -> None:
    profile(service, "long", first_name="A" * 60, birthday="1990-05-06")
    shop.catalogue.write_text(CATALOGUE.replace("cost: 0.01,", "cost: 0.01, max_length: 65,"))
    told = service.decide("long", "d1")
    gates = {c.action.id: [e.gate for e in c.exclusions] for c in told.decision.candidates}
    assert gates["birthday/happy_birthday/email"] == ["text"]
    assert (told.decision.outcome, told.text, ledger(service)) == ("silence", None, [])
    assert service.decision("d1").decision.as_bytes() == told.decision.as_bytes()


def test_a_text_that_an_earlier_release_took_is_told_without_its_words(
    service: DecisionService, open_shop: Opener, shop: Settings
) -> None:
    made = service.decide("thankful", "d1")
    assert made.text is not None
    connection = sqlite3.connect(shop.store.removeprefix("sqlite:///"))
    with connection:
        connection.execute(
            "UPDATE catalogues SET content = replace(content, ?, ?)", ("| round }} USD", "| safe }} USD")
        )
    connection.close()
    again = open_shop().decision("d1")
    assert again.text is None
    assert again.decision.as_bytes() == made.decision.as_bytes()


def test_what_goes_wrong_with_one_ask_is_its_own_outcome(service: DecisionService, shop: Settings) -> None:
    profile(service, "long", first_name="A" * 60, birthday="1990-05-06")
    shop.catalogue.write_text(CATALOGUE.replace("cost: 0.01,", "cost: 0.01, max_length: 65,"))
    service.decide("regular", "taken")
    customers = ["thankful", "nobody", "long", "leaver"]
    asks = [DecisionCommand(customer, f"d-{customer}", NOW) for customer in customers] + [
        DecisionCommand("leaver", "taken", NOW)
    ]
    thankful, nobody, long, leaver, taken = service.decide_many(asks)
    assert isinstance(thankful, DecisionResult)
    assert isinstance(leaver, DecisionResult)
    assert isinstance(nobody, UnknownCustomerError)
    assert isinstance(taken, DecisionConflictError)
    assert isinstance(long, DecisionResult)
    assert long.decision.outcome == "silence"
    assert [id_ for _, id_, _ in ledger(service)] == ["d-leaver", "d-thankful"]


def test_asks_about_one_customer_follow_on_one_another(service: DecisionService) -> None:
    asks = [DecisionCommand("thankful", f"d{i}", NOW) for i in range(4)] + [DecisionCommand("thankful", "d0", NOW)]
    answers = service.decide_many(asks)
    outcomes = [answer.decision.outcome for answer in answers if isinstance(answer, DecisionResult)]
    assert outcomes == ["thanks/thank_you/email", "silence", "silence", "silence", "thanks/thank_you/email"]
    assert len(ledger(service)) == 1


def test_deciding_in_a_group_or_one_by_one_is_the_same(service: DecisionService) -> None:
    customers = ["regular", "leaver", "thankful", "complainer", "celebrant"]
    together = service.decide_many([DecisionCommand(customer, f"d-{customer}", NOW) for customer in customers])
    for answer, customer in zip(together, customers, strict=True):
        assert isinstance(answer, DecisionResult)
        assert service.decision(f"d-{customer}").text == answer.text
        alone = service.decide(customer, f"d-{customer}")
        assert alone.decision.as_bytes() == answer.decision.as_bytes()
    assert service.decide_many([]) == []


def test_where_the_models_are_gone_only_old_decisions_are_known(
    service: DecisionService, open_shop: Opener, shop: Settings
) -> None:
    first = service.decide("thankful", "d1")
    shop.champion.with_name(HISTORY).write_text("bundle\n", encoding="utf-8")
    shop.champion.unlink()
    newer = open_shop()
    assert newer.decide("thankful", "d1").text == first.text
    with pytest.raises(NotReadyError, match="nothing to decide with"):
        newer.decide("leaver", "d2")


def test_a_decision_whose_catalogue_is_lost_is_an_error(
    service: DecisionService, open_shop: Opener, shop: Settings
) -> None:
    service.decide("thankful", "d1")
    connection = sqlite3.connect(shop.store.removeprefix("sqlite:///"))
    connection.execute("DELETE FROM catalogues")
    connection.commit()
    connection.close()
    assert service.decision("d1").text is not None
    with pytest.raises(StoreError, match="a catalogue that was not kept"):
        open_shop().decision("d1")


def test_nothing_after_the_moment_is_known(service: DecisionService) -> None:
    early = replace(DecisionCommand("thankful", "d1", NOW), moment=NOW.replace(day=1))
    (answer,) = service.decide_many([early])
    assert isinstance(answer, DecisionResult)
    assert answer.decision.choice is None
