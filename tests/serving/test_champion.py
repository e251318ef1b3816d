"""A new champion takes over whole; a bad one is refused, and the present one stays."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.models.base.errors import BundleError
from tactful.models.bundles.manifest import MANIFEST
from tactful.serving.engine.in_force.champion import NO_MODELS, Champions, load_champion
from tactful.serving.engine.in_force.pointer import HISTORY, bundle_folder, point_to
from tactful.serving.errors import NotReadyError
from tactful.serving.settings import Settings
from tactful.serving.store.queries.catalogues import CatalogueText, digest_of
from tests.serving.shop import CATALOGUE, NOW, export_bundle, service_of


@pytest.fixture
def champions(shop: Settings) -> Champions:
    return Champions(shop.champion, shop.catalogue, STANDARD)


def test_a_pointer_names_a_folder_beside_it(tmp_path: Path) -> None:
    point_to(tmp_path / "deep" / "champion", tmp_path / "bundles" / "one")
    assert bundle_folder(tmp_path / "deep" / "champion").resolve() == tmp_path / "bundles" / "one"
    assert bundle_folder(tmp_path / "bundles") == tmp_path / "bundles"


def test_bundle_and_catalogue_are_taken_together(champions: Champions, shop: Settings) -> None:
    present = champions.present()
    assert champions.present() is present
    export_bundle(shop.data / "bundles" / "second", seed=1)
    shop.catalogue.write_text(CATALOGUE.replace("value: 20", "value: 21"))
    point_to(shop.champion, shop.data / "bundles" / "second")
    taken = champions.present()
    assert taken.bundle.version != present.bundle.version
    assert taken.compiled.version != present.compiled.version
    assert taken.renderer.catalogue is taken.compiled.catalogue
    assert champions.refusal == ""


def test_a_bundle_replaced_in_its_place_is_taken(champions: Champions, shop: Settings) -> None:
    before = champions.present().bundle.version
    assert export_bundle(shop.data / "bundles" / "first", seed=1) == champions.present().bundle.version != before


def damage_a_model(shop: Settings) -> None:
    folder = shop.data / "bundles" / "second"
    shutil.copytree(shop.data / "bundles" / "first", folder)
    model = folder / "lapse.txt"
    model.write_bytes(model.read_bytes()[:-100])
    point_to(shop.champion, folder)


def damage_the_manifest(shop: Settings) -> None:
    manifest = shop.data / "bundles" / "first" / MANIFEST
    manifest.write_text(manifest.read_text().replace("lapse", "lapsus"))


def lose_the_bundle(shop: Settings) -> None:
    point_to(shop.champion, shop.data / "bundles" / "gone")


def empty_the_pointer(shop: Settings) -> None:
    shop.champion.write_text("\n")


def break_the_catalogue(shop: Settings) -> None:
    shop.catalogue.write_text(CATALOGUE.replace("scores.lapse", "scores.laps"))


def garble_the_catalogue(shop: Settings) -> None:
    shop.catalogue.write_bytes(b"\xff\xfe\x00catalogue")


def lose_the_catalogue(shop: Settings) -> None:
    shop.catalogue.unlink()


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (damage_a_model, "a changed file"),
        (damage_the_manifest, "a changed manifest"),
        (lose_the_bundle, "no bundle"),
        (empty_the_pointer, "an empty pointer"),
        (break_the_catalogue, "scores.laps"),
        (garble_the_catalogue, "decode"),
        (lose_the_catalogue, "no catalogue"),
    ],
)
def test_what_is_bad_is_refused_and_the_present_stays(
    champions: Champions,
    shop: Settings,
    harm: Callable[[Settings], None],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    present = champions.present()
    harm(shop)
    assert champions.present() is present
    assert reason in champions.refusal
    assert champions.present() is present
    refusals = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.message for record in refusals] == ["champion refused"]
    assert refusals[0].__dict__["kept"] == present.bundle.version


def test_what_was_mended_is_taken(champions: Champions, shop: Settings) -> None:
    champions.present()
    break_the_catalogue(shop)
    champions.present()
    shop.catalogue.write_text(CATALOGUE.replace("value: 20", "value: 22"))
    assert champions.present().compiled.catalogue.message("miss_you").value == 22
    assert champions.refusal == ""


def test_a_bundle_for_other_features_is_refused(shop: Settings) -> None:
    fewer = FeatureSet(STANDARD.features[:1])
    with pytest.raises(BundleError, match="a bundle for other features"):
        load_champion(shop.champion, shop.catalogue, fewer)


def test_without_any_champion_there_is_nothing_to_decide_with(tmp_path: Path) -> None:
    champions = Champions(tmp_path / "champion", tmp_path / "catalogue.yaml", STANDARD)
    with pytest.raises(NotReadyError, match=r"nothing to decide with.*no catalogue"):
        champions.present()


def in_force(content: str, number: int = 1) -> CatalogueText:
    return CatalogueText(number, digest_of(content), content, NOW, "key")


def test_before_the_first_bundle_the_catalogue_decides_alone(shop: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    shop.champion.unlink()
    champions = Champions(shop.champion, shop.catalogue, STANDARD)
    assert champions.present().bundle.version == "none"
    assert champions.remarks == (NO_MODELS,)
    assert "no models" in [record.message for record in caplog.records]
    service = service_of(shop)
    leaver, thankful = (service.decide(name, f"d-{name}").decision for name in ("leaver", "thankful"))
    service.store.close()
    assert leaver.choice is None
    assert {exclusion.gate for one in leaver.candidates for exclusion in one.exclusions} == {"state"}
    assert thankful.choice is not None
    assert thankful.choice.action.programme == "thanks"
    assert (thankful.versions.bundle, dict(thankful.scores)) == ("none", {})
    point_to(shop.champion, shop.data / "bundles" / "first")
    assert champions.present().bundle.customer_scores == ("lapse",)
    assert champions.remarks == ()


def test_a_pointer_that_is_lost_does_not_take_the_models_away(champions: Champions, shop: Settings) -> None:
    before = champions.present().bundle.version
    shop.champion.unlink()
    assert champions.present().bundle.version == before
    assert "no pointer" in champions.refusal


def test_a_service_that_had_models_does_not_start_without(shop: Settings) -> None:
    shop.champion.unlink()
    (shop.data / HISTORY).write_text("{}\n")
    with pytest.raises(NotReadyError, match=r"nothing to decide with.*no bundle"):
        Champions(shop.champion, shop.catalogue, STANDARD).present()


@pytest.mark.parametrize(
    ("in_file", "remarks"), [(CATALOGUE, 0), (CATALOGUE.replace("value: 20", "value: 21"), 1), (None, 0)]
)
def test_a_file_that_is_ignored_is_reported(
    shop: Settings, caplog: pytest.LogCaptureFixture, in_file: str | None, remarks: int
) -> None:
    shop.catalogue.unlink() if in_file is None else shop.catalogue.write_text(in_file)
    champions = Champions(shop.champion, shop.catalogue, STANDARD, newest=lambda: in_force(CATALOGUE, 3))
    champions.present()
    champions.present()
    assert len(champions.remarks) == remarks
    assert all(f"{shop.catalogue} is ignored, since catalogue 3 was" in remark for remark in champions.remarks)
    assert [record.message for record in caplog.records].count("catalogue file ignored") == remarks
    shop.catalogue.write_text(CATALOGUE)
    champions.present()
    assert champions.remarks == ()
