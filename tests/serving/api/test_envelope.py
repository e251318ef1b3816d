"""What goes around every exchange."""

import logging

import httpx
import pytest

from serving.api.envelope import SECURITY_HEADERS
from serving.server import running
from serving.service import DecisionService

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
    caplog.set_level(logging.DEBUG, logger="serving")
    with running(service) as url:
        httpx.post(f"{url}/v1/decisions", json={"customer_id": "leaver"})
        httpx.post(f"{url}/v1/decisions", json={"customer_id": "nobody"})
    told = [vars(record) for record in caplog.records if record.message == "request"]
    seen = [(t["levelname"], t["method"], t["route"], t["status"]) for t in told]
    assert seen == [("DEBUG", "POST", "/v1/decisions", 200), ("INFO", "POST", "/v1/decisions", 404)]
    assert all(t["milliseconds"] > 0 for t in told)
    assert not {"leaver", "nobody", "Ada", "We miss you"} & {str(v) for t in told for v in t.values()}
