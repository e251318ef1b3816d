"""Decisions over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tactful.serving.api.decisions.schemas import DecisionAnswer
from tactful.serving.engine.service import DecisionService
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile
from tests.serving.earlier import rewrite
from tests.serving.shop import NOW


def decided(client: httpx.Client, customer: str, **given: Any) -> dict[str, Any]:
    response = client.post("/v1/decisions", json={"customer_id": customer, **given})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    told: dict[str, Any] = response.json()
    DecisionAnswer.model_validate(told, extra="forbid")
    return told


def test_a_message_is_told_with_its_text_and_its_reasons(client: httpx.Client) -> None:
    told = decided(client, "thankful", id="d1")
    assert (told["id"], told["customer_id"], told["moment"]) == ("d1", "thankful", NOW.isoformat())
    choice = told["choice"]
    assert choice["action"] == "thanks/thank_you/email"
    assert (choice["programme"], choice["message"], choice["channel"]) == ("thanks", "thank_you", "email")
    assert (choice["subject"], choice["body"]) == ("Thank you", "Thank you for 80 USD.")
    assert choice["priority"] == pytest.approx(0.2 * 5 - 0.01)
    assert (choice["probability"], told["probability"], told["silence_probability"]) == (1.0, 1.0, 0.0)
    assert told["silence"] is None
    assert 0 < told["scores"]["lapse"] < 1
    assert [other["action"] for other in told["runners_up"]] == ["thanks/thank_you_short/sms"]
    assert {closed["programme"] for closed in told["closed"]} == {"win_back", "birthday"}
    assert told["explanation"].startswith("Chosen: thank_you of thanks by email")


def test_the_rewards_of_a_message_and_of_silence_are_told_with_the_moments_they_are_known(client: httpx.Client) -> None:
    margin, cost = decided(client, "thankful")["rewards"]
    answered = (NOW + timedelta(days=7)).isoformat()
    assert (margin["component"], margin["matures"]) == ("margin", answered)
    assert margin["expected"] == pytest.approx(0.2 * 5)
    assert cost == {"component": "cost", "expected": -0.01, "matures": NOW.isoformat()}
    assert decided(client, "regular")["rewards"] == [{"component": "margin", "expected": 0.0, "matures": answered}]


def test_a_decision_of_kernel_3_is_told_and_listed_as_it_was(client: httpx.Client, shop: Settings) -> None:
    told = decided(client, "thankful", id="d1")
    rewrite(shop.store, "d1", kernel="3")
    again = decided(client, "thankful", id="d1")
    assert again == client.get("/v1/decisions/d1").json()
    assert told.keys() - again.keys() == {"rewards"}
    assert again["versions"] == {**told["versions"], "kernel": "3"}
    assert again["explanation"] == told["explanation"].replace("; its outcome is known on 2026-05-13 16:00 UTC", "")
    (listed,) = client.get("/v1/decisions").json()["decisions"]
    assert (listed["id"], listed["outcome"]) == ("d1", "thanks/thank_you/email")


def test_only_the_channels_asked_for_are_chosen(client: httpx.Client) -> None:
    told = decided(client, "thankful", channels=["sms"])
    assert told["choice"]["action"] == "thanks/thank_you_short/sms"
    (reason,) = next(e["reasons"] for e in told["excluded"] if e["action"] == "thanks/thank_you/email")
    assert (reason["gate"], reason["observed"], reason["limit"]) == ("channel", "not asked for", "sms")


def test_silence_is_told_with_its_reason(client: httpx.Client) -> None:
    told = decided(client, "regular")
    assert (told["choice"], told["silence"]) == (None, "no opening")
    assert told["explanation"].startswith("Silence: no programme is open")


def test_whoever_is_excluded_is_told_every_reason(client: httpx.Client) -> None:
    told = decided(client, "complainer")
    assert told["silence"] == "suppression"
    (reason,) = told["excluded"][0]["reasons"]
    assert (reason["gate"], reason["rule"]) == ("suppression", "complaint")
    assert reason["observed"] == "complained 12.0 hours ago"
    assert reason["until"] == "2026-06-05T04:00:00+00:00"


def test_what_was_told_counts_toward_the_next_decision(client: httpx.Client) -> None:
    assert decided(client, "thankful")["choice"] is not None
    told = decided(client, "thankful")
    assert told["silence"] == "duplicate"


def test_a_decision_is_told_again_in_the_same_bytes(client: httpx.Client) -> None:
    for customer in ("thankful", "regular", "leaver"):
        body = {"customer_id": customer, "id": f"d-{customer}"}
        first = client.post("/v1/decisions", json=body)
        assert client.get(f"/v1/decisions/d-{customer}").content == first.content
        assert client.post("/v1/decisions", json=body).content == first.content


def test_an_id_is_made_up_where_none_is_given(client: httpx.Client) -> None:
    ids = {decided(client, "regular")["id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(client.get(f"/v1/decisions/{id_}").status_code == 200 for id_ in ids)


def test_a_customer_without_a_known_past_is_decided_about_too(client: httpx.Client, service: DecisionService) -> None:
    service.store.load(service.tenant, History("UTC", NOW, [Profile("newcomer")]))
    assert decided(client, "newcomer")["silence"] == "no opening"


def test_many_callers_at_once_each_get_their_own_answer(client: httpx.Client) -> None:
    customers = ["regular", "leaver", "thankful", "complainer", "refuser", "celebrant"] * 10

    def ask(number: int) -> dict[str, Any]:
        return decided(client, customers[number], id=f"d{number}")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(len(customers))))
    assert [told["customer_id"] for told in answers] == customers
    assert [told["id"] for told in answers] == [f"d{number}" for number in range(len(customers))]
    assert sum(told["choice"] is not None for told in answers) == 3
