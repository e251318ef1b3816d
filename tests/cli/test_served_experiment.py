"""An experiment that the service ran, read from its store by `tactful experiment` and `tactful kpis`."""

import json
from pathlib import Path

import pytest

from tactful.cli.simulation.served import served
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.world import World
from tests.cli.shopfront import tactful

PLAN = """\
experiments:
  - id: contacts
    salt: contacts-1
    start: 2026-01-05
    arms:
      - {id: silence, kind: silence, share: 0.5}
      - {id: everything, kind: current, share: 0.5}
    primary: {metric: contacts_per_customer, minimum_effect: 0.1}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store of a service that ran the experiment for a week."""
    folder = tmp_path_factory.mktemp("shop")
    with served(World(preset("easy"), 150, seed=1, keep_events=True), folder) as made:
        made.run(PLAN, days=8)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return folder


@pytest.mark.parametrize("more", [[], ["--exposed"]])
def test_the_contacts_that_the_service_decided_are_found(shop: Path, more: list[str]) -> None:
    where = ["--file", str(shop / "plan.yaml"), "--data", str(shop), "--out", str(shop / "page.html"), "--json"]
    found = json.loads(tactful("experiment", "report", "contacts", *where, *more).stdout)
    arm = found["arms"]["everything"]
    assert (arm["control"], found["sample_ratio"]["passed"]) == (0.0, True)
    assert arm["difference"] > 1
    assert 100 < sum(found["customers"].values()) <= 150


def test_decisions_and_answers_are_counted(shop: Path) -> None:
    told = json.loads(tactful("kpis", "--data", str(shop), "--json").stdout)
    assert 0.3 < told["figures"]["share_of_silence"]["value"] < 1
    assert {one["programme"] for one in told["programmes"]} >= {"cart", "newsletter"}
