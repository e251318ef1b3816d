"""A weekly budget of contacts: the price that a command finds keeps it in the simulated world, week after week."""

import json
import re
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tactful.cli.commands.catalogue.price import priced, put_price, with_price
from tactful.cli.simulation.persisted import CATALOGUE, keep
from tactful.decisions.base.errors import AllocationError
from tactful.decisions.base.yaml_text import read
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.world import START
from tactful.features.errors import TactfulError
from tactful.serving.bootstrap import open_service, open_store
from tactful.serving.engine.records.erase import erase_person
from tactful.serving.engine.service import DecisionService
from tactful.serving.settings import Settings
from tests.cli.shopfront import tactful

BUDGET, CUSTOMERS = 60, 180


def budgeted(weekly: int) -> str:
    return CATALOGUE.read_text("utf-8").replace("contact_price: 0.4", f"weekly_contacts: {weekly}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = tmp_path_factory.mktemp("budget") / "shop"
    keep(kept, preset("realistic"), customers=CUSTOMERS, seed=4, weeks=2, catalogue=budgeted(BUDGET))
    return kept


def by_week(folder: Path) -> list[int]:
    """Contacts of each week of a kept shop."""
    store = open_store(Settings.of(folder).store)
    moments = [contact.time for _, _, contact in store.ledger("default") if contact.time >= START]
    store.close()
    found: list[int] = np.bincount([(moment - START).days // 7 for moment in moments]).tolist()
    return found


def told(*arguments: str) -> dict[str, float]:
    result = tactful("catalogue", "price", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, float] = json.loads(result.stdout)
    return found


def test_the_price_goes_into_the_catalogue_and_nothing_else_changes(folder: Path) -> None:
    file = folder / "catalogue.yaml"
    before = file.read_text("utf-8")
    found = told("--data", str(folder), "--period", "2w")
    assert found["price"] > 0
    assert found["least"] < found["contacts"] <= BUDGET < found["before"]
    assert file.read_text("utf-8") == before
    assert told("--data", str(folder), "--period", "2w", "--write") == {**found, "written": True}
    lines = file.read_text("utf-8").splitlines()
    assert [line for line in lines if "contact_price" not in line] == before.splitlines()
    assert f"  contact_price: {found['price']:g}" in lines
    shown = tactful("catalogue", "price", "--data", str(folder), "--period", "2w").stdout
    assert re.match(
        rf"At {found['price']:.2f} EUR a contact \d+ contacts a week are expected; the budget is 60\.", shown
    )


def test_a_catalogue_put_in_force_over_http_is_followed_by_another(folder: Path) -> None:
    service = open_service(Settings.of(folder))
    service.governance.put_in_force(budgeted(30), "somebody", ["*"])
    put_price(service, folder / "catalogue.yaml", 0.25)
    present = service.governance.in_force()
    assert (present.number, read(present.content)[0]["arbitration"]["contact_price"]) == (2, 0.25)
    service.store.close()


def test_a_price_is_written_where_a_link_points_with_the_mode_it_had(tmp_path: Path) -> None:
    keep(tmp_path / "shop", preset("realistic"), customers=60, seed=4, weeks=1, catalogue=budgeted(20))
    file, real = tmp_path / "shop" / "catalogue.yaml", tmp_path / "real.yaml"
    file.rename(real)
    real.chmod(0o640)
    file.symlink_to(real)
    service = open_service(Settings.of(tmp_path / "shop"))
    put_price(service, file, 0.25)
    service.store.close()
    assert (file.is_symlink(), real.stat().st_mode & 0o777) == (True, 0o640)
    assert read(real.read_text("utf-8"))[0]["arbitration"]["contact_price"] == 0.25


def test_a_catalogue_without_a_budget_says_what_to_state(tmp_path: Path) -> None:
    keep(tmp_path / "shop", preset("realistic"), customers=60, seed=4, weeks=1)
    result = tactful("catalogue", "price", "--data", str(tmp_path / "shop"))
    assert isinstance(result.exception, TactfulError)
    assert "wanted such as arbitration: {weekly_contacts: 500}" in str(result.exception)


def test_somebody_erased_does_not_stand_in_the_way_of_a_price(tmp_path: Path) -> None:
    keep(tmp_path / "shop", preset("realistic"), customers=60, seed=4, weeks=2, catalogue=budgeted(20))
    service = open_service(Settings.of(tmp_path / "shop"))
    contacted, _, _ = next(service.store.ledger(service.tenant))
    erase_person(service.store, service.tenant, contacted, service.clock(), None)
    assert priced(service, 20, timedelta(days=14)).contacts <= 20
    service.store.close()


def test_three_days_are_too_short_to_tell_a_week(folder: Path) -> None:
    service = open_service(Settings.of(folder))
    with pytest.raises(AllocationError, match="too short a log to price contacts by: got 'decisions since "):
        priced(service, BUDGET, timedelta(days=3))
    service.store.close()


def test_contacts_a_week_in_the_world_come_to_the_budget(tmp_path: Path) -> None:
    """Priced before each week, as by a timer; the first week knows no price."""

    def weekly(service: DecisionService, folder: Path) -> None:
        if any(True for _ in service.store.decision_log(service.tenant)):
            put_price(service, folder / "catalogue.yaml", priced(service, BUDGET, timedelta(days=28)).price)

    kept = tmp_path / "shop"
    keep(kept, preset("realistic"), customers=CUSTOMERS, seed=5, weeks=9, catalogue=budgeted(BUDGET), weekly=weekly)
    contacts = by_week(kept)
    assert contacts[0] > 2 * BUDGET
    assert 0.7 * BUDGET < np.mean(contacts[4:]) < 1.1 * BUDGET
    assert max(contacts[4:]) < BUDGET + 3 * np.sqrt(BUDGET)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("arbitration: {weekly_contacts: 9}", "arbitration: {contact_price: 1.5, weekly_contacts: 9}"),
        (
            "arbitration: {contact_price: 0, weekly_contacts: 9}",
            "arbitration: {contact_price: 1.5, weekly_contacts: 9}",
        ),
        ("arbitration:\n    weekly_contacts: 9\n", "arbitration:\n    contact_price: 1.5\n    weekly_contacts: 9\n"),
    ],
)
def test_only_the_price_is_written(before: str, after: str) -> None:
    assert "contact_price: 12345.67, " in with_price("arbitration: {weekly_contacts: 9}", 12345.67)
    assert with_price(f"# ours\na: 1\n{before}\nb: 2 # last\n", 1.5) == f"# ours\na: 1\n{after}\nb: 2 # last\n"
