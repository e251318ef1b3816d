"""A bundle or a catalogue that harms whoever reads it is refused, and decisions go on meanwhile."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tactful.decisions.catalogue.compiled import Vocabulary
from tactful.features.definitions.standard import STANDARD
from tactful.serving.confined import Limits
from tactful.serving.engine.in_force.champion import NO_MODELS, Champion, Champions
from tactful.serving.engine.in_force.pointer import point_to
from tactful.serving.engine.in_force.proving import BUNDLE, Prover, UnfitBundleError, inspect_elsewhere, prove_bundle
from tactful.serving.errors import CatalogueRefusedError
from tactful.serving.settings import Settings
from tests.models.trees import replace_model
from tests.patience import PATIENCE
from tests.serving.shop import CATALOGUE, export_bundle


def truncated(text: str) -> str:
    return text[: len(text) // 2]


def cyclic(text: str) -> str:
    name = "left_child="
    at = text.index(name) + len(name)
    return text[:at] + "0" + text[text.index(" ", at) :]


def spoil(folder: Path, how: Callable[[str], str]) -> None:
    replace_model(folder, "lapse", how((folder / "lapse.txt").read_text()))


def champions_of(shop: Settings, limits: Limits = BUNDLE) -> Champions:
    return Champions(shop.champion, shop.catalogue, STANDARD, prover=Prover(STANDARD.fingerprint, limits))


def until(champions: Champions, is_so: Callable[[Champion], bool]) -> None:
    """Ask for the champion, as decisions do, until something holds."""
    end = time.monotonic() + PATIENCE
    while not is_so(champions.present()):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_new_bundle_takes_over_once_it_was_tried_and_the_old_one_decides_until_then(shop: Settings) -> None:
    champions = champions_of(shop)
    before = champions.present()
    version = export_bundle(shop.data / "bundles" / "second", seed=1)
    point_to(shop.champion, shop.data / "bundles" / "second")
    decided_with: list[str] = []

    def is_new(present: Champion) -> bool:
        decided_with.append(present.bundle.version)
        return decided_with[-1] == version

    until(champions, is_new)
    assert set(decided_with) <= {before.bundle.version, version}, "a decision had no models in between"
    assert champions.refusal == ""


@pytest.mark.parametrize("how", [truncated, cyclic])
def test_a_spoilt_bundle_of_a_right_digest_is_refused_and_the_old_one_stays(
    shop: Settings, how: Callable[[str], str]
) -> None:
    champions = champions_of(shop)
    before = champions.present()
    export_bundle(shop.data / "bundles" / "second", seed=1)
    spoil(shop.data / "bundles" / "second", how)
    point_to(shop.champion, shop.data / "bundles" / "second")
    until(champions, lambda _: bool(champions.refusal))
    assert champions.present() is before


@pytest.mark.parametrize(
    ("limits", "reason"),
    [(Limits(wall=0.01), "does not end"), (Limits(memory=1 << 27), "work that failed")],
)
def test_models_that_hang_or_take_too_much_are_refused(shop: Settings, limits: Limits, reason: str) -> None:
    folder = shop.data / "bundles" / "third"
    export_bundle(folder, seed=3)
    with pytest.raises(UnfitBundleError, match=reason):
        prove_bundle(folder, STANDARD.fingerprint, limits)
    champions = champions_of(shop)
    before = champions.present()
    champions._prover = Prover(STANDARD.fingerprint, limits)
    point_to(shop.champion, folder)
    until(champions, lambda _: reason in champions.refusal)
    assert champions.present() is before


def test_a_service_whose_first_bundle_is_refused_starts_without_models(
    shop: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(shop.data / "bundles" / "first", cyclic)
    champions = champions_of(shop)
    assert champions.present().bundle.version == "none"
    assert champions.refusal
    assert NO_MODELS in champions.remarks
    assert "started without models" in caplog.messages


def test_a_catalogue_is_checked_elsewhere_as_it_is_here() -> None:
    known = Vocabulary(STANDARD.names, ("lapse",), {"type": ("a", "b"), "price": None})
    name, version, findings = inspect_elsewhere(CATALOGUE.replace("scores.lapse", "scores.laps"), known, "c.yaml")
    assert (name, version) == ("", "")
    assert any("scores.laps" in finding.message for finding in findings)


def test_a_catalogue_that_takes_too_much_to_check_is_refused() -> None:
    with pytest.raises(CatalogueRefusedError) as refused:
        inspect_elsewhere(CATALOGUE, Vocabulary(STANDARD.names), "c.yaml", Limits(wall=0.01))
    (finding,) = refused.value.findings
    assert "takes too much to check" in finding.message
