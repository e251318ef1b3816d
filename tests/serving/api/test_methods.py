"""A path takes the methods that it names and no other; HEAD and a slash at the end make no difference."""

import re
from collections import defaultdict
from itertools import product

import httpx

from tests.serving.api.test_openapi import ROUTES
from tests.serving.house import House

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TAKEN: dict[str, set[str]] = defaultdict(set)
for method, path in ROUTES:
    TAKEN[path] |= {"GET", "HEAD"} if method == "get" else {method.upper()}
TAKEN["/v1/decisions/batch"] |= {"GET", "HEAD"}  # of a decision that is called so
READ = ("/health/live", "/openapi.json", "/docs", "/v1/catalogue", "/v1/customers/leaver/export")
ONCE = {"Idempotency-Key": "k"}


def filled(path: str) -> str:
    return re.sub(r"\{[a-z_]+\}", "leaver", path)


def kind(response: httpx.Response) -> str:
    return str(response.json()["type"].rsplit(":", 1)[1])


def test_a_path_names_every_method_it_takes(client: httpx.Client) -> None:
    for (path, taken), slash in product(sorted(TAKEN.items()), ("", "/")):
        for method in sorted(set(METHODS) - taken):
            refused = client.request(method, filled(path) + slash)
            assert refused.status_code == 405, (method, path)
            assert refused.headers["allow"] == ", ".join(sorted(taken))
            assert method == "HEAD" or kind(refused) == "method-not-allowed"


def test_head_is_answered_like_get_without_the_body(client: httpx.Client) -> None:
    own = ("x-request-id", "date")
    for path in READ:
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert {n: v for n, v in head.headers.items() if n not in own} == {
            n: v for n, v in got.headers.items() if n not in own
        }


def test_head_of_what_there_is_not(client: httpx.Client) -> None:
    assert [client.head(path).status_code for path in ("/nowhere", "/v1/decisions/none")] == [404, 404]


def test_head_needs_a_key_where_get_does(house: House) -> None:
    assert house.anybody().head("/v1/catalogue").status_code == 401
    assert house.client("decide").head("/v1/catalogue").status_code == 403
    assert house.client("read").head("/v1/catalogue").status_code == 200


def test_a_slash_at_the_end_makes_no_difference(client: httpx.Client) -> None:
    asked = {"customer_id": "thankful", "id": "d1"}
    plain, slashed = client.post("/v1/decisions", json=asked), client.post("/v1/decisions/", json=asked)
    assert (slashed.status_code, slashed.content) == (200, plain.content)
    assert client.get("/v1/decisions/d1/").content == plain.content
    large = {"batch": [], "padding": " " * 100_000}
    assert client.post("/v1/batch/", json=large).json() == {"success": True}


def test_a_slash_that_is_part_of_an_id_stays(client: httpx.Client) -> None:
    assert client.get("/v1/customers/leaver%2F").status_code == 404
    assert client.get("/v1/customers/leaver/").json()["customer_id"] == "leaver"


def test_batch_is_posted_and_nothing_else(client: httpx.Client) -> None:
    for method, body in product(("GET", "PUT", "PATCH", "DELETE"), (b"", b"{", b'{"batch": []}')):
        refused = client.request(method, "/v1/batch", content=body, headers=ONCE)
        assert (refused.status_code, refused.headers["allow"], kind(refused)) == (405, "POST", "method-not-allowed")


def test_a_problem_says_things_once_but_to_the_clients_of_segment(house: House) -> None:
    anybody, client = house.anybody(), house.client()
    for path in ("/v1/decisions", "/v1/customers/leaver", "/nowhere"):
        assert {"code", "message"} & set(anybody.get(path).json()) == set()
    assert {"code", "message"} & set(client.post("/v1/decisions", content=b"{").json()) == set()
    for path in ("/v1/batch", "/v1/track", "/v1/identify/"):
        for told in (
            anybody.post(path, json={}).json(),
            client.post(path, content=b"{").json(),
            client.post(path, content=b" " * 5_000_000).json(),
            client.get(path).json(),
        ):
            assert (told["message"], told["code"]) == (told["detail"], told["type"].rsplit(":", 1)[1])


def test_an_idempotency_key_is_1_to_255_characters_long(house: House) -> None:
    client, changes = house.client(), (("POST", "/v1/decisions"), ("DELETE", "/v1/customers/leaver"))
    for key, (method, path) in product(("", "x" * 256, "x" * 8_000), changes):
        refused = client.request(method, path, json={"customer_id": "leaver"}, headers={"Idempotency-Key": key})
        assert (refused.status_code, kind(refused)) == (422, "invalid-request")
        (told,) = refused.json()["errors"]
        assert told["place"] == "header.Idempotency-Key"
        assert told["message"] == f"got {len(key)} characters; wanted one header of 1 to 255 characters"
        assert client.get("/v1/customers/leaver", headers={"Idempotency-Key": key}).status_code == 200


def test_an_idempotency_key_of_255_characters_is_kept_and_two_are_refused(house: House) -> None:
    client, body = house.client(), {"customer_id": "leaver"}
    first, again = (client.post("/v1/decisions", json=body, headers={"Idempotency-Key": "x" * 255}) for _ in range(2))
    assert (first.status_code, again.content) == (200, first.content)
    two = client.post("/v1/decisions", json=body, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
    assert two.status_code == 422


def test_erasing_says_whether_anybody_was_known(client: httpx.Client) -> None:
    told = [client.delete(f"/v1/customers/{name}").json() for name in ("leaver", "leaver", "stranger", "stranger")]
    assert [one["status"] for one in told] == ["erased", "erased", "unknown", "erased"]
