"""A new service's files are written once, and every one of them can be used."""

import re
from pathlib import Path

import pytest

from tactful.cli.starter.command import FILES
from tactful.decisions.loading import inspect_catalogue
from tactful.features.definitions.standard import STANDARD
from tactful.features.errors import TactfulError
from tactful.features.importing.yaml import load_mapping
from tactful.models.bundles.bundle import unlearnt
from tactful.serving.engine.in_force.pointer import vocabulary
from tactful.serving.ingestion.rules import Rules, load_rules
from tactful.serving.settings import Settings
from tests.cli.shopfront import tactful


def test_every_file_can_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "shop"
    result = tactful("init", str(folder), "--name", "tea_shop", "--currency", "GBP", "--zone", "Europe/London")
    assert result.exit_code == 0, result.output
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()) == sorted(FILES)
    assert [file for file in FILES if re.search("@[A-Z]+@", (folder / file).read_text())] == []
    settings = Settings.of(folder)
    assert settings.auth == "keys"
    assert load_rules(settings.tracking) == Rules()
    assert load_mapping(folder / "mapping.yaml").zone == "Europe/London"
    text = settings.catalogue.read_text()
    catalogue, findings = inspect_catalogue(text, vocabulary(unlearnt(STANDARD).names), "catalogue.yaml")
    assert findings == []
    assert catalogue is not None
    assert (catalogue.catalogue, catalogue.currency, catalogue.timezone) == ("tea_shop", "GBP", "Europe/London")
    promises = tactful("catalogue", "conform", str(settings.catalogue), "--data", str(folder))
    assert promises.exit_code == 0, promises.output
    assert f"--data {folder.resolve()} --store" in (folder / "timers" / "crontab").read_text()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("mine")
    error = tactful("init", str(tmp_path)).exception
    assert str(error).startswith("files that are there already: got 'mapping.yaml'; wanted a new folder")
    assert [file.name for file in tmp_path.iterdir()] == ["mapping.yaml"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--name", "My shop"), "not a name: got 'My shop'"),
        (("--name", ""), "not a name: got ''"),
        (("--currency", "euro"), "not a currency: got 'euro'"),
        (("--zone", "Mars/Olympus"), "not a zone: got 'Mars/Olympus'"),
    ],
)
def test_what_cannot_be_is_an_error_and_nothing_is_written(
    tmp_path: Path, options: tuple[str, str], complaint: str
) -> None:
    error = tactful("init", str(tmp_path / "shop"), *options).exception
    assert isinstance(error, TactfulError)
    assert str(error).startswith(complaint)
    assert not (tmp_path / "shop").exists()
