import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tactful.models.base.errors import ModelError
from tactful.models.base.gbm import TreeModel, fit
from tactful.models.base.metrics import Outcomes
from tests.models.trees import COLUMNS, PARAMETERS, rows, trees

MODEL = trees()
ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True, width=64)


def test_a_fit_is_the_same_every_time() -> None:
    assert trees().text == MODEL.text


def test_another_seed_gives_other_trees() -> None:
    assert fit(*rows(), COLUMNS, replace(PARAMETERS, seed=8)).text != MODEL.text


@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.just(3)), elements=ANY_NUMBER))
def test_a_row_gets_the_same_bits_alone_and_among_others(values: np.ndarray) -> None:
    together = MODEL.predict(values)
    alone = np.concatenate([MODEL.predict(values[i : i + 1]) for i in range(len(values))])
    assert together.tobytes() == alone.tobytes()


def test_a_large_batch_on_many_threads_gets_the_same_bits() -> None:
    values, _ = rows(seed=1, count=9000)
    parts = np.concatenate([MODEL.predict(part) for part in np.array_split(values, 9)])
    assert MODEL.predict(values).tobytes() == parts.tobytes()


def test_the_text_is_the_whole_model() -> None:
    values, _ = rows(seed=2)
    restored = TreeModel(MODEL.text)
    assert (restored.columns, restored.rounds) == (COLUMNS, PARAMETERS.rounds)
    assert restored.predict(values).tobytes() == MODEL.predict(values).tobytes()


def test_a_model_travels_to_another_process() -> None:
    values, _ = rows(seed=2)
    assert pickle.loads(pickle.dumps(MODEL)).predict(values).tobytes() == MODEL.predict(values).tobytes()


@given(arrays(np.float64, st.tuples(st.integers(1, 20), st.just(3)), elements=ANY_NUMBER))
def test_probabilities_are_probabilities_whatever_is_missing(values: np.ndarray) -> None:
    predicted = MODEL.predict(values)
    assert np.all((predicted > 0) & (predicted < 1))


def test_no_rows_get_no_probabilities() -> None:
    assert MODEL.predict(np.empty((0, 3))).shape == (0,)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ModelError, match=r"rows do not fit the model: got \(5, 2\); wanted \(n, 3\)"):
        MODEL.predict(np.zeros((5, 2)))


def test_an_outcome_that_never_varies_is_refused() -> None:
    values, _ = rows()
    with pytest.raises(ModelError, match="an outcome that never varies: got '0 of 600'"):
        fit(values, np.zeros(600, dtype=np.bool_), COLUMNS, PARAMETERS)


def test_validation_stops_before_the_trees_learn_noise() -> None:
    many = replace(PARAMETERS, rounds=400, learning_rate=0.2, patience=10)
    assert fit(*rows(), COLUMNS, many, validation=rows(seed=3)).rounds < 100


def test_a_constant_column_has_no_part_in_it() -> None:
    values, positive = rows()
    values[:, 2] = 4.0
    model = fit(values, positive, COLUMNS, PARAMETERS)
    assert model.importance()["third"] == 0.0
    values[:, 2] = -1.0
    assert model.predict(values).tolist() == fit(values, positive, COLUMNS, PARAMETERS).predict(values).tolist()


def test_shuffled_columns_are_learnt_as_well() -> None:
    values, positive = rows(count=3000)
    order = [2, 0, 1]
    every_column = replace(PARAMETERS, rounds=100, column_sample=1.0)
    shuffled = fit(values[:, order], positive, [COLUMNS[i] for i in order], every_column)
    straight = fit(values, positive, COLUMNS, every_column)
    later, happened = rows(seed=5, count=3000)
    outcomes = Outcomes.of(happened, np.arange(len(later)))
    areas = [outcomes.value(outcomes.auc(p)) for p in (shuffled.predict(later[:, order]), straight.predict(later))]
    assert areas[0] == pytest.approx(areas[1], abs=0.01)


def test_importance_names_what_matters_in_shares() -> None:
    shares = MODEL.importance()
    assert list(shares)[:2] == ["first", "second"]
    assert sum(shares.values()) == pytest.approx(1.0)


def test_a_category_never_seen_counts_as_missing() -> None:
    generator = np.random.default_rng(0)
    kind = generator.integers(0, 3, 2000).astype(np.float64)
    model = fit(
        kind[:, None], generator.random(2000) < 0.2 + 0.3 * kind / 2, ["kind"], PARAMETERS, categorical=["kind"]
    )
    known, new, missing = model.predict(np.array([[2.0], [7.0], [np.nan]]))
    assert new == missing
    assert known > new
