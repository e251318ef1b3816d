"""A furnished shop for the whole session, and copies of it that a test may change."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tactful.serving.engine.service import DecisionService
from tactful.serving.settings import Settings
from tests.serving.collector import Collector, collecting
from tests.serving.shop import furnish, service_of


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to serve from; nobody writes to it."""
    return furnish(tmp_path_factory.mktemp("furnished") / "shop").data


@pytest.fixture
def shop(furnished: Path, tmp_path: Path) -> Settings:
    """A copy of the folder."""
    shutil.copytree(furnished, tmp_path / "shop")
    return Settings.of(tmp_path / "shop")


@pytest.fixture
def open_shop(shop: Settings) -> Iterator[Callable[[], DecisionService]]:
    """Opens services on the copy, with a clock at `NOW`."""
    opened: list[DecisionService] = []

    def open_one() -> DecisionService:
        opened.append(service_of(shop))
        return opened[-1]

    yield open_one
    for service in opened:
        service.store.close()


@pytest.fixture
def service(open_shop: Callable[[], DecisionService]) -> DecisionService:
    """One service on the copy."""
    return open_shop()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of traces."""
    with collecting() as server:
        yield server
