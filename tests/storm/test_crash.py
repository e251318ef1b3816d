"""Killed at random moments under load, it has kept all that was acknowledged, and every cap is as it should be."""

from pathlib import Path

import pytest

from tests.proofs import runs
from tests.storm.ground import furnish, serving
from tests.storm.verdict import verdict
from tests.storm.weather import callers, kills_a_worker, kills_the_server, postgres, rage

KILLS = pytest.mark.parametrize("kills", runs(2, 6))
"""Of workers, and of PostgreSQL's server; `make soak` kills more than 50 times besides."""


@KILLS
@pytest.mark.timeout(600)
def test_sqlite_and_its_workers(tmp_path: Path, kills: int) -> None:
    settings = furnish(tmp_path / "shop")
    with serving(settings) as service, callers(service.url) as memory:
        rage({"worker": kills_a_worker(service)}, lambda struck: struck.total() >= kills, memory, pause=0.5)
    found = verdict(settings, memory)
    assert found.clean, (found, memory.unexpected[:3])
    assert memory.retries > 0, "nobody noticed a kill"


@KILLS
@pytest.mark.timeout(600)
def test_postgresql_its_workers_and_its_server(tmp_path: Path, kills: int) -> None:
    with postgres() as server:
        settings = furnish(tmp_path / "shop", server.uri)
        with serving(settings) as service, callers(service.url) as memory:
            faults = {"worker": kills_a_worker(service), "server": kills_the_server(server)}
            rage(faults, lambda struck: struck.total() >= 2 * kills, memory, pause=0.5)
        found = verdict(settings, memory)
    assert found.clean, (found, memory.unexpected[:3])
    assert memory.retries > 0, "nobody noticed a kill"
