"""Killed at random moments under load, it has kept all that was acknowledged, and every cap is as it should be."""

from pathlib import Path

import pytest

from tests.storm.ground import furnish, serving
from tests.storm.verdict import verdict
from tests.storm.weather import callers, kills_a_worker, kills_the_server, postgres, rage

KILLS = 6
"""Of workers, and of PostgreSQL's server; `make soak` kills more than 50 times."""


@pytest.mark.timeout(600)
def test_sqlite_and_its_workers(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "shop")
    with serving(settings) as service, callers(service.url) as memory:
        rage({"worker": kills_a_worker(service)}, lambda struck: struck.total() >= KILLS, memory, pause=0.5)
    found = verdict(settings, memory)
    assert found.clean, (found, memory.unexpected[:3])
    assert memory.retries > 0, "nobody noticed a kill"


@pytest.mark.timeout(600)
def test_postgresql_its_workers_and_its_server(tmp_path: Path) -> None:
    with postgres() as server:
        settings = furnish(tmp_path / "shop", server.uri)
        with serving(settings) as service, callers(service.url) as memory:
            faults = {"worker": kills_a_worker(service), "server": kills_the_server(server)}
            rage(faults, lambda struck: struck.total() >= 2 * KILLS, memory, pause=0.5)
        found = verdict(settings, memory)
    assert found.clean, (found, memory.unexpected[:3])
    assert memory.retries > 0, "nobody noticed a kill"
