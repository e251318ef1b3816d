"""A store moves to the other kind of database and back, whole or not at all."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tactful.features.errors import TactfulError
from tactful.serving.bootstrap import open_store
from tactful.serving.errors import StoreError
from tactful.serving.settings import Settings
from tactful.serving.store.admin.copying import copy
from tactful.serving.store.port import History, Profile, Store
from tactful.serving.store.schema import metadata
from tests.cli.shopfront import opened, tactful
from tests.serving.shop import NOW


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has decided; nobody writes to it."""
    return opened(tmp_path_factory.mktemp("copied") / "shop")


@pytest.fixture
def data(furnished: Path, tmp_path: Path) -> Path:
    """A copy of its folder."""
    return Path(shutil.copytree(furnished, tmp_path / "shop"))


def rows(store: Store) -> list[object]:
    return [
        list(store.events("default")),
        list(store.ledger("default")),
        [(one.id, one.record, one.inputs) for one in store.decision_log("default")],
        store.customer_ids("default"),
        store.customers("default", [(customer, NOW) for customer in store.customer_ids("default")]),
    ]


def test_a_store_goes_to_the_other_kind_and_comes_back(data: Path, database: str, tmp_path: Path) -> None:
    back = f"sqlite:///{tmp_path / 'back.db'}"
    there = tactful("store", "copy", str(data), database, "--json")
    assert there.exit_code == 0, there.output
    home = tactful("store", "copy", database, back, "--json")
    assert home.stdout == there.stdout
    stores = [open_store(url) for url in (Settings.of(data).store, database, back)]
    first, *others = [rows(store) for store in stores]
    for store in stores:
        store.close()
    assert first[0]
    assert first[2]
    assert others == [first, first]
    replayed = tactful("replay", "d-leaver", "--data", str(data))
    assert replayed.exit_code == 0


def test_a_store_that_holds_something_is_left_alone(data: Path, url: str, opener: Callable[[], Store]) -> None:
    target = opener()
    target.load("default", History("UTC", NOW, [Profile("mine")]))
    source = open_store(Settings.of(data).store)
    with pytest.raises(StoreError, match="a store that holds something already: got 'tenants, customers'"):
        copy(source.database, target.database)
    source.close()
    assert target.customer_ids("default") == ["mine"]


def test_a_copy_that_is_cut_short_leaves_nothing(data: Path, url: str, opener: Callable[[], Store]) -> None:
    def breaks(done: int, _: int) -> None:
        if done > 20:
            raise KeyboardInterrupt

    source, target = open_store(Settings.of(data).store), opener()
    with pytest.raises(KeyboardInterrupt):
        copy(source.database, target.database, breaks)
    copied = copy(source.database, target.database)
    source.close()
    assert set(copied.rows) == set(metadata.tables)
    assert copied.rows["decisions"] == 6


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nowhere", "no such folder: got 'nowhere'"),
        ("sqlite:///nowhere/x.db", "no such store: got 'sqlite:///nowhere/x.db'"),
        ("mysql://x", "a store of an unknown kind: got 'mysql'"),
    ],
)
def test_what_cannot_be_copied_is_an_error(tmp_path: Path, source: str, complaint: str) -> None:
    error = tactful("store", "copy", source, f"sqlite:///{tmp_path / 'new.db'}").exception
    assert isinstance(error, TactfulError)
    assert str(error).startswith(complaint)
