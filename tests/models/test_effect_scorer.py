"""Effects in a bundle are those of the model, for one row as for many."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tactful.models.base.errors import BundleError, ModelError
from tactful.models.bundles.bundle import Bundle, export, load
from tactful.models.effects.model import EffectModel, Prior
from tactful.models.effects.scorer import EffectScorer
from tests.models.trees import FEATURES, lapse_model

MESSAGES = ("coupon", "letter", "never seen", "hello", "silence")


def model() -> EffectModel:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(6000, 3)), columns=["first", "second", "third"])
    rows.loc[rng.random(6000) < 0.1, "second"] = np.nan
    arms = np.array(["silence", "coupon", "letter"])
    taken = rng.integers(0, 3, 6000)
    outcome = rng.random(6000) < 0.2 + 0.15 * (taken == 1) * np.sign(rows["first"])
    fitted = EffectModel(nuisance="linear", priors={"hello": Prior(0.02, 100)})
    return fitted.fit(rows, arms[taken], outcome, np.full(6000, 1 / 3), baseline="silence")


MODEL = model()


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    export(tmp_path / "b", {"lapse": lapse_model(), "effect": EffectScorer(MODEL, "digest", {"n": 6000})}, FEATURES)
    return load(tmp_path / "b", fingerprint=FEATURES.fingerprint)


def test_a_bundle_scores_effects_as_the_model_does(bundle: Bundle) -> None:
    features = np.random.default_rng(1).normal(size=(40, len(FEATURES)))
    features[3, :] = np.nan
    messages = [MESSAGES[i % 5] for i in range(40)]
    scored = bundle.score_effects(features, messages)
    frame = pd.DataFrame(features, columns=list(FEATURES.names))
    effect, error, unaided = MODEL.effect(frame), MODEL.uncertainty(frame), MODEL.unaided(frame)
    assert MODEL.evidence["penalty"].notna().any()
    for i, message in enumerate(messages):
        if message in ("never seen", "silence"):
            assert np.isnan(scored[i]).all()
        else:
            assert scored[i].tolist() == [effect.loc[i, message], unaided[i], error.loc[i, message]]


def test_one_row_scores_the_same_bits_as_many(bundle: Bundle) -> None:
    features = np.random.default_rng(2).normal(size=(20, len(FEATURES)))
    messages = ["coupon", "letter"] * 10
    alone = [bundle.score_effects(features[i : i + 1], messages[i : i + 1])[0].tolist() for i in range(20)]
    assert bundle.score_effects(features, messages).tolist() == alone


def test_what_a_bundle_without_effects_knows_is_nothing(tmp_path: Path) -> None:
    export(tmp_path / "b", {"lapse": lapse_model()}, FEATURES)
    plain = load(tmp_path / "b", fingerprint=FEATURES.fingerprint)
    assert np.isnan(plain.score_effects(np.zeros((2, 4)), ["coupon", "letter"])).all()
    assert plain.score_effects(np.zeros((0, 4)), []).shape == (0, 3)


def test_effects_are_no_scores_of_customers(bundle: Bundle) -> None:
    assert bundle.customer_scores == ("lapse",)
    assert bundle.action_features == ()
    effects = bundle.models["effect"]
    assert isinstance(effects, EffectScorer)
    assert (effects.data_digest, effects.metrics) == ("digest", {"n": 6000})


def test_mistakes_are_told(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="unequal numbers of rows and messages: got 1; wanted 2"):
        bundle.score_effects(np.zeros((2, 4)), ["coupon"])
    with pytest.raises(BundleError, match=r"several models score effects: got \['a', 'b'\]"):
        export(tmp_path / "two", {"a": EffectScorer(MODEL), "b": EffectScorer(MODEL)}, FEATURES)
    with pytest.raises(ModelError, match="the model is not fitted"):
        EffectScorer(EffectModel())


def test_a_model_that_reads_texts_is_none_for_a_bundle() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"city": rng.choice(["Oslo", "Rome"], 500)})
    taken = rng.choice(["silence", "coupon"], 500)
    texts = EffectModel(nuisance="linear").fit(rows, taken, rng.random(500) < 0.3, np.full(500, 0.5), "silence")
    with pytest.raises(ModelError, match=r"columns of texts: got \['city'\]; wanted numbers"):
        EffectScorer(texts)
