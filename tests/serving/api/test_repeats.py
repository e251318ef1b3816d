"""Requests sent twice under one key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import select

from tactful.serving.store.queries import idempotency
from tactful.serving.store.schema import idempotency as idempotency_table
from tests.serving.house import House
from tests.serving.shop import CATALOGUE

BODY = {"customer_id": "thankful"}
ONCE = {"Idempotency-Key": "checkout 7"}


def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].rsplit(":", 1)[1]


def test_the_second_time_the_same_answer_is_told_and_nothing_is_done(house: House) -> None:
    client = house.client("decide", "read")
    first, second = (client.post("/v1/decisions", json=BODY, headers=ONCE) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["content-type"] == second.headers["content-type"]
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert len(list(house.tenants.store.decision_log("default"))) == 1


def test_an_answer_that_names_nobody_is_not_kept_for_an_erasure_to_miss(house: House) -> None:
    client = house.client("read")
    for _ in range(2):
        answer = client.post("/v1/what-if", json=BODY, headers=ONCE)
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)
    with house.tenants.store.database.read() as connection:
        assert connection.execute(select(idempotency_table)).all() == []


def test_without_a_key_each_request_is_its_own(house: House) -> None:
    client = house.client("decide")
    ids = {client.post("/v1/decisions", json=BODY).json()["id"] for _ in range(2)}
    assert len(ids) == 2


def test_another_body_under_the_key_is_refused(house: House) -> None:
    client = house.client("decide")
    client.post("/v1/decisions", json=BODY, headers=ONCE)
    other = client.post("/v1/decisions", json={"customer_id": "regular"}, headers=ONCE)
    assert problem(other) == (422, "idempotency-key-reused")


def test_another_precondition_under_the_key_is_refused(house: House) -> None:
    client = house.client("admin", "read")
    text, ours = client.get("/v1/catalogue").text, {**ONCE, "If-Match": '"another"'}
    assert client.put("/v1/catalogue", content=text, headers=ours).status_code == 412
    other = client.put("/v1/catalogue", content=text, headers={**ONCE, "If-Match": "*"})
    assert problem(other) == (422, "idempotency-key-reused")


def test_a_request_that_is_not_answered_yet_is_a_conflict(house: House) -> None:
    key = house.key("decide")
    client, caller = house.anybody({"Authorization": f"Bearer {key}"}), key.split("_")[1]
    database, now = house.tenants.store.database, datetime.now(UTC)
    idempotency.claim(database, "default", caller, "checkout 7", "another fingerprint", now)
    assert problem(client.post("/v1/decisions", json=BODY, headers=ONCE)) == (422, "idempotency-key-reused")
    with ThreadPoolExecutor(16) as pool:
        told = list(
            pool.map(lambda _: client.post("/v1/decisions", json=BODY, headers={"Idempotency-Key": "2"}), range(16))
        )
    answered = {answer.content for answer in told if answer.status_code == 200}
    assert len(answered) == 1
    assert {problem(answer) for answer in told if answer.status_code != 200} <= {(409, "request-in-flight")}
    assert len(list(house.tenants.store.decision_log("default"))) == 1


def test_keys_of_two_callers_do_not_meet(house: House) -> None:
    one, other = house.client("decide"), house.client("decide", tenant="other")
    told = [client.post("/v1/decisions", json=BODY, headers=ONCE) for client in (one, other)]
    assert [answer.status_code for answer in told] == [200, 200]
    assert not any("idempotency-replayed" in answer.headers for answer in told)


def test_an_error_of_the_caller_is_told_again_and_one_of_ours_is_not(house: House) -> None:
    client = house.client("decide")
    wrong = {"customer_id": "nobody"}
    assert [client.post("/v1/decisions", json=wrong, headers=ONCE).status_code for _ in range(2)] == [404, 404]
    service = house.tenants.of("default")
    clock = service.clock
    service.clock = lambda: 1 / 0  # type: ignore[assignment, return-value]
    assert problem(client.post("/v1/decisions", json=BODY, headers={"Idempotency-Key": "2"})) == (500, "internal-error")
    service.clock = clock
    again = client.post("/v1/decisions", json=BODY, headers={"Idempotency-Key": "2"})
    assert (again.status_code, "idempotency-replayed" in again.headers) == (200, False)


def test_reading_needs_no_key_and_takes_none(house: House) -> None:
    client = house.client("read")
    told = [client.get("/v1/decisions/none", headers=ONCE) for _ in range(2)]
    assert not any("idempotency-replayed" in answer.headers for answer in told)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_every_method_that_changes_something_is_carried_out_once(house: House, method: str) -> None:
    client = house.client()
    path, given = ("/v1/catalogue", {"content": CATALOGUE}) if method == "PUT" else ("/v1/customers/leaver", {})
    headers = {**ONCE, "If-Match": "*", "Content-Type": "application/yaml"}
    first, second = (client.request(method, path, headers=headers, **given) for _ in range(2))  # type: ignore[arg-type]
    assert first.status_code < 300, first.text
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.headers["idempotency-replayed"] == "true"


def test_a_body_that_is_too_large_is_refused_while_it_comes_in(house: House) -> None:
    client = house.client("decide")
    pieces = (b" " * 10_000 for _ in range(100))
    assert problem(client.post("/v1/decisions", content=pieces, headers=ONCE)) == (413, "body-too-large")
