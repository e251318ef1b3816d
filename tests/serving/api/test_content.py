"""A page asks for its customer's content: with a key that everybody can read and a token of the shop's server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tactful.serving.settings import Settings
from tactful.serving.signing.customer_tokens import sign
from tactful.serving.store.port import Contact
from tests.serving.house import House, open_house
from tests.serving.shop import CATALOGUE, NOW

SECRET = "a-secret-of-thirty-two-bytes-or-more"
WEB = CATALOGUE.replace("  sms:", "  web: {}\n  sms:").replace("channels: sms", "channels: web")
CONSENTS = {"traits": {"first_name": "Ada", "consents": {"web": True, "email": True}}}
ORDER = {"event": "Order Completed", "properties": {"revenue": 80}}


@pytest.fixture
def house(shop: Settings) -> Iterator[House]:
    """The shop with content for its pages, and two customers who have just ordered."""
    shop.catalogue.write_text(WEB)
    with open_house(
        shop, token_secrets={"default": [SECRET], "other": ["another-secret-of-thirty-two-bytes!"]}
    ) as house:
        server = house.client("ingest")
        for customer in ("ada", "eve"):
            server.post("/v1/identify", json={"userId": customer, **CONSENTS})
            server.post("/v1/track", json={"userId": customer, "messageId": f"o-{customer}", **ORDER})
        yield house


def token(customer: str, secret: str = SECRET, ago: timedelta = timedelta()) -> str:
    return sign(customer, secret, datetime.now(UTC) - ago)


def asked(client: httpx.Client, customer: str = "ada", **given: Any) -> httpx.Response:
    return client.post("/v1/content", json={"token": token(customer), **given})


def contacts(house: House, customer: str = "ada") -> list[tuple[str, str]]:
    found: list[tuple[str, Contact]] = [
        (status, contact) for who, status, contact in house.tenants.store.ledger("default") if who == customer
    ]
    return [(status, contact.message) for status, contact in found]


def counted(house: House, later: timedelta) -> list[str]:
    """The contacts that count toward caps so much later."""
    (known,) = house.tenants.store.customers("default", [("ada", NOW + later)])
    assert known is not None
    assert known.contacts is not None
    return [contact.message for contact in known.contacts]


def test_a_page_is_given_the_choice_and_its_text_and_nothing_else(house: House) -> None:
    page = house.client("content")
    answer = asked(page)
    assert answer.status_code == 200, answer.text
    assert answer.json()["content"] == {
        "action": "thanks/thank_you_short/web",
        "programme": "thanks",
        "message": "thank_you_short",
        "channel": "web",
        "subject": None,
        "body": "Thank you, Ada!",
    }
    assert answer.json().keys() == {"id", "content"}
    assert asked(page).json() == answer.json()
    assert asked(page, "eve").json()["id"] != answer.json()["id"]
    assert len(contacts(house)) == 1


def test_content_counts_as_a_contact_once_it_was_shown(house: House) -> None:
    page = house.client("content")
    id_ = asked(page).json()["id"]
    assert contacts(house) == [("reserved", "thank_you_short")]
    assert counted(house, timedelta(minutes=4)) == ["thank_you_short"]
    assert counted(house, timedelta(minutes=6)) == []
    shown = {"token": token("ada"), "kind": "shown"}
    told = [page.post(f"/v1/content/{id_}/outcome", json=shown).json()["status"] for _ in range(2)]
    assert (told, contacts(house)) == (["kept", "known"], [("sent", "thank_you_short")])
    assert counted(house, timedelta(minutes=6)) == ["thank_you_short"]
    clicked = {**shown, "kind": "clicked"}
    told = [page.post(f"/v1/content/{id_}/outcome", json=clicked).json()["status"] for _ in range(2)]
    assert told == ["kept", "known"]
    assert [kind for _, _, kind, _, _ in house.tenants.store.outcomes("default")] == ["clicked"]


def test_a_page_reports_of_its_own_customer_s_content_alone(house: House) -> None:
    page = house.client("content")
    id_ = asked(page).json()["id"]
    foreign = house.client("decide").post("/v1/decisions", json={"customer_id": "thankful", "id": "d-1"})
    assert foreign.status_code == 200
    for decision in (id_, "d-1", "nothing"):
        answer = page.post(f"/v1/content/{decision}/outcome", json={"token": token("eve"), "kind": "clicked"})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:tactful:problem:unknown-decision")
    assert list(house.tenants.store.outcomes("default")) == []


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"token": "x"}, 401),
        ({"token": token("ada", "another-secret-of-thirty-two-bytes!")}, 401),
        ({"token": token("ada", ago=timedelta(hours=1))}, 401),
        ({}, 422),
        ({"channels": ["email"]}, 422),
        ({"channels": []}, 422),
        ({"customer_id": "eve"}, 422),
    ],
)
def test_what_is_no_request_of_a_page_is_refused(house: House, given: dict[str, Any], status: int) -> None:
    body = given if "token" in given or not given else {"token": token("ada"), **given}
    answer = house.client("content").post("/v1/content", json=body)
    assert answer.status_code == status, answer.text


def test_a_page_s_key_opens_nothing_else_and_other_keys_no_content(house: House) -> None:
    page = house.client("content", "track")
    assert page.post("/v1/decisions", json={"customer_id": "ada"}).status_code == 403
    assert page.get("/v1/customers/ada").status_code == 403
    assert asked(house.client("decide", "read", "track", "ingest")).status_code == 403
    other = house.client("content", tenant="other")
    assert asked(other).status_code == 401
    assert asked(house.anybody()).status_code == 401


def test_one_customer_s_page_asks_only_so_often(house: House) -> None:
    page = house.client("content")
    found = [asked(page).status_code for _ in range(40)]
    assert set(found) == {200, 429}
    assert asked(page, "eve").status_code == 200


def test_a_stranger_has_no_content(house: House) -> None:
    assert asked(house.client("content"), "nobody-known").status_code == 404
