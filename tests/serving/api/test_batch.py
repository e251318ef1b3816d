"""Many decisions in one request, and pages of those made before."""

from typing import Any

import httpx
import pytest

from tactful.serving.api.decisions.schemas import BatchAnswer, DecisionPage
from tactful.serving.engine.service import DecisionService
from tactful.serving.store.port import History, Profile
from tests.serving.shop import NOW


def batch(client: httpx.Client, *wanted: dict[str, Any]) -> list[dict[str, Any]]:
    response = client.post("/v1/decisions/batch", json={"decisions": wanted})
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    BatchAnswer.model_validate(told, extra="forbid")
    items: list[dict[str, Any]] = told["decisions"]
    return items


def test_each_has_its_own_answer_in_order(client: httpx.Client) -> None:
    items = batch(client, {"customer_id": "thankful", "id": "a"}, {"customer_id": "nobody"}, {"customer_id": "leaver"})
    assert [item["status"] for item in items] == [200, 404, 200]
    assert items[1]["problem"]["type"] == "urn:tactful:problem:unknown-customer"
    assert items[0]["decision"] == client.get("/v1/decisions/a").json()


def test_a_customer_who_occurs_twice_is_decided_about_one_after_another(client: httpx.Client) -> None:
    first, second = batch(client, {"customer_id": "thankful"}, {"customer_id": "thankful"})
    assert first["decision"]["choice"] is not None
    assert second["decision"]["silence"] == "duplicate"


def test_a_thousand_are_answered_and_one_more_is_refused(client: httpx.Client, service: DecisionService) -> None:
    crowd = [Profile(f"c{number}") for number in range(1000)]
    service.store.load(service.tenant, History("UTC", NOW, crowd))
    items = batch(client, *({"customer_id": one.customer, "id": f"d-{one.customer}"} for one in crowd))
    assert {item["status"] for item in items} == {200}
    assert [item["decision"]["id"] for item in items] == [f"d-{one.customer}" for one in crowd]
    more = client.post("/v1/decisions/batch", json={"decisions": [{"customer_id": "regular"}] * 1001})
    assert more.status_code == 422


def test_pages_hold_every_decision_once_the_newest_first(client: httpx.Client) -> None:
    customers = ["thankful", "regular", "leaver", "celebrant", "regular"]
    batch(client, *({"customer_id": c, "id": f"d{i}"} for i, c in enumerate(customers)))
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        told = client.get("/v1/decisions", params={"limit": 2, **cursor}).json()
        DecisionPage.model_validate(told, extra="forbid")
        seen += told["decisions"]
        if told["next"] is None:
            break
        cursor = {"cursor": told["next"]}
    assert [s["id"] for s in seen] == ["d4", "d3", "d2", "d1", "d0"]
    assert {s["outcome"] for s in seen if s["customer_id"] == "thankful"} == {"thanks/thank_you/email"}
    one = client.get("/v1/decisions", params={"customer_id": "regular"}).json()
    assert ([s["id"] for s in one["decisions"]], one["next"]) == (["d4", "d1"], None)


@pytest.mark.parametrize("cursor", ["x", "eA==", "MjAyNi0wNS0wNiBk", "MjAyNi0wNS0wNlQxNjowMCswMDowMCAA", "é"])
def test_a_cursor_that_is_none_is_refused(client: httpx.Client, cursor: str) -> None:
    told = client.get("/v1/decisions", params={"cursor": cursor})
    assert (told.status_code, told.json()["type"]) == (422, "urn:tactful:problem:invalid-cursor")
