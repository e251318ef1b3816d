"""Requests as the clients for browsers and phones make them, and what a key that everybody can read may report."""

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tactful.serving.api.tracking.clients import PATHS
from tactful.serving.ingestion.bodies import LARGEST
from tactful.serving.settings import Settings
from tactful.serving.store.port import KnownCustomer, StoredEvent
from tactful.serving.store.queries import keys
from tests.serving.house import House, open_house
from tests.serving.shop import NOW

WELL = {"success": True}
VIEW = {"type": "track", "messageId": "v-1", "userId": "new", "event": "Product Viewed"}
ORDER = {"messageId": "o-1", "userId": "new", "event": "Order Completed", "properties": {"revenue": 80}}
DEVICE = "9e107d9d-372b-4d6e-a1f5-3b2c1d0e9f8a"


@dataclass(frozen=True)
class Shape:
    """How a client sends a batch; `KEY` stands for its write key."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    around: dict[str, Any] = field(default_factory=dict)
    chunked: bool = False

    def send(self, client: httpx.Client, key: str, *messages: dict[str, Any]) -> httpx.Response:
        around = {name: value.replace("KEY", key) for name, value in self.around.items()}
        body = json.dumps({"batch": messages, **around}).encode()
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.compress(body)
        auth = (key, "") if "Authorization" in self.headers else None
        headers = {name: value for name, value in self.headers.items() if name != "Authorization"}
        content: bytes | Iterator[bytes] = iter([body[:9], body[9:]]) if self.chunked else body
        return client.post(self.path.replace("KEY", key), content=content, headers=headers, auth=auth)


BASIC = {"Authorization": "Basic"}
PLAIN = {"Content-Type": "text/plain"}
IN_BODY = {"sentAt": "2026-05-06T16:00:00Z", "writeKey": "KEY"}
SHAPES = {
    "kotlin": Shape("/v1/b", PLAIN | {"Content-Encoding": "gzip"}, IN_BODY, chunked=True),
    "swift": Shape("/v1/b", {"Content-Type": "application/json; charset=utf-8"}, IN_BODY),
    "react native": Shape("/v1/b", PLAIN, IN_BODY),
    "analytics-next in batches": Shape("/v1/b", PLAIN | BASIC | {"X-Retry-Count": "2"}, IN_BODY),
    "ruby of segment": Shape("/v1/import", BASIC | {"X-Retry-Count": "1"}, {"sentAt": "2026-05-06T16:00:00Z"}),
    "ruby of rudderstack": Shape("/v1/batch", BASIC | {"Content-Encoding": "gzip"}),
    "beacon of rudderstack": Shape("/beacon/v1/batch?writeKey=KEY", PLAIN, {"sentAt": "2026-05-06T16:00:00Z"}),
    "a key in the query": Shape("/v1/batch?writeKey=KEY", PLAIN),
    "a slash at the end": Shape("/v1/import/?writeKey=KEY", PLAIN),
}


@pytest.fixture(scope="module")
def shared(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The shop's service for tests that each speak of another customer."""
    folder = tmp_path_factory.mktemp("clients") / "shop"
    shutil.copytree(furnished, folder)
    with open_house(Settings.of(folder)) as house:
        yield house


def events_of(house: House, customer: str = "new") -> list[StoredEvent]:
    return [event for who, event in house.tenants.store.events("default") if who == customer]


def known(house: House, customer: str) -> KnownCustomer:
    (found,) = house.tenants.store.customers("default", [(customer, NOW)])
    assert found is not None
    return found


@pytest.mark.parametrize("client", SHAPES)
def test_a_client_s_batch_is_kept(shared: House, client: str) -> None:
    view = {**VIEW, "userId": f"user of {client}"}
    sent = SHAPES[client].send(shared.anybody(), shared.key("track"), view, {**view, "messageId": "v-2"})
    assert (sent.status_code, sent.json()) == (200, WELL)
    assert len(events_of(shared, f"user of {client}")) == 2


@pytest.mark.parametrize("path", [path for path, meant in PATHS.items() if meant != "/v1/batch"])
@pytest.mark.parametrize("place", ["body", "query"])
def test_a_client_s_single_message_is_kept(shared: House, path: str, place: str) -> None:
    key, user = shared.key("ingest"), f"single {place} {path}"
    message = {"userId": user, "event": "Product Viewed", "name": "Home", "groupId": "g", "previousId": f"old {user}"}
    given = {"params": {"writeKey": key}} if place == "query" else {"headers": PLAIN}
    sent = shared.anybody().post(path, json=message | ({"writeKey": key} if place == "body" else {}), **given)
    assert (sent.status_code, sent.json()) == (200, WELL)
    assert known(shared, user).id == user


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 401),
        (b"{", 401),
        (b'{"batch": []}', 401),
        (b'{"writeKey": 7}', 401),
        (b'{"writeKey": "no key"}', 401),
        (b'{"writeKey": "tactful_0123456789abcdef_0"}', 401),
        (b'{"batch": [{"properties": {"note": "\\"writeKey\\": \\"KEY\\""}}]}', 401),
        (b'{"writeKey": "KEY", "batch": [{"writeKey": "tactful_0"}]}', 401),
        (b'{"writeKey": "KEY", "batch": [{"writeKey": "KEY"}]}', 200),
        (b'{"batch": [], "writeKey" :\n"KEY"}', 200),
        (b" " * (LARGEST + 1), 413),
    ],
)
def test_a_body_is_let_in_by_its_one_write_key(shared: House, content: bytes, status: int) -> None:
    body = content.replace(b"KEY", shared.key("track").encode())
    assert shared.anybody().post("/v1/b", content=body).status_code == status
    assert shared.anybody().post("/v1/decisions", content=body).status_code in (401, 413)


def test_a_body_that_would_inflate_beyond_all_bounds_is_refused_without_a_key(house: House) -> None:
    bomb = gzip.compress(bytes(LARGEST * 10))
    headers = {"Content-Encoding": "gzip"}
    assert house.anybody().post("/v1/b", content=bomb, headers=headers).status_code == 413
    assert house.anybody().post("/v1/b", content=b"none", headers=headers).status_code == 401


def test_a_header_goes_before_a_key_in_the_body(house: House) -> None:
    body = {"batch": [VIEW], "writeKey": house.key("track")}
    assert house.anybody({"Authorization": "Bearer x"}).post("/v1/b", json=body).status_code == 401
    assert house.client("read").post("/v1/b", json=body).status_code == 403


ASKED = (
    "anonymousid,authorization,content-type,rsa-recovered,rsa-retry-attempt,rsa-retry-reason,rsa-since-first-attempt,"
    "rsa-since-last-attempt,sentat,traceparent,tracestate,x-retry-count"
)


def test_a_page_may_send_the_headers_that_clients_send(shop: Any) -> None:
    with open_house(shop, origins=("https://shop.example",)) as house:
        for origin, status in (("https://shop.example", 200), ("https://evil.example", 400)):
            headers = {
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": ASKED,
            }
            answer = house.anybody().options("/v1/t", headers=headers)
            allowed = answer.headers.get("access-control-allow-headers", "")
            assert answer.status_code == status
            assert status == 400 or set(ASKED.split(",")) <= set(allowed.split(","))


def test_clients_are_told_to_send_here(house: House) -> None:
    key = house.key("track")
    told = house.anybody().get(f"/v1/projects/{key}/settings").json()
    address = house.url.removeprefix("http://")
    assert told["integrations"]["Segment.io"] == {"apiKey": key, "apiHost": f"{address}/v1", "protocol": "http"}
    public = house.anybody({"Host": "events.shop.example"}).get(f"/v1/projects/{key}/settings").json()
    assert public["integrations"]["Segment.io"]["protocol"] == "https"
    for path in ("/sourceConfig", "/sourceConfig/"):
        source = house.anybody().get(path, params={"writeKey": key, "p": "npm"}).json()["source"]
        assert (source["enabled"], source["destinations"]) == (True, [])
    assert house.anybody().get("/v1/projects/nobody/settings").status_code == 401
    assert house.anybody().get("/sourceConfig/").status_code == 401
    assert house.anybody().post("/v1/m", json={"series": []}).json() == WELL


def fates(answer: httpx.Response) -> dict[str, int]:
    found: dict[str, int] = answer.json().get("fates", {"kept": 1})
    return found


FORBIDDEN: list[dict[str, Any]] = [
    {"type": "alias", "userId": "new", "previousId": "thankful"},
    *(
        {"type": "track", "userId": "thankful", "event": event, "properties": {"decision_id": "d-1", "points": 5}}
        for event in (
            "Email Sent", "Email Opened", "Email Link Clicked", "Email Bounced", "SMS Delivered", "converted",
            "dismissed", "Points Earned", "Points Spent", "Order Refunded", "Contract Signed", "profile",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("message", FORBIDDEN, ids=lambda message: str(message.get("event", message["type"])))
def test_a_page_s_key_cannot_report_what_only_a_server_knows(house: House, message: dict[str, Any]) -> None:
    page, server = house.client("track"), house.client("ingest", "track")
    before = events_of(house, "thankful")
    answer = page.post("/v1/batch", json={"batch": [message, VIEW]})
    assert fates(answer) == {"forbidden": 1, "kept": 1}
    assert answer.json()["refused"][0]["reason"].startswith("a message that a key of scope track may not send")
    assert events_of(house, "thankful") == before
    assert "forbidden" not in fates(server.post("/v1/batch", json={"batch": [message]}))


def test_a_page_s_key_grants_no_consent_and_changes_no_profile_and_its_refusals_count(house: House) -> None:
    house.client("ingest").post(
        "/v1/identify",
        json={"userId": "new", "traits": {"first_name": "Zoe", "consents": {"email": True, "sms": True}}},
    )
    before = known(house, "new")
    traits = {
        "first_name": "Mallory",
        "timezone": "Asia/Tokyo",
        "createdAt": "2020-01-01",
        "consents": {"email": False, "push": True, "sms": {"news": True}},
    }
    page = house.client("track")
    assert page.post("/v1/identify", json={"userId": "new", "traits": traits}).json() == WELL
    assert page.post("/v1/group", json={"userId": "new", "groupId": "g", "traits": {"plan": "gold"}}).json() == WELL
    found = known(house, "new")
    assert (found.attributes, found.zone, found.joined) == ({"first_name": "Zoe"}, None, before.joined)
    assert found.consents == {("email", "marketing"): False, ("sms", "marketing"): True}
    page.post("/v1/track", json={"userId": "new", "event": "Unsubscribed", "properties": {"channel": "sms"}})
    assert known(house, "new").consents["sms", "marketing"] is False


def test_a_page_s_key_ties_an_anonymous_id_only_where_nobody_can_guess_it(house: House) -> None:
    page = house.client("track")
    for alias in (DEVICE, "visitor-7"):
        page.post("/v1/track", json={"anonymousId": alias, "event": "Product Viewed"})
        page.post("/v1/identify", json={"userId": "new", "anonymousId": alias})
    assert [known(house, who).id for who in (DEVICE, "visitor-7")] == ["new", "visitor-7"]
    page.post("/v1/identify", json={"userId": "new", "anonymousId": "thankful"})
    assert known(house, "thankful").id == "thankful"


def test_a_page_s_key_cannot_register_the_id_of_a_server_s_message(house: House) -> None:
    page, other, server = house.client("track"), house.client("track"), house.client("ingest")
    for client in (page, other, server):
        assert client.post("/v1/track", json=ORDER).json() == WELL
        assert client.post("/v1/track", json=ORDER).json() == WELL
    assert len(events_of(house)) == 3
    assert [(event.amount, event.claimed) for event in events_of(house) if event.id == "o-1"] == [(80.0, None)]


def test_a_message_that_is_sent_again_after_a_rotation_is_known(house: House) -> None:
    key = house.key("track")
    made = keys.rotate(house.tenants.store.database, "default", key.split("_")[1], timedelta(days=1), datetime.now(UTC))
    assert made is not None
    for sent in (key, made[1]):
        assert house.anybody({"Authorization": f"Bearer {sent}"}).post("/v1/track", json=ORDER).json() == WELL
    assert len(events_of(house)) == 1


def test_a_page_s_key_cannot_ask_for_a_decision(house: House) -> None:
    assert house.client("track").post("/v1/track?decide=true", json=ORDER).status_code == 403
    assert house.client("track").post("/v1/decisions", json={"customer_id": "thankful"}).status_code == 403


def put_catalogue(house: House, *changes: tuple[str, str]) -> None:
    operator = house.client()
    text = operator.get("/v1/catalogue").text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    answer = operator.put("/v1/catalogue", content=text, headers={"If-Match": "*", "Content-Type": "application/yaml"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("value", "revenue", "scope", "chosen"),
    [
        ("5", 80, "track", "thank_you"),
        ("5", 30, "track", None),
        ("event.amount * 0.1", 80, "track", None),
        ("event.amount * 0.1", 80, "ingest", "thank_you"),
    ],
)
def test_an_amount_that_a_page_reports_opens_a_programme_and_is_worth_nothing(
    house: House, value: str, revenue: int, scope: str, chosen: str | None
) -> None:
    put_catalogue(house, ("value: 5", f"value: {value}"))
    consent = {"userId": "new", "traits": {"consents": {"email": True}}}
    house.client("ingest").post("/v1/identify", json=consent)
    order = {**ORDER, "properties": {"revenue": revenue, "discount": 10}}
    decision = house.client(scope, "decide").post("/v1/track?decide=true", json=order).json()["decision"]
    assert (decision["choice"] and decision["choice"]["message"]) == chosen
    (event,) = events_of(house)
    counted = (revenue, 10, None) if scope == "ingest" else (0, 0, revenue)
    assert (event.amount, event.discount, event.claimed) == counted
    again = house.client("decide", "read").get(f"/v1/decisions/{decision['id']}").json()
    assert again["choice"] == decision["choice"]


def test_no_feature_counts_an_amount_that_a_page_reports(house: House) -> None:
    page, reader = house.client("track"), house.client("read")
    before = reader.get("/v1/customers/thankful").json()["features"]
    page.post("/v1/track", json={**ORDER, "userId": "thankful", "properties": {"revenue": 1e9}})
    after = reader.get("/v1/customers/thankful").json()["features"]
    assert after["spend_total"] == before["spend_total"]
    assert after["purchases_total"] == before["purchases_total"] + 1


def test_what_the_catalogue_opens_a_page_may_set_and_its_amounts_count_if_the_catalogue_says_so(house: House) -> None:
    put_catalogue(house, ("channels:", "browser: {attributes: [first_name, timezone], amounts: true}\nchannels:"))
    page = house.client("track")
    traits = {"first_name": "Zoe", "timezone": "Asia/Tokyo", "birthday": "1990-05-06"}
    assert page.post("/v1/identify", json={"userId": "new", "traits": traits}).json() == WELL
    assert page.post("/v1/track", json=ORDER).json() == WELL
    found = known(house, "new")
    assert (found.attributes, found.zone) == ({"first_name": "Zoe"}, "Asia/Tokyo")
    assert [(event.amount, event.claimed) for event in events_of(house)] == [(80.0, None)]
