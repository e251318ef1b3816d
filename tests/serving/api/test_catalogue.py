"""The catalogue over HTTP: read, checked, replaced while decisions are made."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from tactful.serving.settings import Settings
from tactful.serving.store.queries.catalogues import digest_of
from tests.serving.shop import CATALOGUE

YAML = {"Content-Type": "application/yaml"}
DEARER = CATALOGUE.replace("value: 4\n", "value: 400\n")


def put(client: httpx.Client, text: str, **headers: str) -> httpx.Response:
    return client.put("/v1/catalogue", content=text, headers={**YAML, **headers})


def etag(client: httpx.Client) -> str:
    tag: str = client.get("/v1/catalogue").headers["etag"]
    return tag


def test_it_is_told_as_it_stands_and_not_again_while_it_does(client: httpx.Client) -> None:
    told = client.get("/v1/catalogue")
    assert (told.text, told.headers["content-type"].split(";")[0]) == (CATALOGUE, "application/yaml")
    again = client.get("/v1/catalogue", headers={"If-None-Match": told.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", told.headers["etag"])


def test_any_of_several_tags_is_enough(client: httpx.Client) -> None:
    seen = etag(client)
    listed = {"If-None-Match": f'"other", W/{seen}'}
    assert client.get("/v1/catalogue", headers=listed).status_code == 304
    assert client.get("/v1/catalogue", headers={"If-None-Match": "*"}).status_code == 304
    assert put(client, DEARER, **{"If-Match": '"other", "another"'}).status_code == 412
    assert put(client, DEARER, **{"If-Match": f'"other", {seen}'}).status_code == 200


def test_everybody_is_told_the_tag_of_their_own(client: httpx.Client) -> None:
    texts = [f"{CATALOGUE}\n# {number}\n" for number in range(16)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(partial(put, client, **{"If-Match": "*"}), texts))
    assert any(answer.is_success for answer in answers)
    for text, answer in zip(texts, answers, strict=True):
        assert answer.status_code == 412 or answer.headers["etag"] == f'"{digest_of(text)}"'


def test_another_takes_its_place_with_the_next_decision(client: httpx.Client, shop: Settings) -> None:
    before = client.post("/v1/decisions", json={"customer_id": "thankful", "id": "d1"}).json()
    client.post("/v1/decisions/d1/release")
    told = put(client, DEARER, **{"If-Match": etag(client)})
    assert (told.status_code, told.json()["number"]) == (200, 1)
    assert told.headers["etag"] == etag(client)
    assert client.get("/v1/catalogue").text == DEARER
    after = client.post("/v1/decisions", json={"customer_id": "thankful"}).json()
    assert after["choice"]["action"] == "thanks/thank_you_short/sms"
    assert after["versions"]["catalogue"] == told.json()["version"] != before["versions"]["catalogue"]
    assert client.get("/v1/decisions/d1").json() == before, "told by the catalogue it was made with"
    assert shop.catalogue.read_text() == CATALOGUE


def test_two_who_change_the_same_one_are_not_both_heard(client: httpx.Client) -> None:
    seen = etag(client)
    assert put(client, DEARER, **{"If-Match": seen}).status_code == 200
    late = put(client, CATALOGUE, **{"If-Match": seen})
    assert (late.status_code, late.json()["type"]) == (412, "urn:tactful:problem:catalogue-moved")
    assert client.get("/v1/catalogue").text == DEARER
    assert put(client, CATALOGUE, **{"If-Match": "*"}).json()["number"] == 2
    assert put(client, DEARER).status_code == 428


def test_every_mistake_is_told_with_its_line_and_nothing_changes(client: httpx.Client) -> None:
    wrong = CATALOGUE.replace("channels: email\n", "channels: fax\n").replace("value: 20", "value: scores.laps")
    told = put(client, wrong, **{"If-Match": etag(client)})
    assert (told.status_code, told.json()["type"]) == (422, "urn:tactful:problem:catalogue-refused")
    lines = [int(error["place"].removeprefix("line ")) for error in told.json()["errors"]]
    assert {wrong.splitlines()[line - 1].strip() for line in lines} >= {"channels: fax", "value: scores.laps"}
    assert client.get("/v1/catalogue").text == CATALOGUE


def test_checking_changes_nothing(client: httpx.Client) -> None:
    checked = client.put("/v1/catalogue", params={"check": True}, content=DEARER, headers=YAML)
    assert (checked.status_code, checked.json()["number"]) == (200, None)
    assert client.get("/v1/catalogue").text == CATALOGUE


LAUGHS = b"".join(b"l%d: &l%d [%s]\n" % (i + 1, i + 1, b",".join([b"*l%d" % i] * 9)) for i in range(9))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\xff\xfe", 400),
        (b"", 422),
        (b"[1, 2", 422),
        (b"a: &x [*x]", 422),
        (b"l0: &l0 lol\n" + LAUGHS, 422),
        (b"[" * 5_000, 422),
        (b"? [a, b]\n: c", 422),
        (b"a: !!python/object:os.system x", 422),
    ],
)
def test_what_is_no_catalogue_is_refused(client: httpx.Client, body: bytes, status: int) -> None:
    assert client.put("/v1/catalogue", content=body, headers={**YAML, "If-Match": "*"}).status_code == status


def test_programmes_come_in_the_marketers_order(client: httpx.Client) -> None:
    told = client.get("/v1/programmes").json()
    assert told["catalogue"]["name"] == "shop"
    assert [programme["programme"] for programme in told["programmes"]] == ["win_back", "thanks", "birthday"]
