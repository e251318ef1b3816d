"""A simulated shop that is kept: its folder is whole, or is not there."""

import json
from pathlib import Path

import pytest

from tactful.cli.simulation.persisted import keep
from tactful.experiments.world.parameters import preset
from tactful.features.errors import TactfulError
from tactful.features.events.dataset import open_events
from tactful.serving.bootstrap import open_service
from tactful.serving.settings import Settings
from tactful.serving.store.admin.audit import audit
from tactful.serving.store.admin.checking import check
from tests.cli.shopfront import tactful

SMALL = ("--seeds", "3", "--customers", "60", "--weeks", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = tmp_path_factory.mktemp("kept") / "shop"
    result = tactful("simulate", "--keep", str(kept), *SMALL)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"A simulated shop is in {kept}: the realistic world, seed 3, 2 weeks.")
    return kept


def test_the_store_agrees_with_itself_and_with_the_events(folder: Path) -> None:
    settings = Settings.of(folder)
    service = open_service(settings)
    store, tenant = service.store, service.tenant
    assert not check(store, tenant).findings
    assert not audit(store.database, service.champions.present().compiled.catalogue, tenant).violations
    contacts = [contact for _, status, contact in store.ledger(tenant) if status == "sent"]
    decided = {decision for decision, _, kind, *_ in store.outcomes(tenant) if kind == "contact"}
    assert decided
    assert decided <= {contact.id for contact in contacts}
    told = open_events(folder / "events")
    assert sum(told.rows) == sum(1 for _ in store.events(tenant))
    store.close()


def test_a_folder_that_holds_something_is_refused(folder: Path, tmp_path: Path) -> None:
    result = tactful("simulate", "--keep", str(folder), *SMALL)
    assert isinstance(result.exception, TactfulError)
    assert "a folder that is not empty" in str(result.exception)
    (tmp_path / "empty").mkdir()
    told = tactful("simulate", "--keep", str(tmp_path / "empty"), *SMALL, "--json")
    assert json.loads(told.stdout)["simulated"] is True


def test_nothing_is_left_of_a_run_that_breaks_off(tmp_path: Path) -> None:
    def cut_short(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep(tmp_path / "shop", preset("realistic"), customers=60, seed=3, weeks=1, advance=cut_short)
    assert list(tmp_path.iterdir()) == []


def test_one_world_is_kept_and_nothing_compared() -> None:
    several = tactful("simulate", "--keep", "never", "--seeds", "0-2")
    assert "several worlds in one folder: got '--seeds 0-2'; wanted one seed" in str(several.exception)
    compared = tactful("simulate", "--keep", "never", "--seeds", "0", "--policies", "silence,oracle")
    assert "nothing is compared in a world that is kept" in str(compared.exception)
