"""What goes around every exchange."""

import logging

import httpx
import pytest

from tactful.serving.api.middleware import BODY_LIMITS, SECURITY_HEADERS
from tactful.serving.engine.service import DecisionService
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tests.patience import PATIENCE

PATHS = ["/health/live", "/nowhere", "/v1/decisions", "/v1/decisions/nothing", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
def test_every_response_bears_security_headers_and_a_request_id(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert len(headers["x-request-id"]) == 32
    assert "server" not in headers
    assert not any(name.startswith("access-control") for name in headers)


def test_the_callers_request_id_is_kept(client: httpx.Client) -> None:
    given = {"X-Request-ID": "checkout-42"}
    assert client.get("/health/live", headers=given).headers["x-request-id"] == "checkout-42"
    assert client.get("/nowhere", headers=given).json()["request_id"] == "checkout-42"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b', "é"])
def test_a_request_id_that_could_do_harm_is_replaced(client: httpx.Client, given: str) -> None:
    headers = {b"X-Request-ID": given.encode("latin-1")}
    assert len(client.get("/health/live", headers=headers).headers["x-request-id"]) == 32


def test_the_log_tells_the_exchange_and_nothing_personal(
    service: DecisionService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="tactful.serving")
    with running(service) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        client.post("/v1/decisions", json={"customer_id": "leaver", "id": "d-secret"})
        client.post("/v1/decisions", json={"customer_id": "nobody"})
        client.get("/v1/decisions/d-secret", params={"mail": "ada@example.org"})
        client.get("/v1/customers/leaver")
        client.post("/v1/identify", json={"userId": "leaver", "messageId": "m1", "traits": {"first_name": "Zerlina"}})
        service.clock = lambda: {}["leaver"]
        assert client.post("/v1/decisions", json={"customer_id": "leaver"}).status_code == 500
    told = [vars(record) for record in caplog.records if record.message == "request"]
    seen = [(t["levelname"], t["method"], t["route"], t["status"]) for t in told]
    assert seen == [
        ("DEBUG", "POST", "/v1/decisions", 200),
        ("INFO", "POST", "/v1/decisions", 404),
        ("DEBUG", "GET", "/v1/decisions/{decision_id}", 200),
        ("DEBUG", "GET", "/v1/customers/{customer_id}", 200),
        ("DEBUG", "POST", "/v1/identify", 200),
        ("INFO", "POST", "/v1/decisions", 500),
    ]
    assert all(t["milliseconds"] > 0 for t in told)
    whole = caplog.text + "".join(str(value) for record in caplog.records for value in vars(record).values())
    assert [word for word in ("leaver", "nobody", "d-secret", "Ada", "ada@", "Zerlina", "miss") if word in whole] == []
    assert "KeyError" in whole


@pytest.mark.parametrize("path", [*BODY_LIMITS, "/v1/decisions"])
def test_each_route_has_a_limit_of_its_own(client: httpx.Client, path: str) -> None:
    limit = BODY_LIMITS.get(path, 65_536)
    method = "PUT" if path == "/v1/catalogue" else "POST"
    refused = client.request(method, path, content=b" " * (limit + 1))
    assert (refused.status_code, refused.json()["detail"]) == (413, f"at most {limit} bytes")
    assert client.request(method, path, content=b" " * limit).status_code in {400, 422, 428}


def test_pages_of_other_origins_may_not_call(client: httpx.Client) -> None:
    preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/decisions", headers=preflight)
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_pages_of_the_origins_that_are_named_may(service: DecisionService) -> None:
    settings = Settings(auth="open", origins=("https://shop.example",))
    with running(service, settings) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        for origin, allowed in (("https://shop.example", "https://shop.example"), ("https://evil.example", None)):
            preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = client.options("/v1/decisions", headers=preflight)
            assert answer.headers.get("access-control-allow-origin") == allowed
            told = client.post("/v1/decisions", json={"customer_id": "leaver"}, headers={"Origin": origin})
            assert told.status_code == (200 if allowed else 403)
            assert told.headers.get("access-control-allow-origin") == allowed
            assert "access-control-allow-credentials" not in told.headers
