"""The shop over real HTTP on loopback."""

from collections.abc import Iterator

import httpx
import pytest

from tactful.serving.engine.service import DecisionService
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tests.patience import PATIENCE
from tests.serving.house import House, open_house


@pytest.fixture
def client(service: DecisionService) -> Iterator[httpx.Client]:
    """A client of the shop's service, which asks nobody for a key."""
    with running(service) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def house(shop: Settings) -> Iterator[House]:
    """The shop's service for two tenants, whose callers send keys."""
    with open_house(shop) as house:
        yield house
