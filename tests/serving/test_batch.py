"""A run decides for everybody as the API would, once."""

from collections.abc import Callable

import pytest

from tactful.decisions.kernel.decision import Decision
from tactful.serving.engine.batch import decide_all, decision_id
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile
from tests.serving.shop import ALLOWED, CATALOGUE, NOW, ago


def bytes_of(decisions: tuple[Decision, ...]) -> list[bytes]:
    return [decision.as_bytes() for decision in decisions]


def test_everybody_gets_a_decision(service: DecisionService) -> None:
    told: list[tuple[int, int]] = []
    run = decide_all(service, "monday", progress=lambda done, of: told.append((done, of)))
    assert [decision.customer for decision in run.decisions] == service.store.customer_ids(service.tenant)
    assert run.moment == NOW
    assert run.messages == {"birthday": {"email": 1}, "thanks": {"email": 1}, "win_back": {"email": 1}}
    assert run.silences == {"consent": 1, "no opening": 1, "suppression": 1}
    assert run.failures == {}
    assert told == [(6, 6)]
    assert sum(status == "reserved" for _, status, _ in service.store.ledger(service.tenant)) == 3


def test_a_run_of_the_same_name_gives_the_same_decisions(service: DecisionService) -> None:
    first = decide_all(service, "monday", customers=["leaver", "thankful"])
    whole = decide_all(service, "monday")
    assert set(bytes_of(first.decisions)) < set(bytes_of(whole.decisions))
    assert bytes_of(decide_all(service, "monday").decisions) == bytes_of(whole.decisions)
    assert decide_all(service, "tuesday").messages == {}


def test_a_run_decides_as_the_api_does(service: DecisionService, open_shop: Callable[[], DecisionService]) -> None:
    for decision in decide_all(service, "monday").decisions:
        told = open_shop().decide(decision.customer, decision_id("monday", decision.customer))
        assert told.decision.as_bytes() == decision.as_bytes()


def test_a_run_has_its_moment(service: DecisionService) -> None:
    run = decide_all(service, "then", moment=ago(days=10))
    assert {decision.moment for decision in run.decisions} == {ago(days=10)}
    assert run.messages == {"win_back": {"email": 1}}


def test_a_text_that_does_not_fit_excludes_its_action_and_holds_nobody_up(
    service: DecisionService, shop: Settings
) -> None:
    named = Profile("long", attributes={"first_name": "A" * 60, "birthday": "1990-05-06"}, consents=ALLOWED)
    service.store.load(service.tenant, History("UTC", NOW, [named]))
    shop.catalogue.write_text(CATALOGUE.replace("cost: 0.01,", "cost: 0.01, max_length: 65,"))
    run = decide_all(service, "monday")
    assert (run.failures, len(run.decisions)) == ({}, 7)
    (long,) = (decision for decision in run.decisions if decision.customer == "long")
    assert long.choice is None
    assert "text" in {exclusion.gate for candidate in long.candidates for exclusion in candidate.exclusions}


def test_without_a_champion_nothing_is_decided(service: DecisionService, shop: Settings) -> None:
    shop.catalogue.unlink()
    with pytest.raises(NotReadyError):
        decide_all(service, "monday")
