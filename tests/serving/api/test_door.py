"""Who comes in, and what they may do."""

import logging
import re
from base64 import b64encode

import httpx
import pytest

from tactful.serving.api.access.auth import PUBLIC
from tactful.serving.api.app import scopes
from tactful.serving.store.queries import keys
from tactful.serving.store.queries.keys import SCOPES
from tests.patience import PATIENCE
from tests.serving.house import House, open_house
from tests.serving.shop import NOW

ROUTES = sorted(scopes().items())
BODY = {"customer_id": "thankful"}


def filled(path: str) -> str:
    return re.sub(r"\{[a-z_]+\}", "x", path)


def refused(response: httpx.Response, status: int, name: str) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["type"] == f"urn:tactful:problem:{name}"
    return str(told["detail"])


def test_every_route_says_which_scope_it_wants(house: House) -> None:
    described = house.anybody().get("/openapi.json").json()
    routes = {(method.upper(), path) for path, operations in described["paths"].items() for method in operations}
    assert {route for route in routes if route[1] not in PUBLIC} == set(scopes())
    for (method, path), wanted in ROUTES:
        operation = described["paths"][path][method.lower()]
        assert operation["security"] == [{name: [scope]} for scope in wanted for name in ("key", "write_key")]
        assert {"401", "403", "429"} <= set(operation["responses"])


def test_every_route_refuses_no_key_and_a_key_of_other_scopes(house: House) -> None:
    clients = {wanted: house.client(*(set(SCOPES) - set(wanted))) for _, wanted in ROUTES}
    nobody = house.anybody()
    for (method, path), wanted in ROUTES:
        refused(nobody.request(method, filled(path)), 401, "unauthenticated")
        told = refused(clients[wanted].request(method, filled(path)), 403, "forbidden")
        assert told.endswith(f"wanted scope {' or '.join(wanted)}")


def test_what_is_not_there_is_told_to_nobody_without_a_key(house: House) -> None:
    refused(house.anybody().get("/nowhere"), 401, "unauthenticated")
    refused(house.client("read").get("/nowhere"), 404, "no-such-path")
    assert house.anybody().get("/health/ready").status_code == 200


def test_a_key_comes_as_bearer_or_as_the_user_name_of_basic(house: House) -> None:
    key = house.key("decide")
    for header in (f"Bearer {key}", f"bearer {key}", f"Basic {b64encode(f'{key}:'.encode()).decode()}"):
        assert house.anybody({"Authorization": header}).post("/v1/decisions", json=BODY).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        f"Bearer tactful_{'0' * 16}_{'0' * 48}",
        "Basic !",
        "Basic dGFjdGZ1bA==",
        "Digest username=x",
        "Bearer é",
    ],
)
def test_what_is_no_key_is_refused(house: House, header: str) -> None:
    answer = house.anybody().get("/v1/decisions/d1", headers={b"Authorization": header.encode("latin-1")})
    refused(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="tactful", Basic realm="tactful"'


def test_a_key_with_another_secret_is_refused(house: House) -> None:
    key = house.key("decide")
    changed = key[:-1] + ("0" if key[-1] != "0" else "1")
    refused(
        house.anybody({"Authorization": f"Bearer {changed}"}).post("/v1/decisions", json=BODY), 401, "unauthenticated"
    )


def test_a_key_that_was_revoked_is_refused(house: House) -> None:
    key = house.key("decide")
    assert keys.revoke(house.tenants.store.database, "default", key.split("_")[1], NOW)
    refused(house.anybody({"Authorization": f"Bearer {key}"}).post("/v1/decisions", json=BODY), 401, "unauthenticated")


def test_nobody_without_a_key_has_a_body_read(house: House) -> None:
    address = httpx.URL(house.url)
    head = f"POST /v1/decisions HTTP/1.1\r\nHost: {address.netloc.decode()}\r\nContent-Length: 1000\r\n\r\n"
    import socket

    with socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_whoever_asks_too_often_is_told_when_to_come_back(house: House) -> None:
    slow, other = house.client("decide", rate=0.01), house.client("decide")
    assert slow.post("/v1/decisions", json=BODY).status_code == 200
    answer = slow.post("/v1/decisions", json=BODY)
    assert refused(answer, 429, "too-many-requests") == "too many requests: wanted at most 0.01 a second"
    assert 1 <= int(answer.headers["retry-after"]) <= 100
    assert other.post("/v1/decisions", json=BODY).status_code == 200


def test_keys_are_in_no_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = house.key("decide")
    client = house.anybody({"Authorization": f"Bearer {key}"})
    for answer in (client.post("/v1/decisions", json=BODY), client.get("/v1/decisions/x"), client.get("/nowhere")):
        assert answer.status_code in {200, 403, 404}
    told = [str(value) for record in caplog.records for value in vars(record).values()]
    assert told
    assert not any(key.rsplit("_", 1)[1] in text for text in told)


def test_metrics_are_for_operators(house: House) -> None:
    assert house.client("admin").get("/metrics").status_code == 200
    refused(house.client("read").get("/metrics"), 403, "forbidden")
    refused(house.client("admin", tenant="other").get("/metrics"), 403, "forbidden")
    refused(house.anybody().get("/metrics"), 401, "unauthenticated")


def test_metrics_are_for_this_machine_too_where_that_is_set(shop) -> None:
    with open_house(shop, metrics="loopback") as house:
        assert house.anybody().get("/metrics").status_code == 200
        forwarded = house.anybody({"X-Forwarded-For": "203.0.113.9"})
        refused(forwarded.get("/metrics"), 401, "unauthenticated")
        refused(house.anybody().get("/v1/decisions/d1"), 401, "unauthenticated")
