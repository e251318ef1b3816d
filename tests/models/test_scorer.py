import numpy as np
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.scores.classifier import ActionFeature
from tests.models.trees import lapse_model, response_model


def test_a_category_is_its_place_in_the_list() -> None:
    assert ActionFeature("type", ("a", "b")).encode({"type": "b"}) == 1.0


@pytest.mark.parametrize("offer", [{}, {"type": "z"}, {"type": 3.0}])
def test_what_the_model_never_saw_is_missing(offer: dict[str, float | str]) -> None:
    assert np.isnan(ActionFeature("type", ("a", "b")).encode(offer))


def test_a_text_for_a_number_is_refused() -> None:
    with pytest.raises(ModelError, match="unfit value of an offer: got 'cheap'; wanted a number; at price"):
        ActionFeature("price").encode({"price": "cheap"})


def test_a_model_knows_its_columns() -> None:
    assert lapse_model().customer_columns == ("first", "second", "third")
    assert response_model().customer_columns == ("first", "second")
    assert response_model().encode([{"type": "b", "price": 2}, {"price": 3.5}])[:, 1].tolist() == [2.0, 3.5]


def test_scores_are_calibrated_trees() -> None:
    model = lapse_model()
    rows = np.zeros((4, 3))
    assert model.score(rows).tolist() == model.calibration.apply(model.trees.predict(rows)).tolist()
