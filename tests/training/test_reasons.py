import numpy as np
import pytest

from tactful.models.scores.bgnbd import BGNBD_FEATURES
from tactful.training.fit.job import TrainingResult
from tactful.training.studies.reasons import family_weights, reasons_in_words, reasons_of, tree_rows


@pytest.fixture(params=["lapsed", "responded"])
def result(request: pytest.FixtureRequest) -> TrainingResult:
    found: TrainingResult = request.getfixturevalue(request.param)
    return found


def test_the_rows_explained_are_the_rows_tested(result: TrainingResult) -> None:
    explained = result.model.calibration.apply(result.model.trees.predict(tree_rows(result)))
    assert explained.tobytes() == result.test.probability.tobytes()


def test_families_come_by_weight(result: TrainingResult) -> None:
    weights = [weight.estimate.value for weight in family_weights(result)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 0


def test_reasons_are_told_in_the_features_own_descriptions(result: TrainingResult) -> None:
    told = (
        {feature.description for feature in result.feature_set.features}
        | set(BGNBD_FEATURES.values())
        | {"campaign type", "channel"}
    )
    assert {words.rsplit(": ", 1)[0] for words in reasons_in_words(result, 0)} <= told


def test_a_category_of_the_offer_stands_by_its_name(responded: TrainingResult) -> None:
    offers = responded.test.offers
    every = [reasons_of(responded, row, most=100) for row in range(20)]
    named = [(row, r.value) for row, found in enumerate(every) for r in found if r.column == "campaign_type"]
    assert all(value == offers[row]["campaign_type"] for row, value in named)
    assert np.isfinite([reason.log_odds for found in every for reason in found]).all()
