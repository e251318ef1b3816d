"""The Python clients against a real service: every operation, typed answers, errors that say what is wrong."""

import asyncio
import inspect
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from tactful import AsyncClient, Client
from tactful.serving.api.app import ROUTERS
from tactful.serving.api.decisions.schemas import DecisionRequest, WhatIfRequest
from tactful.serving.client.errors import (
    AuthenticationError,
    ClientError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedAnswerError,
)
from tactful.serving.settings import Settings
from tests.patience import PATIENCE
from tests.serving.house import House, open_house
from tests.serving.receiver import receiving
from tests.serving.shop import CATALOGUE, NOW

OF_OTHERS = {
    "post_content", "post_content_outcome", "segment_settings", "source_config", "measurements", "check_liveness",
    "check_startup", "check_readiness", "list_refused_messages", "get_metrics", "list_actions",
}  # fmt: skip
"""Operations of pages, of other clients and of operators."""


@pytest.fixture
def house(shop: Settings) -> Iterator[House]:
    with open_house(shop) as house:
        yield house


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    with Client(house.url, house.key(), timeout=PATIENCE, patience=PATIENCE) as client:
        yield client


def test_both_clients_have_a_method_of_the_same_form_for_each_operation() -> None:
    operations = {route.name for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)}
    assert operations >= OF_OTHERS
    for name in operations - OF_OTHERS:
        ours, theirs = (inspect.signature(getattr(one, name)) for one in (Client, AsyncClient))
        assert ours == theirs, name


def test_a_decision_is_made_read_cleared_and_answered(client: Client) -> None:
    made = client.decide("thankful", id="d1")
    assert made.choice is not None
    assert (made.choice.action, made.choice.subject) == ("thanks/thank_you/email", "Thank you")
    assert client.decide("thankful", id="d1") == client.get_decision("d1") == made
    assert [one.id for one in client.list_decisions(customer_id="thankful", limit=1).decisions] == ["d1"]
    assert client.clear_contact("d1", idempotency_key="k1").send
    assert client.clear_contact("d1", idempotency_key="k1").send
    reported = [client.report_outcome("d1", "converted", id="o1", time=NOW, value=42.5).status for _ in range(2)]
    assert reported == ["kept", "known"]
    with pytest.raises(ConflictError) as caught:
        client.release_contact("d1")
    assert (caught.value.status, caught.value.kind) == (409, "already-sent")


def test_only_the_channels_asked_for_are_used(client: Client) -> None:
    suppose = client.what_if(WhatIfRequest(customer_id="thankful", values={"thank_you_short": 400.0}))
    assert suppose.choice is not None
    assert suppose.choice.message == "thank_you_short"
    choice = client.decide("thankful", channels=["sms"]).choice
    assert choice is not None
    assert choice.channel == "sms"


def test_one_of_a_batch_may_fail_alone(client: Client) -> None:
    asked = [DecisionRequest(customer_id="thankful", id="b1"), DecisionRequest(customer_id="stranger")]
    decided, failed = client.decide_batch(asked).decisions
    assert decided.decision is not None
    assert (decided.status, decided.decision.id, decided.problem) == (200, "b1", None)
    assert failed.problem is not None
    assert (failed.status, failed.decision, failed.problem.status) == (404, None, 404)


def test_messages_become_history(client: Client) -> None:
    assert client.identify("new/1", {"first_name": "Eve"}).success
    tracked = client.track("Order Completed", "new/1", {"revenue": 80.0, "order_id": "o1"}, decide=True)
    assert tracked.decision is not None
    assert tracked.decision.customer_id == "new/1"
    assert client.page("Home", "new/1").refused == client.screen("Start", "new/1").refused == []
    assert client.group("g1", "new/1", {"name": "Family"}).success
    assert client.alias("new/1", "former-1").success
    assert client.get_customer("new/1").attributes["first_name"] == "Eve"
    batch = [{"type": "track", "userId": "new/1", "event": "Product Viewed"}, {"type": "track", "event": "of nobody"}]
    (refused,) = client.send_batch(batch).refused
    assert (refused.index, refused.fate) == (1, "malformed")
    assert len(client.export_customer("new/1").events) >= 2
    assert client.list_merges(customer_id="new/1").merges[0].merged_id == "former-1"
    assert client.unmerge_customer("former-1").separated_from == "new/1"
    assert client.erase_customer("new/1", idempotency_key="e1").status == "erased"
    assert client.erase_customer("new/1", idempotency_key="e1").status == "erased"


def test_the_catalogue_is_read_checked_and_replaced(client: Client) -> None:
    present = client.get_catalogue()
    assert present.content == CATALOGUE
    assert client.put_catalogue(CATALOGUE, check=True).number is None
    with pytest.raises(ConflictError, match="precondition-required"):
        client.put_catalogue(CATALOGUE)
    put = client.put_catalogue(f"{CATALOGUE}# ours\n", if_match=present.etag, idempotency_key="p1")
    assert put == client.put_catalogue(f"{CATALOGUE}# ours\n", if_match=present.etag, idempotency_key="p1")
    assert client.get_catalogue().content.endswith("# ours\n")
    assert [one.programme for one in client.list_programmes().programmes] == ["win_back", "thanks", "birthday"]
    assert client.get_health().status == "ready"


def test_an_error_says_what_is_wrong_and_where(client: Client, house: House) -> None:
    with pytest.raises(NotFoundError, match=r"unknown customer: got 'stranger'.*POST /v1/decisions.*404") as caught:
        client.decide("stranger")
    assert (caught.value.kind, caught.value.status) == ("unknown-customer", 404)
    assert caught.value.request_id in str(caught.value)
    assert caught.value.hint in caught.value.__notes__
    with pytest.raises(InvalidRequestError) as invalid:
        client.decide("thankful", id="not an id")
    assert [field.place for field in invalid.value.fields] == ["body.id"]
    with Client(house.url, "no-key", patience=PATIENCE) as stranger, pytest.raises(AuthenticationError):
        stranger.decide("thankful")
    with Client(house.url, house.key("read"), patience=PATIENCE) as reader, pytest.raises(PermissionDeniedError):
        reader.decide("thankful")


def test_what_answers_in_the_place_of_a_service_is_named() -> None:
    wanted = pytest.raises(UnexpectedAnswerError, match="wanted a decision service at this address")
    with receiving() as receiver, Client(receiver.url, timeout=PATIENCE) as client, wanted:
        client.decide("thankful")


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://shop", "http://", "http://shop:x", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ClientError, match=r"not an address: got .*; wanted http://HOST:PORT"):
        Client(url)


def test_a_key_that_cannot_be_sent_is_refused_without_being_shown() -> None:
    with pytest.raises(ClientError) as caught:
        AsyncClient("http://127.0.0.1:1", "sécret\n")
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("key", ["line\nbreak", "clé"])
def test_an_idempotency_key_that_cannot_be_sent_is_refused(key: str) -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(ClientError, match="at header Idempotency-Key"):
        client.clear_contact("d1", idempotency_key=key)


def test_an_async_client_asks_many_at_once(house: House) -> None:
    async def ask() -> list[str]:
        async with AsyncClient(house.url, house.key(), timeout=PATIENCE, patience=PATIENCE) as client:
            made = await asyncio.gather(*(client.decide("regular", id=f"d{number}") for number in range(20)))
            assert (await client.get_decision("d7")) == made[7]
            with pytest.raises(NotFoundError):
                await client.get_customer("stranger")
            return [one.id for one in made]

    assert asyncio.run(ask()) == [f"d{number}" for number in range(20)]
