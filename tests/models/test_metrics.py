import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from tactful.models.base.errors import ModelError
from tactful.models.base.metrics import Estimate, Outcomes

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(0, 6)), min_size=2, max_size=60)


def sample(generator: np.random.Generator, customers: int) -> tuple[Outcomes, np.ndarray]:
    """Customers with one to four rows each that share a shift of their log-odds the probability does not know."""
    rows = generator.integers(1, 5, customers)
    customer = np.repeat(np.arange(customers), rows)
    said = generator.beta(2, 4, len(customer))
    odds = np.log(said / (1 - said)) + np.repeat(generator.normal(0, 1, customers), rows)
    return Outcomes.of(generator.random(len(customer)) < 1 / (1 + np.exp(-odds)), customer), said


@given(ROWS)
def test_values_are_those_of_scikit_learn(rows: list[tuple[bool, int, int]]) -> None:
    positive, said = np.array([r[0] for r in rows]), np.array([r[1] for r in rows]) / 21 + 0.01
    assume(0 < positive.sum() < len(positive))
    outcomes = Outcomes.of(positive, [r[2] for r in rows])
    assert outcomes.value(outcomes.auc(said)) == pytest.approx(roc_auc_score(positive, said))
    assert outcomes.value(outcomes.log_loss(said)) == pytest.approx(log_loss(positive, said))


@given(ROWS, st.integers(0, 3))
def test_a_customer_counted_twice_is_a_customer_whose_rows_are_doubled(
    rows: list[tuple[bool, int, int]], doubled: int
) -> None:
    positive, said = np.array([r[0] for r in rows]), np.array([r[1] for r in rows]) / 21 + 0.01
    names, customer = np.unique([r[2] for r in rows], return_inverse=True)
    counts = np.ones((1, len(names)))
    counts[0, doubled % len(names)] = 2
    again = np.repeat(np.arange(len(rows)), counts[0].astype(int)[customer])
    assume(0 < positive[again].sum() < len(again))
    outcomes = Outcomes.of(positive, customer)
    assert outcomes.auc(said).of(counts)[0] == pytest.approx(roc_auc_score(positive[again], said[again]))
    assert outcomes.log_loss(said).of(counts)[0] == pytest.approx(log_loss(positive[again], said[again]))


def test_calibration_error_is_the_mean_gap_of_equal_bins() -> None:
    outcomes = Outcomes.of([False, False, True, False, True, True], range(6))
    said = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8])
    gaps = (abs(0.2 - 1 / 3), abs(0.7 - 2 / 3))
    assert outcomes.value(outcomes.ece(said, bins=2)) == pytest.approx(sum(gaps) / 2)
    assert outcomes.reliability(said, bins=2).rows.tolist() == [3, 3]
    assert outcomes.reliability(said, bins=2).predicted == pytest.approx([0.2, 0.7])
    assert outcomes.reliability(said, bins=2).observed == pytest.approx([1 / 3, 2 / 3])


def test_the_same_seed_gives_the_same_interval() -> None:
    outcomes, said = sample(np.random.default_rng(0), 80)
    first, again = (outcomes.estimate({"auc": outcomes.auc(said)}, seed=4) for _ in range(2))
    assert first == again
    assert first != outcomes.estimate({"auc": outcomes.auc(said)}, seed=5)


def test_a_difference_is_paired() -> None:
    outcomes, said = sample(np.random.default_rng(1), 200)
    noisy = said + np.random.default_rng(2).normal(0, 0.01, len(said))
    pair = {"apart": outcomes.auc(said), "gain": outcomes.auc(said) - outcomes.auc(noisy)}
    estimates = outcomes.estimate(pair)
    widths = {name: e.high - e.low for name, e in estimates.items()}
    assert widths["gain"] < widths["apart"] / 3
    assert outcomes.estimate({"none": outcomes.auc(said) - outcomes.auc(said)})["none"] == Estimate(0.0, 0.0, 0.0)


def test_intervals_cover_the_truth_of_clustered_rows() -> None:
    whole, said = sample(np.random.default_rng(3), 200_000)
    truth = {"auc": whole.value(whole.auc(said)), "log_loss": whole.value(whole.log_loss(said))}
    covered = dict.fromkeys(truth, 0)
    generator = np.random.default_rng(4)
    for draw in range(300):
        outcomes, said = sample(generator, 150)
        statistics = {"auc": outcomes.auc(said), "log_loss": outcomes.log_loss(said)}
        for name, estimate in outcomes.estimate(statistics, draws=400, seed=draw).items():
            covered[name] += estimate.low <= truth[name] <= estimate.high
    assert all(0.91 <= hits / 300 <= 0.98 for hits in covered.values()), covered


def test_intervals_of_calibration_error_cover_the_truth_where_probabilities_are_false() -> None:
    def told(generator: np.random.Generator, rows: int) -> tuple[Outcomes, np.ndarray]:
        said = generator.beta(2, 4, rows)
        return Outcomes.of(generator.random(rows) < said**1.4, np.arange(rows)), said

    whole, said = told(np.random.default_rng(5), 400_000)
    truth = whole.value(whole.ece(said))
    generator = np.random.default_rng(6)
    hits = 0
    for draw in range(200):
        outcomes, said = told(generator, 800)
        estimate = outcomes.estimate({"ece": outcomes.ece(said)}, draws=300, seed=draw)["ece"]
        hits += estimate.low <= truth <= estimate.high
    assert hits / 200 > 0.9, truth


def test_an_outcome_that_never_varies_has_no_auc() -> None:
    outcomes = Outcomes.of([True, True], ["a", "b"])
    assert np.isnan(outcomes.estimate({"auc": outcomes.auc(np.array([0.2, 0.4]))})["auc"]).all()


@pytest.mark.parametrize("stretched", [0.5, 1.0, 2.0])
def test_the_slope_tells_by_how_much_log_odds_are_too_far_apart(stretched: float) -> None:
    generator = np.random.default_rng(0)
    odds = generator.normal(-1, 1.5, 20_000)
    happened = generator.random(20_000) < 1 / (1 + np.exp(-odds))
    outcomes = Outcomes.of(happened, np.arange(20_000))
    said = 1 / (1 + np.exp(-stretched * odds))
    found = outcomes.estimate({"slope": outcomes.slope(said)}, draws=100)["slope"]
    assert found.value == pytest.approx(1 / stretched, rel=0.05)
    assert found.low < 1 / stretched < found.high


def test_outcomes_told_apart_wholly_have_a_slope_all_the_same() -> None:
    outcomes = Outcomes.of([False, False, True, True], list("abcd"))
    assert outcomes.value(outcomes.slope(np.array([0.1, 0.2, 0.8, 0.9]))) > 1


@pytest.mark.parametrize("name", ["auc", "log_loss", "ece", "slope", "reliability"])
@pytest.mark.parametrize("score", [[np.nan, np.nan, np.nan], [0.1, np.inf, 0.2], [0.1, 0.2]])
def test_scores_that_are_none_are_refused(name: str, score: list[float]) -> None:
    outcomes = Outcomes.of([False, True, True], ["a", "b", "c"])
    with pytest.raises(ModelError, match=r"unfit scores: got .*; wanted finite numbers, shape \(3,\)"):
        getattr(outcomes, name)(np.array(score))


@pytest.mark.parametrize(("positive", "customers"), [([], []), ([True, False], ["a"])])
def test_outcomes_without_rows_or_customers_are_refused(positive: list[bool], customers: list[str]) -> None:
    with pytest.raises(ModelError, match=r"unfit outcomes: got .*; wanted one or more, each with its customer"):
        Outcomes.of(positive, customers)
