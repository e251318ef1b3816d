"""The shop over real HTTP on loopback."""

from collections.abc import Iterator

import httpx
import pytest

from serving.server import running
from serving.service import DecisionService


@pytest.fixture
def client(service: DecisionService) -> Iterator[httpx.Client]:
    """A client of the shop's service."""
    with running(service) as url, httpx.Client(base_url=url) as client:
        yield client
