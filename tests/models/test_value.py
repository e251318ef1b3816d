"""Expected value: what is learnt, how it is extended, how it is kept."""

from pathlib import Path

import numpy as np
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.base.gbm import Parameters
from tactful.models.bundles.bundle import export, load
from tactful.models.scores.value import ValueModel, deviance, extension, fit_spend
from tests.models.trees import FEATURES, lapse_model

SMALL = Parameters(rounds=60, leaves=4, leaf_rows=50, learning_rate=0.1)


def spend(seed: int = 0, count: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, what was spent, and what was to be expected."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, 3))
    mean = 20 * np.exp(0.5 * rows[:, 0])
    return rows, rng.gamma(2.0, 10.0, count) * rng.poisson(mean / 20), mean


def model() -> ValueModel:
    rows, spent, _ = spend()
    return ValueModel(fit_spend(rows, spent, ["first", "second", "third"], SMALL), 84, 365, 0.98, 0.3, "d", {"n": 6000})


def test_trees_find_the_mean_of_spend() -> None:
    rows, _, mean = spend(1)
    found = model().trees.predict(rows)
    assert found.mean() == pytest.approx(mean.mean(), rel=0.03)
    assert np.corrcoef(found, mean)[0, 1] > 0.95
    assert deviance(spend(1)[1], found).mean() < deviance(spend(1)[1], np.full(6000, mean.mean())).mean()


@pytest.mark.parametrize("retention", [0.5, 0.9, 1.0])
def test_whole_windows_sum_to_the_extension(retention: float) -> None:
    assert extension(30, 300, retention) == pytest.approx(sum(retention**k for k in range(10)))


def test_a_bundle_keeps_the_value_beside_other_scores(tmp_path: Path) -> None:
    export(tmp_path / "b", {"lapse": lapse_model(), "clv": model()}, FEATURES)
    bundle = load(tmp_path / "b", fingerprint=FEATURES.fingerprint)
    features = np.random.default_rng(0).normal(size=(5, 4))
    columns = [FEATURES.names.index(name) for name in ("first", "second", "third")]
    wanted = model().trees.predict(features[:, columns]) * (extension(84, 365, 0.98) * 0.3)
    assert bundle.customer_scores == ("clv", "lapse")
    assert bundle.score_customers(features)["clv"].tolist() == wanted.tolist()
    kept = bundle.models["clv"]
    assert isinstance(kept, ValueModel)
    assert (kept.horizon_days, kept.metrics) == (365, {"n": 6000})


@pytest.mark.parametrize(("window", "horizon"), [(0, 365), (-84, 365), (84, 0), (float("nan"), 365)])
def test_days_that_are_none_are_told(window: float, horizon: float) -> None:
    with pytest.raises(ModelError, match=f"unfit days: got 'window {window}, horizon {horizon}'; wanted above 0"):
        extension(window, horizon, 0.9)  # type: ignore[arg-type]


def test_mistakes_are_told() -> None:
    with pytest.raises(ModelError, match="unfit retention: got 0; wanted above 0, at most 1"):
        extension(28, 365, 0)
    with pytest.raises(ModelError, match="unfit spend: got 'from 0 to 0'"):
        fit_spend(np.zeros((10, 1)), np.zeros(10), ["x"])
