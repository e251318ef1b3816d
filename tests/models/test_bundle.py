import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tactful.models.base.errors import BundleError, ModelError
from tactful.models.bundles.bundle import Bundle, export, load
from tactful.models.bundles.manifest import MANIFEST, Names, names_in, read_manifest
from tests.models.trees import FEATURES, feature_set, lapse_model, response_model

BOTH = {"lapse": lapse_model(), "response": response_model()}
OFFERS = [{"type": "b", "price": 1.0}, {"type": "a"}, {"type": "never seen", "price": -2}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export(tmp_path / "bundle", BOTH, FEATURES)
    return tmp_path / "bundle"


@pytest.fixture
def bundle(folder: Path) -> Bundle:
    return load(folder, fingerprint=FEATURES.fingerprint)


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, len(FEATURES)))


def test_a_bundle_says_what_it_scores(bundle: Bundle) -> None:
    assert bundle.feature_names == FEATURES.names
    assert bundle.customer_scores == ("lapse",)
    assert bundle.action_features == ("type", "price")


def test_the_names_of_a_bundle_are_known_from_its_manifest_alone(folder: Path, bundle: Bundle) -> None:
    for file in folder.glob("*.txt"):
        file.unlink()
    names = names_in(read_manifest(folder, FEATURES.fingerprint))
    assert names == bundle.names == Names(FEATURES.names, ("lapse",), {"type": ("a", "b"), "price": None}, learnt=True)


def test_scores_are_the_models_on_their_own_columns(bundle: Bundle, features: np.ndarray) -> None:
    by_name = dict(zip(FEATURES.names, features.T, strict=True))
    columns = np.column_stack([by_name[name] for name in ("first", "second", "third")])
    assert bundle.score_customers(features)["lapse"].tolist() == BOTH["lapse"].score(columns).tolist()
    actions = np.hstack([columns[:, :2], BOTH["response"].encode(OFFERS)])
    assert bundle.score_actions(features, OFFERS).tolist() == BOTH["response"].score(actions).tolist()


def test_the_reasons_of_a_score_add_up_to_it(bundle: Bundle, features: np.ndarray) -> None:
    found = bundle.reasons("lapse", features[0], most=9)
    positions = [FEATURES.names.index(reason.column) for reason in found]
    assert bundle.explained == ("lapse",)
    assert [reason.value for reason in found] == features[0, positions].tolist()
    assert [abs(reason.log_odds) for reason in found] == sorted((abs(r.log_odds) for r in found), reverse=True)
    trees = BOTH["lapse"].trees
    row = features[0, [FEATURES.names.index(name) for name in trees.columns]]
    average = trees.contributions(row[None])[0, -1]
    odds = average + sum(reason.log_odds for reason in found)
    assert trees.predict(row[None])[0] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert bundle.reasons("lapse", features[0], most=1) == found[:1]


@pytest.mark.parametrize("score", ["response", "unheard"])
def test_only_scores_of_customers_have_reasons(bundle: Bundle, features: np.ndarray, score: str) -> None:
    with pytest.raises(ModelError, match=f"no score with reasons: got '{score}'; wanted \\['lapse'\\]"):
        bundle.reasons(score, features[0])
    with pytest.raises(ModelError, match=r"rows do not fit the bundle: got \(1, 3\)"):
        bundle.reasons("lapse", features[0, :3])


def test_one_row_scores_the_same_bits_as_many(bundle: Bundle) -> None:
    features = np.random.default_rng(1).normal(size=(50, len(FEATURES)))
    offers = [OFFERS[i % 3] for i in range(50)]
    alone = [bundle.score_actions(features[i : i + 1], offers[i : i + 1])[0] for i in range(50)]
    assert bundle.score_actions(features, offers).tolist() == alone
    alone = [bundle.score_customers(features[i : i + 1])["lapse"][0] for i in range(50)]
    assert bundle.score_customers(features)["lapse"].tolist() == alone


def test_a_response_that_no_model_tells_is_unknown(tmp_path: Path, features: np.ndarray) -> None:
    export(tmp_path / "bundle", {"lapse": lapse_model()}, FEATURES)
    bundle = load(tmp_path / "bundle", fingerprint=FEATURES.fingerprint)
    assert bundle.action_features == ()
    assert np.isnan(bundle.score_actions(features, OFFERS)).all()


def test_no_rows_and_no_offers_have_no_scores(bundle: Bundle) -> None:
    assert bundle.score_customers(np.empty((0, 4)))["lapse"].shape == (0,)
    assert bundle.score_actions(np.empty((0, 4)), []).shape == (0,)


def test_rows_that_do_not_fit_are_refused(bundle: Bundle, features: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"rows do not fit the bundle: got \(3, 3\); wanted \(n, 4\)"):
        bundle.score_customers(features[:, :3])
    with pytest.raises(ModelError, match="unequal numbers of rows and offers: got 2; wanted 3"):
        bundle.score_actions(features, OFFERS[:2])


def test_the_version_is_of_the_contents(tmp_path: Path, folder: Path, bundle: Bundle) -> None:
    assert export(tmp_path / "again", BOTH, FEATURES) == bundle.version
    assert export(tmp_path / "other", {"lapse": lapse_model(seed=1)}, FEATURES) != bundle.version
    assert (tmp_path / "again" / MANIFEST).read_bytes() == (folder / MANIFEST).read_bytes()


def test_an_export_replaces_a_bundle_whole(folder: Path) -> None:
    version = export(folder, {"lapse": lapse_model(seed=1)}, FEATURES)
    assert sorted(file.name for file in folder.iterdir()) == ["lapse.txt", MANIFEST]
    assert load(folder, fingerprint=FEATURES.fingerprint).version == version
    assert [other.name for other in folder.parent.iterdir()] == [folder.name]


def test_an_export_replaces_nothing_but_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(BundleError, match=r"the folder holds something else: got 'letters\.txt'"):
        export(tmp_path, BOTH, FEATURES)


def test_a_bundle_cannot_hold_just_anything(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="an empty bundle"):
        export(tmp_path / "b", {}, FEATURES)
    with pytest.raises(BundleError, match="several models score actions: got \\['one', 'two'\\]"):
        export(tmp_path / "b", {"one": response_model(), "two": response_model()}, FEATURES)
    with pytest.raises(BundleError, match=r"a model of other features: got \['third'\]; .*; at lapse"):
        export(tmp_path / "b", BOTH, feature_set("first", "second"))


def test_a_bundle_has_seen_what_the_latest_of_its_models_has(tmp_path: Path) -> None:
    moments = {"lapse": datetime(2026, 3, 1, tzinfo=UTC), "response": datetime(2026, 4, 1, 12, tzinfo=UTC)}
    export(
        tmp_path / "b", {name: replace(BOTH[name], learnt_until=moment) for name, moment in moments.items()}, FEATURES
    )
    bundle = load(tmp_path / "b", fingerprint=FEATURES.fingerprint)
    assert {name: model.learnt_until for name, model in bundle.models.items()} == moments
    assert bundle.learnt_until == moments["response"]


def test_where_one_model_does_not_say_the_bundle_cannot(tmp_path: Path) -> None:
    said = replace(BOTH["lapse"], learnt_until=datetime(2026, 3, 1, tzinfo=UTC))
    export(tmp_path / "b", BOTH | {"lapse": said}, FEATURES)
    assert load(tmp_path / "b", fingerprint=FEATURES.fingerprint).learnt_until is None


def test_a_bundle_of_the_first_release_is_still_read(folder: Path, features: np.ndarray) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest |= {"format": 1}
    for entry in manifest["models"].values():
        del entry["kind"], entry["outlook"], entry["learnt_until"]
    contents = {name: value for name, value in manifest.items() if name != "version"}
    manifest["version"] = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:12]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    bundle = load(folder, fingerprint=FEATURES.fingerprint)
    columns = features[:, [FEATURES.names.index(name) for name in ("first", "second", "third")]]
    assert bundle.score_customers(features)["lapse"].tolist() == BOTH["lapse"].score(columns).tolist()
    assert np.isnan(bundle.score_effects(features[:1], ["any"])).all()
    assert bundle.learnt_until is None


def test_a_missing_file_is_told(folder: Path) -> None:
    (folder / "lapse.txt").unlink()
    with pytest.raises(BundleError, match=r"a missing file: .*wanted sha256 .*lapse.txt"):
        load(folder, fingerprint=FEATURES.fingerprint)


def test_no_bundle_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle: got 'No such file or directory'; wanted a folder with manifest"):
        load(tmp_path, fingerprint=FEATURES.fingerprint)


def test_a_changed_byte_is_told(folder: Path) -> None:
    contents = bytearray((folder / "lapse.txt").read_bytes())
    contents[len(contents) // 2] ^= 1
    (folder / "lapse.txt").write_bytes(contents)
    with pytest.raises(BundleError, match=r"a changed file: got 'sha256 .*lapse.txt"):
        load(folder, fingerprint=FEATURES.fingerprint)


def test_a_changed_manifest_is_told(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["models"]["lapse"]["calibration"]["slope"] = 0.8
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="a changed manifest: got"):
        load(folder, fingerprint=FEATURES.fingerprint)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', "\x00\xff"])
def test_a_manifest_that_is_none_is_told(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=r"an unreadable manifest|a bundle of another release"):
        load(folder, fingerprint=FEATURES.fingerprint)


def test_other_features_are_told(folder: Path) -> None:
    with pytest.raises(BundleError, match=r"a bundle for other features: got .*; wanted 0123456789ab; at"):
        load(folder, fingerprint="0123456789abcdef")


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.99])
def test_a_process_survives_a_truncated_model(folder: Path, kept: float) -> None:
    text = (folder / "lapse.txt").read_bytes()
    (folder / "lapse.txt").write_bytes(text[: int(len(text) * kept)])
    script = (
        "import sys; from pathlib import Path; from tactful.models.bundles.bundle import load\n"
        "from tactful.models.base.errors import BundleError\n"
        "try: load(Path(sys.argv[1]), fingerprint=sys.argv[2])\n"
        "except BundleError as error: print(error)"
    )
    command = [sys.executable, "-c", script, str(folder), FEATURES.fingerprint]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "a changed file" in done.stdout


def test_openmp_is_told_to_wait_before_lightgbm_is_loaded() -> None:
    script = (
        "import os; os.environ.pop('OMP_WAIT_POLICY', None)\n"
        "import tactful.models.base.gbm; print(os.environ['OMP_WAIT_POLICY'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "PASSIVE"
