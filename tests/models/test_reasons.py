import numpy as np
import pytest
from scipy.special import logit

from tactful.models.base.errors import ModelError
from tactful.models.base.shap import Reason, by_family, reasons
from tests.models.trees import COLUMNS, rows, trees

MODEL = trees()
ROWS = rows(seed=3)[0]


def test_contributions_add_up_to_the_log_odds() -> None:
    np.testing.assert_allclose(MODEL.contributions(ROWS).sum(axis=1), logit(MODEL.predict(ROWS)), atol=1e-9)


def test_the_reasons_of_a_row_are_its_furthest_contributions() -> None:
    parts = MODEL.contributions(ROWS[:1])[0, :-1]
    found = reasons(MODEL, ROWS[0], most=2)
    assert [abs(reason.log_odds) for reason in found] == sorted(np.abs(parts), reverse=True)[:2]
    assert all(parts[COLUMNS.index(reason.column)] == reason.log_odds for reason in found)


def test_families_add_up_to_the_same() -> None:
    parts = MODEL.contributions(ROWS)
    families = by_family(parts, COLUMNS, {"signal": ["first", "second"], "unheard": ["of"]})
    assert list(families) == ["signal", "offer"]
    np.testing.assert_allclose(sum(families.values()), parts[:, :-1].sum(axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1234.0, "spend: 1,234, odds x 1.00"),
        (float("nan"), "spend: unknown, odds x 1.00"),
        ("A", "spend: A, odds x 1.00"),
    ],
)
def test_a_reason_says_what_the_row_has(value: float | str, words: str) -> None:
    assert Reason("spend", value, 0.0).in_words({}) == words


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelError, match=r"\(600, 2\)"):
        MODEL.contributions(ROWS[:, :2])
