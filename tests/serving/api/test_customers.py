"""Customers over HTTP: seen, exported, erased."""

import httpx
import pytest

from tactful.serving.api.customers.schemas import CustomerAnswer
from tactful.serving.engine.service import DecisionService
from tests.serving.shop import NOW


def test_a_customer_is_shown_as_the_engine_sees_it(client: httpx.Client) -> None:
    client.post("/v1/decisions", json={"customer_id": "leaver"})
    told = client.get("/v1/customers/leaver").json()
    CustomerAnswer.model_validate(told, extra="forbid")
    assert (told["zone"], told["attributes"]) == ("Europe/Paris", {"first_name": "Ada"})
    assert told["features"]["days_since_purchase"] == pytest.approx(45)
    assert told["features"]["days_since_redemption"] is None
    assert [programme["programme"] for programme in told["open"]] == ["win_back"]
    assert sum(counts["7d"] for counts in told["contact_pressure"].values()) == 1
    assert set(told["next_free"]) == {"email", "mail", "sms"}
    assert all((reason["odds"] > 1) == (reason["direction"] == "raises") for reason in told["reasons"]["lapse"])
    assert told["reasons"]["lapse"][0]["words"].startswith("days since")
    unknown = client.get("/v1/customers/nobody")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:tactful:problem:unknown-customer")


def test_an_export_holds_everything_and_an_erasure_leaves_counts_alone(
    client: httpx.Client, service: DecisionService
) -> None:
    client.post("/v1/decisions", json={"customer_id": "leaver", "id": "d1"})
    client.post("/v1/decisions/d1/outcome", json={"kind": "opened"})
    exported = client.get("/v1/customers/leaver/export")
    assert exported.status_code == 200
    for personal in ("Ada", "Europe/Paris", "opened", "d1"):
        assert personal in exported.text
    assert client.delete("/v1/customers/leaver").json() == {"status": "erased", "decisions": 1, "log_emptied": True}
    for gone in ("/v1/customers/leaver", "/v1/customers/leaver/export"):
        assert client.get(gone).status_code == 404
    assert client.delete("/v1/customers/leaver").json() == {"status": "erased", "decisions": 0, "log_emptied": True}
    assert client.post("/v1/decisions", json={"customer_id": "leaver"}).status_code == 404
    told = client.get("/v1/decisions/d1").json()
    assert told["choice"]["body"] is None
    assert "leaver" not in str(told)
    assert len(client.get("/v1/decisions").json()["decisions"]) == 1, "the count stays"
    (known,) = service.store.customers(service.tenant, [("leaver", NOW)])
    assert known is None
