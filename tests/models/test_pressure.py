"""The risk of one more contact: monotone, calibrated, near what was stated where little is known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactful.models.base.errors import ModelError
from tactful.models.bundles.bundle import export, load
from tactful.models.scores.frequency import PressureModel
from tests.models.trees import feature_set

RECORD = {"data_digest": "", "metrics": {}}
COLUMNS = ("contacts_7d", "contacts_28d")
FEATURES = feature_set("spend", *COLUMNS)


def contacts(seed: int, count: int, risk: float = 0.004, growth: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Contacts in a week and in four, and who left."""
    rng = np.random.default_rng(seed)
    week = rng.poisson(1.5, count).astype(float)
    return np.column_stack([week, week + rng.poisson(3, count)]), rng.random(count) < risk * np.exp(growth * week)


def test_risks_are_calibrated_on_new_customers() -> None:
    model = PressureModel.fit(*contacts(0, 60_000), COLUMNS)
    rows, left = contacts(1, 60_000)
    risk = model.score(rows)
    for few in (rows[:, 0] <= 1, rows[:, 0] == 2, rows[:, 0] >= 3):
        error = np.sqrt((risk[few] * (1 - risk[few])).sum()) / few.sum()
        assert abs(risk[few].mean() - left[few].mean()) < 4 * error


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_more_contacts_never_lower_the_risk(seed: int) -> None:
    rows, left = contacts(seed, 300, risk=0.05, growth=-0.5)
    model = PressureModel.fit(rows, left, COLUMNS)
    assert (model.slopes >= 0).all()
    assert (np.diff(model.score(np.column_stack([np.arange(10.0), np.full(10, 5.0)]))) >= 0).all()


def test_a_log_in_which_nobody_left_says_what_was_stated_and_less() -> None:
    rows, _ = contacts(0, 30)
    model = PressureModel.fit(rows, np.zeros(30, dtype=bool), COLUMNS, risk=0.01, weight=1000)
    assert model.score(np.zeros((1, 2)))[0] == pytest.approx(0.01, rel=0.15)
    assert model.slopes == pytest.approx([0.5, 0.0], abs=0.1)


def test_a_missing_count_is_none_and_a_row_alone_says_the_same() -> None:
    model = PressureModel.fit(*contacts(0, 5000), COLUMNS)
    rows = np.array([[np.nan, np.nan], [0.0, 0.0], [3.0, 7.0]])
    scored = model.score(rows)
    assert scored[0] == scored[1]
    assert [model.score(row[None])[0] for row in rows] == scored.tolist()


def test_a_bundle_keeps_it(tmp_path: Path) -> None:
    model = replace(PressureModel.fit(*contacts(0, 5000), COLUMNS, data_digest="d"), metrics={"n": 5000})
    export(tmp_path / "b", {"unsubscribe": model}, FEATURES)
    bundle = load(tmp_path / "b", fingerprint=FEATURES.fingerprint)
    rows = np.array([[9.0, 2.0, 5.0]])
    assert bundle.score_customers(rows)["unsubscribe"].tolist() == model.score(rows[:, 1:]).tolist()
    assert bundle.models["unsubscribe"].metrics == {"n": 5000}


def test_mistakes_are_told() -> None:
    with pytest.raises(ModelError, match="contacts and outcomes differ"):
        PressureModel.fit(np.zeros((3, 1)), np.zeros(3), COLUMNS)
    with pytest.raises(ModelError, match="unfit belief"):
        PressureModel.fit(np.zeros((3, 2)), np.zeros(3), COLUMNS, risk=0.0)
    for growth in (np.inf, np.nan):
        with pytest.raises(ModelError, match=r"unfit belief.*finite growth"):
            PressureModel.fit(np.zeros((3, 2)), np.zeros(3), COLUMNS, growth=growth)
    with pytest.raises(ModelError, match="unfit outcome: got nan; wanted whether the customer left, 0 or 1; at left"):
        PressureModel.fit(np.zeros((3, 2)), np.array([0.0, np.nan, 1.0]), COLUMNS)
    with pytest.raises(ModelError, match="unfit log-odds of contact pressure"):
        PressureModel.load(json.dumps({"columns": COLUMNS, "intercept": -5.0, "slopes": [0.5]}), RECORD)
    with pytest.raises(ModelError, match="no model of contact pressure: got \"KeyError\\('slopes'\\)\""):
        PressureModel.load("{}", RECORD)


@pytest.mark.parametrize("shape", [(2,), (4, 1), (4, 3)])
def test_rows_of_another_width_are_refused(shape: tuple[int, ...]) -> None:
    model = PressureModel.fit(*contacts(0, 500), COLUMNS)
    with pytest.raises(
        ModelError, match=r"rows of another shape: got .* wanted '?\(n, 2\)'?; at contacts_7d, contacts"
    ):
        model.score(np.ones(shape))
