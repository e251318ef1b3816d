"""Every error is a problem document that says what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tactful.serving.engine.service import DecisionService
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile
from tests.patience import PATIENCE
from tests.serving.shop import ALLOWED, CATALOGUE, NOW

PATH = "/v1/decisions"
JSON = {"Content-Type": "application/json"}


def problem(response: httpx.Response, status: int, name: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert (told["type"], told["status"]) == (f"urn:tactful:problem:{name}", status)
    assert told["request_id"] == response.headers["x-request-id"]
    assert told["title"]
    assert told["detail"]
    assert told["hint"]
    return told


def places(told: dict[str, Any]) -> dict[str, str]:
    return {error["place"]: error["message"] for error in told["errors"]}


def test_an_unknown_customer(client: httpx.Client) -> None:
    told = problem(client.post(PATH, json={"customer_id": "nobody"}), 404, "unknown-customer")
    assert "got 'nobody'" in told["detail"]
    assert told["hint"] == "Load the customer's history, then ask again."


def test_an_unknown_decision(client: httpx.Client) -> None:
    problem(client.get(f"{PATH}/nothing"), 404, "unknown-decision")


def test_an_id_used_for_another_customer(client: httpx.Client) -> None:
    client.post(PATH, json={"customer_id": "regular", "id": "d1"})
    problem(client.post(PATH, json={"customer_id": "leaver", "id": "d1"}), 409, "decision-conflict")


def test_each_wrong_field_is_listed(client: httpx.Client) -> None:
    body = {"customer_id": 7, "id": "no spaces", "chanel": "email"}
    told = problem(client.post(PATH, json=body), 422, "invalid-request")
    assert told["detail"] == "3 fields of the request cannot be used"
    assert places(told) == {
        "body.customer_id": "Input should be a valid string",
        "body.id": "String should match pattern '^[A-Za-z0-9._:-]{1,100}$'",
        "body.chanel": "Extra inputs are not permitted",
    }


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{}", "body.customer_id"),
        (b'{"customer_id": ""}', "body.customer_id"),
        (b'{"customer_id": "\\ud800"}', "body.customer_id"),
        (b'{"customer_id": null}', "body.customer_id"),
        (b"[]", "body"),
        (b"3", "body"),
        (b"", "body"),
        (b'{"customer_id": "a",}', "body, character 20"),
        (b'{"customer_id": NaN}', "body.customer_id"),
    ],
)
def test_a_malformed_body_says_where(client: httpx.Client, body: bytes, place: str) -> None:
    told = problem(client.post(PATH, content=body, headers=JSON), 422, "invalid-request")
    assert list(places(told)) == [place]


def test_the_value_of_a_field_is_not_told_back(client: httpx.Client) -> None:
    body = {"customer_id": "a", "email": "ada@example.org"}
    assert "ada@" not in client.post(PATH, json=body).text


def test_a_body_that_is_not_declared_as_json(client: httpx.Client) -> None:
    told = problem(client.post(PATH, content=b'{"customer_id": "a"}'), 422, "invalid-request")
    assert "Content-Type" in told["hint"]


@pytest.mark.parametrize("body", [b"[" * 50_000, b'{"a":' * 12_000, b'{"a": "\xff"}'])
def test_a_body_that_cannot_be_parsed(client: httpx.Client, body: bytes) -> None:
    problem(client.post(PATH, content=body, headers=JSON), 400, "malformed-body")
    assert client.get("/health/live").status_code == 200


def test_a_body_too_large_by_its_declared_length(client: httpx.Client) -> None:
    told = problem(client.post(PATH, content=b" " * 65_537, headers=JSON), 413, "body-too-large")
    assert told["detail"] == "at most 65536 bytes"
    assert client.post(PATH, content=b" " * 65_536, headers=JSON).status_code == 422


def test_a_body_too_large_as_it_streams_in(client: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 10_000

    problem(client.post(PATH, content=endless(), headers=JSON), 413, "body-too-large")


def test_what_the_framework_refuses(client: httpx.Client) -> None:
    for path in ("/nowhere", "/health/live//", "/v1/decisions/d1/nothing/"):
        problem(client.get(path), 404, "no-such-path")
    problem(client.post("/nowhere", content=b" " * 70_000), 413, "body-too-large")
    problem(client.get(f"{PATH}/{'x' * 101}"), 422, "invalid-request")


def test_a_message_whose_text_does_not_fit_is_an_answer(
    client: httpx.Client, service: DecisionService, shop: Settings
) -> None:
    profile = Profile("long", attributes={"first_name": "A" * 60, "birthday": "1990-05-06"}, consents=ALLOWED)
    service.store.load(service.tenant, History("UTC", NOW, [profile]))
    shop.catalogue.write_text(CATALOGUE.replace("cost: 0.01,", "cost: 0.01, max_length: 65,"))
    answered = client.post(PATH, json={"customer_id": "long"})
    assert answered.status_code == 200
    (reason,) = answered.json()["excluded"][0]["reasons"]
    assert (reason["gate"], reason["observed"], reason["limit"]) == ("text", "75 characters", "at most 65 characters")
    assert "AAAA" not in answered.text


def test_nothing_to_decide_with(service: DecisionService, shop: Settings) -> None:
    shop.catalogue.unlink()
    with running(service) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        refused = client.post(PATH, json={"customer_id": "regular"})
        told = problem(refused, 503, "not-ready")
        assert refused.headers["retry-after"] == "5"
        assert "no catalogue" in told["detail"]
        problem(client.get("/health/ready"), 503, "not-ready")
        assert client.get("/health/live").json() == {"status": "alive"}


def test_a_store_that_fails(
    client: httpx.Client, service: DecisionService, shop: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    service.store.close()
    Path(shop.store.removeprefix("sqlite:///")).write_bytes(b"no database" * 1000)
    told = problem(client.post(PATH, json={"customer_id": "regular"}), 503, "store-unavailable")
    assert told["detail"] == "the store fails"
    assert "file is not a database" in {vars(record).get("reason", "") for record in caplog.records}.pop()
    problem(client.get("/health/ready"), 503, "not-ready")


def test_what_should_not_happen_is_told_without_its_secrets(
    client: httpx.Client, service: DecisionService, caplog: pytest.LogCaptureFixture
) -> None:
    service.clock = lambda: 1 / 0  # type: ignore[assignment, return-value]
    told = problem(client.post(PATH, json={"customer_id": "regular"}), 500, "internal-error")
    assert told["detail"] == "something went wrong that should not"
    (noted,) = [vars(record) for record in caplog.records if record.message == "request failed"]
    assert noted["error"] == "ZeroDivisionError"
    assert "test_problems.py" in noted["trail"][-1]
    assert "division by zero" not in caplog.text
