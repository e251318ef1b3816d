"""What becomes of a contact, told over HTTP."""

import httpx
import pytest

from tactful.serving.api.decisions.schemas import ClearanceAnswer, WhatIfAnswer
from tactful.serving.engine.service import DecisionService
from tactful.serving.store.port import History, Profile
from tests.serving.shop import NOW


@pytest.fixture
def decided(client: httpx.Client) -> str:
    told = client.post("/v1/decisions", json={"customer_id": "thankful", "id": "d1"}).json()
    assert told["choice"]["action"] == "thanks/thank_you/email"
    return "/v1/decisions/d1"


def test_a_contact_is_cleared_once_and_then_stays_sent(client: httpx.Client, decided: str) -> None:
    assert client.post(f"{decided}/clearance").json() == {"send": True, "reasons": []}
    again = client.post(f"{decided}/clearance").json()
    ClearanceAnswer.model_validate(again, extra="forbid")
    assert (again["send"], again["reasons"][0]["observed"]) == (False, "sent")
    refused = client.post(f"{decided}/release")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tactful:problem:already-sent")
    assert client.post(f"{decided}/clearance").json()["reasons"][0]["observed"] == "sent"


def test_a_night_or_a_refusal_since_the_decision_stops_it(
    client: httpx.Client, service: DecisionService, decided: str
) -> None:
    refusal = Profile("thankful", consents={("email", "marketing"): False})
    service.store.load(service.tenant, History("America/New_York", NOW, [refusal]))
    told = client.post(f"{decided}/clearance").json()
    assert (told["send"], told["reasons"][0]["gate"]) == (False, "consent")
    assert client.post(f"{decided}/release").json() == {"status": "released"}


def test_a_released_contact_leaves_its_place_to_another(client: httpx.Client, decided: str) -> None:
    assert client.post(f"{decided}/release").json() == {"status": "released"}
    again = client.post("/v1/decisions", json={"customer_id": "thankful"}).json()
    assert again["choice"]["action"] == "thanks/thank_you/email"


def test_an_outcome_told_twice_counts_once(client: httpx.Client, decided: str) -> None:
    report = {"kind": "converted", "value": 12.5, "id": "order-1"}
    assert client.post(f"{decided}/outcome", json=report).json() == {"status": "kept"}
    assert client.post(f"{decided}/outcome", json=report).json() == {"status": "known"}
    assert client.post(f"{decided}/outcome", json={**report, "id": "order-2"}).json() == {"status": "kept"}


def test_whoever_unsubscribes_is_left_alone_from_then_on(client: httpx.Client, decided: str) -> None:
    assert client.post(f"{decided}/outcome", json={"kind": "unsubscribed"}).json() == {"status": "kept"}
    consents = client.get("/v1/customers/thankful").json()["consents"]
    assert {"channel": "email", "purpose": "marketing", "allowed": False} in consents


@pytest.mark.parametrize("what", ["clearance", "release"])
def test_silence_has_nothing_to_send(client: httpx.Client, what: str) -> None:
    client.post("/v1/decisions", json={"customer_id": "regular", "id": "d2"})
    told = client.post(f"/v1/decisions/d2/{what}")
    assert (told.status_code, told.json()["type"]) == (409, "urn:tactful:problem:nothing-to-send")
    unknown = client.post(f"/v1/decisions/d9/{what}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:tactful:problem:unknown-decision")


@pytest.mark.parametrize(
    "report",
    [{}, {"kind": "liked"}, {"kind": "opened", "time": "2026-05-06T16:00:00"}, {"kind": "clicked", "value": 1e12}],
)
def test_a_report_that_is_none_is_refused(client: httpx.Client, decided: str, report: dict[str, object]) -> None:
    assert client.post(f"{decided}/outcome", json=report).status_code == 422


def test_suppositions_of_a_customer_and_of_a_decision(client: httpx.Client, decided: str) -> None:
    dearer = {"values": {"thank_you_short": 400.0}}
    told = client.post("/v1/what-if", json={"decision_id": "d1", **dearer}).json()
    WhatIfAnswer.model_validate(told, extra="forbid")
    assert told["choice"]["action"] == "thanks/thank_you_short/sms"
    now = client.post("/v1/what-if", json={"customer_id": "thankful", **dearer}).json()
    assert (now["choice"], now["silence"]) == (None, "duplicate"), "the contact of d1 is reserved by now"
    later = {"customer_id": "thankful", "without": ["weekly"], "moment": "2026-05-06T23:00:00-04:00"}
    assert client.post("/v1/what-if", json=later).json()["choice"] is None
    refused = client.post("/v1/what-if", json={"customer_id": "thankful", "without": ["yearly"]})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:tactful:problem:unknown-item")
    for subject in ({}, {"customer_id": "thankful", "decision_id": "d1"}):
        assert client.post("/v1/what-if", json=subject).status_code == 422
