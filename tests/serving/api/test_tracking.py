"""The tracking API as Segment's and RudderStack's clients meet it."""

import gzip
import json
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.service import DecisionService
from tactful.serving.ingestion.bodies import LARGEST, LARGEST_BATCH
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.port import StoredEvent
from tactful.serving.store.queries import keys, outbox
from tactful.serving.telemetry.metrics import METRICS
from tests.patience import PATIENCE
from tests.serving.receiver import SECRET
from tests.serving.shop import NOW

WELL = {"success": True}
ORDER = {"messageId": "m1", "userId": "new", "event": "Order Completed", "properties": {"revenue": 80}}


def post(client: httpx.Client, path: str, document: object, **headers: str) -> httpx.Response:
    return client.post(path, json=document, headers=headers)


def events_of(service: DecisionService, customer: str = "new") -> list[StoredEvent]:
    return [event for who, event in service.store.events(service.tenant) if who == customer]


def test_each_call_is_answered_as_segment_answers(client: httpx.Client, service: DecisionService) -> None:
    who = {"userId": "new"}
    calls: dict[str, dict[str, Any]] = {
        "track": ORDER,
        "identify": {**who, "traits": {"first_name": "Zoe"}},
        "page": {**who, "name": "Home"},
        "screen": {**who, "name": "Home"},
        "group": {**who, "groupId": "g1", "traits": {"plan": "gold"}},
        "alias": {**who, "previousId": "old"},
        "batch": {"batch": [{"type": "track", **ORDER}]},
    }
    assert [(post(client, f"/v1/{call}", body).json()) for call, body in calls.items()] == [WELL] * len(calls)
    assert len(events_of(service)) == 3
    (known,) = service.store.customers(service.tenant, [("old", NOW)])
    assert known is not None
    assert (known.id, known.attributes) == ("new", {"first_name": "Zoe"})
    undeclared = client.get("/v1/events/refused").json()["refused"]
    assert {(one["fate"], one["name"]) for one in undeclared} == {
        ("undeclared", "trait group_id"),
        ("undeclared", "trait group_plan"),
    }


def test_good_messages_are_kept_and_bad_ones_reported(client: httpx.Client, service: DecisionService) -> None:
    batch = {"batch": [{"type": "track", **ORDER}, {"type": "track", "messageId": "m2"}, 5]}
    told = post(client, "/v1/batch", batch)
    assert told.status_code == 200
    assert told.json() == {
        "success": True,
        "fates": {"kept": 1, "malformed": 2},
        "refused": [
            {
                "index": 1,
                "message_id": "m2",
                "fate": "malformed",
                "reason": "about nobody: wanted userId or anonymousId, and no placeholder such as null; at the message",
            },
            {"index": 2, "message_id": "", "fate": "malformed", "reason": "not a JSON object: at the message"},
        ],
    }
    assert [event.id for event in events_of(service)] == ["m1"]


def test_strict_mode_makes_a_refused_message_an_error_and_keeps_the_others(
    client: httpx.Client, service: DecisionService
) -> None:
    batch = {"batch": [{"type": "track", **ORDER}, 5]}
    told = post(client, "/v1/batch", batch, **{"X-Strict-Mode": "1"})
    assert (told.status_code, told.json()["type"]) == (400, "urn:tactful:problem:messages-refused")
    assert told.json()["errors"] == [{"place": "message 1", "message": "not a JSON object: at the message"}]
    assert [event.id for event in events_of(service)] == ["m1"]
    assert post(client, "/v1/track", ORDER, **{"X-Strict-Mode": "1"}).json() == WELL


def test_an_event_is_answered_with_a_decision_upon_it_the_same_each_time(
    client: httpx.Client, service: DecisionService
) -> None:
    post(client, "/v1/identify", {"userId": "new", "traits": {"consents": {"email": True}}})
    first = post(client, "/v1/track?decide=true", ORDER)
    assert first.json()["decision"]["choice"]["message"] == "thank_you"
    assert first.json()["decision"]["choice"]["opening"] == "thanks:m1"
    post(client, "/v1/track", {**ORDER, "messageId": "m2"})
    assert post(client, "/v1/track?decide=true", ORDER).content == first.content
    assert client.get(f"/v1/decisions/{first.json()['decision']['id']}").json() == first.json()["decision"]
    other = post(client, "/v1/track?decide=true", {**ORDER, "userId": "thankful"})
    described = client.get("/openapi.json").json()["paths"]["/v1/track"]["post"]["responses"]
    assert (other.status_code, "409" in described) == (409, True)
    refused = post(client, "/v1/track?decide=true", {"event": "x"})
    assert (refused.status_code, refused.json()["decision"], len(refused.json()["refused"])) == (200, None, 1)
    assert len(list(service.store.decision_log(service.tenant))) == 1


def test_an_event_that_is_answered_is_not_decided_upon_twice(service: DecisionService, shop: Settings) -> None:
    settings = Settings(
        auth="open", data=shop.data, webhook_url="http://127.0.0.1:1/", webhook_secret=SecretStr(SECRET)
    )
    with running(Tenants.only(service), settings) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        decided = post(client, "/v1/track?decide=true", ORDER).json()["decision"]["id"]
    assert outbox.census(service.store.database)["waiting"] == 0
    assert [stored.id for stored in service.store.decision_log(service.tenant)] == [decided]


def test_who_stood_for_a_decision_under_another_id_is_answered_with_it(client: httpx.Client) -> None:
    order = {**ORDER, "userId": None, "anonymousId": "a1"}
    first = post(client, "/v1/track?decide=true", order)
    post(client, "/v1/identify", {"userId": "new", "anonymousId": "a1"})
    assert post(client, "/v1/track?decide=true", order).content == first.content


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"{", "", 400),
        (b"[]", "", 400),
        (b"null", "", 400),
        (b'{"batch": {}}', "", 400),
        (b'{"batch":' + b"[" * 90_000, "", 400),
        (b"{}", "gzip", 400),
        (b"{}", "deflate", 400),
        (gzip.compress(bytes(1_000 * 1_000 * 100), mtime=0), "gzip", 413),
        (gzip.compress(b'{"batch": [' + b"1," * 20_000 + b"1]}", mtime=0), "gzip", 413),
        (json.dumps({"batch": [{"event": "x" * LARGEST_BATCH}]}).encode(), "", 413),
        (b" " * (LARGEST + 1), "", 413),
    ],
)
def test_bodies_that_cannot_be_used_are_refused(client: httpx.Client, body: bytes, encoding: str, status: int) -> None:
    told = client.post("/v1/batch", content=body, headers={"Content-Encoding": encoding})
    assert (told.status_code, told.headers["content-type"]) == (status, "application/problem+json")
    assert told.json()["type"].rpartition(":")[2] in ("malformed-body", "body-too-large")


def test_what_a_batch_that_is_too_large_refuses_is_kept(client: httpx.Client, service: DecisionService) -> None:
    post(client, "/v1/identify", {"userId": "new", "traits": {"consents": {"email": True, "sms": True}}})
    refusals = [
        {"type": "track", "userId": "new", "event": "Unsubscribed"},
        {"type": "identify", "userId": "new", "traits": {"consents": {"sms": False}}},
    ]
    large = {"type": "track", "userId": "new", "event": "x", "properties": {"note": "x" * LARGEST_BATCH}}
    told = post(client, "/v1/batch", {"batch": [large, *refusals]})
    assert (told.status_code, "2 refusals in it are kept" in told.json()["detail"]) == (413, True)
    (known,) = service.store.customers(service.tenant, [("new", NOW)])
    assert known is not None
    assert set(known.consents.values()) == {False}


def test_a_complaint_counts_though_it_is_larger_than_a_message_may_be(
    client: httpx.Client, service: DecisionService
) -> None:
    post(client, "/v1/identify", {"userId": "new", "traits": {"consents": {"email": True}}})
    complaint = {"userId": "new", "event": "Email Marked as Spam", "properties": {"note": "x" * 100_000}}
    told = post(client, "/v1/track", complaint).json()
    assert [one["fate"] for one in told["refused"]] == ["partial"]
    (known,) = service.store.customers(service.tenant, [("new", NOW)])
    assert known is not None
    assert known.consents["email", "marketing"] is False


def test_a_number_that_no_json_has_holds_no_other_message_back(client: httpx.Client) -> None:
    batch = (
        b'{"batch": [{"type": "track", "userId": "new", "event": "Order Completed", "properties": {"revenue": NaN}},'
    )
    told = client.post("/v1/batch", content=batch + json.dumps({"type": "track", **ORDER}).encode() + b"]}").json()
    assert told["fates"] == {"malformed": 1, "kept": 1}


def test_a_batch_of_rudderstacks_may_be_larger(client: httpx.Client) -> None:
    message = {"type": "track", "userId": "new", "event": "x", "properties": {"note": "x" * 30_000}}
    batch = [{**message, "channel": "server"}] * 30
    assert post(client, "/v1/batch", {"batch": batch}).json() == WELL
    assert post(client, "/v1/batch", {"batch": [message] * 30}).status_code == 413
    assert post(client, "/v1/batch", {"batch": batch, "writeKey": "k"}).status_code == 413


def test_hostile_bodies_take_little_memory(client: httpx.Client) -> None:
    """The largest bodies, a hundred of them, of the values that take most room once they are parsed."""
    bodies = [
        gzip.compress(b'{"batch": [' + piece * (LARGEST // len(piece) - 8) + b"0]}")
        for piece in (b"{},", b'"\xc3\xa9",')
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(20):
        told = client.post("/v1/batch", content=bodies[number % 2], headers={"Content-Encoding": "gzip"})
        assert told.status_code == 413
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 400 * 1024


def test_every_fate_is_counted(client: httpx.Client) -> None:
    def counted(fate: str) -> float:
        return METRICS.events(fate)._value.get()

    before = {fate: counted(fate) for fate in ("kept", "duplicate", "malformed")}
    post(client, "/v1/batch", {"batch": [{"type": "track", **ORDER}, {"type": "track", **ORDER}, 5]})
    assert {fate: counted(fate) - before[fate] for fate in before} == dict.fromkeys(before, 1)


def test_an_operator_finds_why_messages_are_refused(client: httpx.Client) -> None:
    unfit = {"type": "track", "userId": "new", "event": "Order Completed", "properties": {"revenue": "much"}}
    zone = {"type": "identify", "userId": "new", "traits": {"timezone": "Mars/Base"}}
    unknown = {"type": "track", "userId": "new", "event": "Order 10023 of ada@shop.example opened"}
    for batch in ([unfit, zone], [unfit, unknown], [{"type": "track", **ORDER}]):
        post(client, "/v1/batch", {"batch": batch})
    post(client, "/v1/batch", {"batch": {}})
    told = client.get("/v1/events/refused").json()["refused"]
    assert {(one["fate"], one["name"]): (one["count"], one["reason"]) for one in told} == {
        ("malformed", "track Order Completed"): (2, "not a number: wanted a number of at most 1e+09; at revenue"),
        ("partial", "identify"): (1, "unknown time zone: wanted an IANA name such as Europe/Paris; at timezone"),
        ("unmapped", "track Order … of … opened"): (1, ""),
        ("malformed", "batch"): (1, "no batch: wanted a list of messages; at batch"),
    }
    assert client.get("/health").json()["refused_messages"] == {"malformed": 3, "partial": 1, "unmapped": 1}


def test_keys_want_the_scopes(shop: Settings, open_shop: Callable[[], DecisionService]) -> None:
    service = open_shop()
    settings = Settings(data=shop.data, auth="keys")
    made = {
        scopes: keys.create(service.store.database, service.tenant, "k", scopes.split(), None, datetime.now(UTC))[1]
        for scopes in ("ingest", "decide", "ingest decide")
    }
    with running(Tenants.only(service), settings) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:

        def status(path: str, key: str) -> int:
            return client.post(path, json=ORDER, auth=(key, "")).status_code

        assert status("/v1/track", "nobody") == 401
        assert [status("/v1/track", key) for key in made.values()] == [200, 403, 200]
        assert [status("/v1/track?decide=true", key) for key in made.values()] == [403, 403, 200]


def test_without_models_messages_are_kept_all_the_same(
    shop: Settings, open_shop: Callable[[], DecisionService]
) -> None:
    shop.catalogue.unlink()
    service = open_shop()
    with running(service) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        assert post(client, "/v1/track", ORDER).json() == WELL
        assert post(client, "/v1/track?decide=true", ORDER).status_code == 503
    assert len(events_of(service)) == 1
