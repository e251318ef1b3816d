"""A service that asks nobody for a key answers programs of its own machine, and no page of another site."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tests.patience import PATIENCE
from tests.serving.shop import service_of

SHOP = "https://shop.example"


@pytest.fixture(scope="module")
def url(furnished: Path) -> Iterator[str]:
    service = service_of(Settings.of(furnished))
    with running(service, Settings(auth="open", origins=(SHOP,))) as url:
        yield url
    service.store.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "LOCALHOST:9"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Origin": SHOP}, 200),
        ({"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Host": "localhost:1", "Origin": "http://localhost:1", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "localhost@evil.example"}, 403),
        ({"Host": "["}, 403),
        ({"Host": "10.0.0.7:8080"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Origin": f"{SHOP}.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"X-Forwarded-For": "203.0.113.9"}, 403),
        ({"X-Forwarded-Host": "shop.example"}, 403),
        ({"Forwarded": "for=203.0.113.9"}, 403),
        ({"Via": "1.1 proxy"}, 403),
        ({"X-Real-IP": "203.0.113.9"}, 403),
    ],
)
def test_who_is_answered(url: str, headers: dict[str, str], status: int) -> None:
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        answer = client.get("/v1/programmes", headers=headers)
        assert answer.status_code == status, answer.text
        assert status == 200 or answer.json()["type"] == "urn:tactful:problem:forbidden"
