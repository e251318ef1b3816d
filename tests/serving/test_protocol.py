"""Clients that send too much, too slowly, or do not listen: each is told so, and no other waits for it."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tactful.serving.engine.service import DecisionService
from tactful.serving.process.protocol import LARGEST_HEAD, LONGEST_URL, MOST_HEADERS, MOST_IGNORED
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tests.patience import PATIENCE, measured_pause

HEAD = (
    b"POST /v1/decisions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
)


def get(url: str, **given: Any) -> httpx.Response:
    return httpx.get(url, timeout=PATIENCE, **given)


def decision(url: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/decisions", json={"customer_id": "leaver"}, timeout=PATIENCE)


@contextmanager
def connection(url: str) -> Iterator[socket.socket]:
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) as connected:
        yield connected


def pour(connected: socket.socket, most: int) -> None:
    for _ in range(most // 65_536):
        connected.sendall(b"x" * 65_536)


def status(connected: socket.socket) -> int:
    """The status of the answer, which the end of the connection follows; 0 where there is none."""
    told = b""
    while piece := connected.recv(65_536):
        told += piece
    return int(told.split(b" ")[1]) if told else 0


@pytest.fixture
def url(service: DecisionService) -> Iterator[str]:
    with running(service) as url:
        yield url


@pytest.fixture
def hurried(service: DecisionService) -> Iterator[str]:
    """A service that waits no longer than a working client needs on this machine at present."""
    with running(service, Settings(auth="open", patience=measured_pause())) as url:
        yield url


def test_a_url_that_is_too_long(url: str) -> None:
    assert get(f"{url}/v1/decisions/{'x' * LONGEST_URL}").status_code == 414
    assert get(f"{url}/health/live?{'x' * (LONGEST_URL - 100)}").status_code == 200


def test_too_many_headers(url: str) -> None:
    assert get(f"{url}/health/live", headers={f"x-{n}": "1" for n in range(MOST_HEADERS)}).status_code == 431
    assert get(f"{url}/health/live", headers={f"x-{n}": "1" for n in range(MOST_HEADERS // 2)}).status_code == 200


def test_headers_that_are_too_large(url: str) -> None:
    large = {f"x-{n}": "1" * 1_000 for n in range(LARGEST_HEAD // 1_000 + 1)}
    assert get(f"{url}/health/live", headers=large).status_code == 431


def test_one_header_without_an_end(url: str) -> None:
    with connection(url) as connected:
        connected.sendall(b"GET /health/live HTTP/1.1\r\nX-Endless: ")
        with pytest.raises(ConnectionError):
            pour(connected, 65_536_000)
    assert get(f"{url}/health/live").status_code == 200


def test_chunks_without_a_body_have_an_end(url: str) -> None:
    with connection(url) as connected:
        connected.sendall(HEAD.replace(b"Content-Length: 100", b"Transfer-Encoding: chunked") + b"1;")
        with pytest.raises(ConnectionError):
            pour(connected, 65_536_000)
    assert get(f"{url}/health/live").status_code == 200


def test_an_answered_upload_is_not_read_for_ever(url: str) -> None:
    with connection(url) as connected:
        connected.sendall(HEAD.replace(b"Content-Length: 100", b"Content-Length: 1000000000"))
        assert connected.recv(100).startswith(b"HTTP/1.1 413 ")
        with pytest.raises(ConnectionError):
            pour(connected, 20 * MOST_IGNORED)


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /v1/dec", HEAD[:-2], HEAD, HEAD + b'{"customer_id"'],
    ids=["nothing", "line", "head", "body", "half"],
)
def test_whoever_stops_in_the_middle_is_let_go(hurried: str, sent: bytes) -> None:
    with connection(hurried) as connected:
        connected.sendall(sent)
        assert decision(hurried).status_code == 200
        assert status(connected) == 408


def test_whoever_sends_slowly_but_goes_on_is_heard(hurried: str) -> None:
    body = b'{"customer_id": "leaver"}'

    def pieces() -> Iterator[bytes]:
        for byte in body:
            yield bytes([byte])

    headers = {"Content-Type": "application/json"}
    assert httpx.post(f"{hurried}/v1/decisions", content=pieces(), headers=headers, timeout=PATIENCE).json()


def test_two_requests_at_once_on_a_connection_are_answered_in_order(url: str) -> None:
    one = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    last = b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with connection(url) as connected:
        connected.sendall(one + one + last)
        told = b""
        while piece := connected.recv(65_536):
            told += piece
    assert re.findall(rb"HTTP/1\.1 (\d+)", told) == [b"200", b"200", b"404"]


def test_what_is_no_http_is_refused(url: str) -> None:
    with connection(url) as connected:
        connected.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert status(connected) == 400
