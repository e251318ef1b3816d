"""The service beside the caller's own work: started, asked, stopped."""

import socket

import httpx
import pytest

from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import ServingError
from tactful.serving.process.server import running
from tactful.serving.process.sockets import address, listen
from tests.patience import PATIENCE


def test_it_answers_while_the_block_runs_and_not_after(service: DecisionService) -> None:
    with running(service) as url:
        assert httpx.get(f"{url}/health/live", timeout=PATIENCE).json() == {"status": "alive"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health/live", timeout=PATIENCE)


def test_two_run_side_by_side(service: DecisionService) -> None:
    with running(service) as one, running(service) as other:
        assert one != other
        told = httpx.post(f"{one}/v1/decisions", json={"customer_id": "thankful", "id": "d1"}, timeout=PATIENCE)
        assert httpx.get(f"{other}/v1/decisions/d1", timeout=PATIENCE).content == told.content


def test_it_stops_when_the_block_fails(service: DecisionService) -> None:
    with pytest.raises(ZeroDivisionError), running(service) as url:
        raise ZeroDivisionError
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health/live", timeout=PATIENCE)


def test_an_address_that_cannot_be_had_is_an_error() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServingError, match=f"Address already in use.*127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_small_answers_are_sent_at_once() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")
def test_an_ipv6_address_stands_in_brackets() -> None:
    with listen("::1", 0) as listening:
        assert address(listening) == f"http://[::1]:{listening.getsockname()[1]}"
