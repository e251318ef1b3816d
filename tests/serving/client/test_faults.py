"""The Python clients through faults: connections cut, answers lost, a service that is busy, limited or restarted."""

import asyncio
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tactful import AsyncClient, Client
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.client.errors import NoAnswerError, RateLimitError, UnavailableError
from tactful.serving.client.retries import retry_after
from tactful.serving.engine.service import DecisionService
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.opening import open_store
from tests.e2e.flaky import WEATHER, flaky
from tests.e2e.test_workers import served
from tests.patience import PATIENCE
from tests.serving.house import open_house

FOUL = {"cut", "lost", "busy", "drag"}


def made(service: DecisionService) -> list[str]:
    return sorted(stored.id for stored in service.store.decision_log(service.tenant))


def test_each_call_is_carried_out_once_through_a_network_that_fails(service: DecisionService) -> None:
    wanted = 3 * len(WEATHER)
    with running(service) as url, flaky(url) as network, Client(network.url, patience=PATIENCE) as client:
        ids = sorted(client.decide("thankful").id for _ in range(wanted))
        assert all(client.track("Product Viewed", "thankful", {"sku": "a"}).success for _ in range(wanted))
        assert set(network.befell) >= FOUL
    assert made(service) == ids
    assert len(set(ids)) == wanted
    seen = [event for _, event in service.store.events(service.tenant) if EVENT_TYPES[event.type] == "view"]
    assert len(seen) == wanted


def test_many_at_once_are_each_carried_out_once(service: DecisionService) -> None:
    async def ask(url: str) -> list[str]:
        async with AsyncClient(url, patience=PATIENCE) as client:
            answers = await asyncio.gather(*(client.decide("regular") for _ in range(40)))
            return sorted(answer.id for answer in answers)

    with running(service) as url, flaky(url) as network:
        ids = asyncio.run(ask(network.url))
        assert set(network.befell) >= FOUL
    assert made(service) == ids
    assert len(set(ids)) == 40


def test_a_contact_is_cleared_once_although_the_answer_was_lost(service: DecisionService) -> None:
    with running(service) as url, flaky(url, ("fair", "lost", "lost", "fair")) as network:
        with Client(network.url, patience=PATIENCE) as client:
            client.decide("thankful", id="d1")
            assert client.clear_contact("d1").send, "the answer to the first request is given again"
        assert network.befell["lost"] == 2
    assert [status for _, status, contact in service.store.ledger(service.tenant) if contact.id == "d1"] == ["sent"]


def test_without_patience_a_request_is_sent_once(service: DecisionService) -> None:
    with running(service) as url, flaky(url, ("busy", "cut")) as network, Client(network.url, patience=0) as client:
        with pytest.raises(UnavailableError, match=r"answered with 503") as busy:
            client.decide("thankful")
        with pytest.raises(NoAnswerError, match=r"no answer: got .*; at POST /v1/decisions"):
            client.decide("thankful")
        assert network.befell == {"busy": 1, "cut": 1}
    assert (busy.value.kind, busy.value.request_id) == ("", "")
    assert made(service) == []


def test_a_limited_caller_waits_as_long_as_it_is_asked_to(shop: Settings) -> None:
    with open_house(shop) as house:
        limited = house.key("decide", rate=5)
        with Client(house.url, limited, timeout=PATIENCE, patience=PATIENCE) as client:
            assert len({client.decide("regular").id for _ in range(12)}) == 12
        slow = house.key("decide", rate=0.001)
        with Client(house.url, slow, timeout=PATIENCE, patience=1) as client:
            client.decide("regular")
            with pytest.raises(RateLimitError) as caught:
                client.decide("regular")
        assert caught.value.kind == "too-many-requests"


def test_a_service_that_is_not_up_yet_is_waited_for(service: DecisionService) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        client = Client(f"http://127.0.0.1:{port}", patience=PATIENCE)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.decide, "thankful", id="d1")
            listening.accept()[0].close()
            listening.close()
            with running(service, port=port):
                assert asked.result(PATIENCE).id == "d1"
                client.close()
    assert made(service) == ["d1"]


def test_callers_outlive_a_service_that_is_killed_and_started_again(shop: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    ids = [f"d{number}" for number in range(200)]
    begun = threading.Event()

    def ask(decision_id: str) -> str:
        answer = client.decide("regular", id=decision_id).id
        begun.set()
        return answer

    with (
        Client(f"http://127.0.0.1:{port}", timeout=PATIENCE, patience=PATIENCE) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        with served(shop.data, "--port", port) as service:
            asked = pool.map(ask, ids)
            assert begun.wait(PATIENCE)
            service.process.send_signal(signal.SIGKILL)
            service.process.wait(PATIENCE)
        with served(shop.data, "--port", port):
            assert list(asked) == ids
    store = open_store(shop.store)
    assert sorted(one.id for one in store.decision_log("default")) == sorted(ids)
    store.close()


def test_retry_after_may_be_a_date_or_nonsense() -> None:
    assert retry_after(httpx.Response(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})) == 0.0
    assert retry_after(httpx.Response(503, headers={"Retry-After": "soon"})) is None
    assert retry_after(httpx.Response(503)) is None
