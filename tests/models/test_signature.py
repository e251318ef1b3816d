"""A bundle is taken only if it was signed with the key in force, where there is a key."""

from pathlib import Path

import pytest

from tactful.models.base.errors import BundleError
from tactful.models.bundles.bundle import export, load
from tactful.models.bundles.signature import KEY
from tests.models.trees import FEATURES, lapse_model, replace_model

ONE, OTHER = "one key of thirty-two bytes or more", "another key of thirty-two bytes or more"


def made(folder: Path) -> str:
    return export(folder, {"lapse": lapse_model()}, FEATURES)


def taken(folder: Path) -> str:
    return load(folder, fingerprint=FEATURES.fingerprint).version


def test_a_signed_bundle_is_taken_with_its_key_and_without_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unsigned = made(tmp_path / "unsigned")
    monkeypatch.setenv(KEY, ONE)
    assert made(tmp_path / "signed") == unsigned == taken(tmp_path / "signed")
    monkeypatch.delenv(KEY)
    assert taken(tmp_path / "signed") == unsigned


def test_without_the_right_signature_a_bundle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "unsigned")
    monkeypatch.setenv(KEY, OTHER)
    made(tmp_path / "signed")
    monkeypatch.setenv(KEY, ONE)
    made(tmp_path / "forged")
    replace_model(tmp_path / "forged", "lapse", lapse_model(seed=1).trees.text)
    for name, reason in (("unsigned", "no signature"), ("signed", "by another key"), ("forged", "by another key")):
        with pytest.raises(BundleError, match=f"unknown author: got .*{reason}.*train again with that key set"):
            taken(tmp_path / name)


def test_a_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "short")
    with pytest.raises(BundleError, match="a key that is too short: got 5"):
        made(tmp_path / "bundle")
