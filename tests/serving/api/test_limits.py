"""What callers may ask for is counted in work: decisions, messages and bytes, not requests alone."""

import gzip
import json
import math

import httpx
import pytest

from tactful.serving.api.idempotency import LARGEST_KEPT
from tactful.serving.ingestion.bodies import FREELY_INFLATED, MOST_CONTAINERS, MOST_INFLATED
from tactful.serving.settings import Settings
from tests.serving.house import House, open_house

RATE = 0.01
"""Tokens a second: what a request costs shows in how long the next one has to wait."""


def waits(client: httpx.Client) -> float:
    """Tokens that the caller owes before its next request."""
    refused = client.get("/v1/programmes")
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:tactful:problem:too-many-requests")
    return round(int(refused.headers["retry-after"]) * RATE, 1)


def message(number: int) -> dict[str, object]:
    return {"type": "track", "userId": "leaver", "event": "Order Completed", "messageId": f"m{number}"}


@pytest.mark.parametrize(
    ("path", "body", "owed"),
    [
        ("/v1/decisions", {"customer_id": "leaver"}, 1.0),
        ("/v1/decisions/batch", {"decisions": [{"customer_id": "nobody"}] * 41}, 41.0),
        ("/v1/track?decide=true", message(1), 2.0),
        ("/v1/batch", {"batch": [message(number) for number in range(101)]}, 11.0),
        ("/v1/batch", {"batch": [{**message(1), "padding": " " * 30_000}] * 5}, 3.4),
    ],
)
def test_a_request_costs_the_work_it_brings(house: House, path: str, body: object, owed: float) -> None:
    client = house.client(rate=RATE)
    assert client.post(path, json=body).status_code == 200
    assert math.isclose(waits(client), owed, abs_tol=0.1)


def test_bytes_count_as_inflated(house: House) -> None:
    client = house.client(rate=RATE)
    body = gzip.compress(json.dumps({"batch": [message(1)], "padding": " " * 400_000}).encode())
    assert len(body) < 2_000
    assert client.post("/v1/batch", content=body, headers={"Content-Encoding": "gzip"}).status_code == 200
    assert math.isclose(waits(client), 7.0, abs_tol=0.1)


def test_a_key_without_a_rate_has_the_default_one(shop: Settings) -> None:
    with open_house(shop, rate=RATE) as limited:
        client = limited.client()
        assert client.get("/v1/programmes").status_code == 200
        assert waits(client) == 1.0


@pytest.mark.parametrize("times", [2, 20])
def test_a_body_that_inflates_beyond_measure_is_refused(client: httpx.Client, times: int) -> None:
    body = gzip.compress(json.dumps({"batch": [], "padding": " " * (FREELY_INFLATED * times)}).encode())
    refused = client.post("/v1/batch", content=body, headers={"Content-Encoding": "gzip"})
    assert (refused.status_code, refused.json()["code"]) == (413, "body-too-large")
    limit = max(FREELY_INFLATED, MOST_INFLATED * len(body))
    assert f"at most {limit} bytes" in refused.json()["detail"]


@pytest.mark.parametrize("part", ["[]", "{}", "[[]]", "0,0,0,0,0"])
def test_a_body_of_countless_parts_is_refused_before_it_is_parsed(client: httpx.Client, part: str) -> None:
    parts = ",".join([part] * (MOST_CONTAINERS + 1))
    for body in (f'{{"batch": [{parts}], "sentAt": 0}}', f'{{"batch": [{{"properties": {{"a": [{parts}]}}}}]}}'):
        refused = client.post("/v1/batch", content=body.encode())
        assert (refused.status_code, refused.json()["code"]) == (413, "body-too-large")
        assert "too many parts" in refused.json()["detail"]


def test_a_large_answer_is_not_kept_and_its_repetition_says_so(house: House) -> None:
    client, headers = house.client("decide"), {"Idempotency-Key": "large"}
    body = {"decisions": [{"customer_id": "thankful"} for _ in range(900)]}
    first = client.post("/v1/decisions/batch", json=body, headers=headers)
    assert first.status_code == 200
    assert len(first.content) > LARGEST_KEPT
    again = client.post("/v1/decisions/batch", json=body, headers=headers)
    assert (again.status_code, again.json()["type"]) == (409, "urn:tactful:problem:answer-not-kept")
    assert f"its answer of {len(first.content)} bytes was not kept" in again.json()["detail"]
    assert len(list(house.tenants.store.decision_log("default"))) == 900
