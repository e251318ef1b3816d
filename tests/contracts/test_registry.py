"""What every registry does."""

from pathlib import Path

import pytest

from tactful.models.base.errors import RegistryError
from tactful.models.bundles.registry import MlflowRegistry, Registry
from tests.contracts.registries import MemoryRegistry


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(params=["memory", "mlflow"])
def registry(request: pytest.FixtureRequest, store: Path) -> Registry:
    return MemoryRegistry() if request.param == "memory" else MlflowRegistry(store)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return f"model-{request.node.name.split('[')[0]}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "given" / "inner").mkdir(parents=True)
    (tmp_path / "given" / "a.txt").write_text("first")
    (tmp_path / "given" / "inner" / "b.bin").write_bytes(b"\x00\xff")
    return tmp_path / "given"


def test_versions_count_up(registry: Registry, name: str, folder: Path) -> None:
    assert registry.versions(name) == ()
    assert [registry.register(name, folder) for _ in range(11)] == [str(number) for number in range(1, 12)]
    assert registry.versions(name) == tuple(str(number) for number in range(1, 12))


def test_what_is_registered_comes_back(registry: Registry, name: str, folder: Path, tmp_path: Path) -> None:
    version = registry.register(name, folder)
    (folder / "a.txt").write_text("changed since")
    back = registry.download(name, version, tmp_path / "some" / "where")
    assert back == tmp_path / "some" / "where"
    assert (back / "a.txt").read_text() == "first"
    assert (back / "inner" / "b.bin").read_bytes() == b"\x00\xff"


def test_versions_keep_their_own_contents(registry: Registry, name: str, folder: Path, tmp_path: Path) -> None:
    first = registry.register(name, folder)
    (folder / "a.txt").write_text("second")
    second = registry.register(name, folder)
    assert (registry.download(name, first, tmp_path / "one") / "a.txt").read_text() == "first"
    assert (registry.download(name, second, tmp_path / "two") / "a.txt").read_text() == "second"


def test_tags_are_remembered(registry: Registry, name: str, folder: Path) -> None:
    version = registry.register(name, folder, tags={"contents": "abc", "empty": ""})
    assert registry.tags(name, version) == {"contents": "abc", "empty": ""}


def test_an_alias_points_at_one_version(registry: Registry, name: str, folder: Path) -> None:
    first, second = registry.register(name, folder), registry.register(name, folder)
    assert registry.aliased(name, "champion") is None
    registry.set_alias(name, "champion", first)
    registry.set_alias(name, "challenger", second)
    assert (registry.champion(name), registry.aliased(name, "challenger")) == (first, second)
    registry.set_alias(name, "champion", second)
    assert registry.champion(name) == second


def test_models_do_not_mix(registry: Registry, name: str, folder: Path) -> None:
    registry.set_alias(name, "champion", registry.register(name, folder))
    assert registry.champion(f"{name}-other") is None
    assert registry.versions(f"{name}-other") == ()


def test_a_version_that_does_not_exist_is_told(registry: Registry, name: str, folder: Path, tmp_path: Path) -> None:
    registry.register(name, folder)
    message = r"unknown version: got '7'; wanted one of \['1'\]; at model-"
    with pytest.raises(RegistryError, match=message):
        registry.set_alias(name, "champion", "7")
    with pytest.raises(RegistryError, match=message):
        registry.tags(name, "7")
    with pytest.raises(RegistryError, match=message):
        registry.download(name, "7", tmp_path / "nowhere")


def test_a_store_is_found_again(store: Path, name: str, folder: Path, tmp_path: Path) -> None:
    version = MlflowRegistry(store).register(name, folder)
    MlflowRegistry(store).set_alias(name, "champion", version)
    again = MlflowRegistry(store)
    assert again.champion(name) == version
    assert (again.download(name, version, tmp_path / "back") / "a.txt").read_text() == "first"
