import numpy as np
import pytest

from tactful.models.base.metrics import Outcomes
from tactful.training.studies.segments import Bands, bands, bias_by_segment, groups, lift, mean_by_segment


def test_bands_hold_their_lower_edge_and_not_their_upper() -> None:
    found = bands(np.array([6.9, 7.0, 27.9, 28.0, np.nan]), [7, 28], "days")
    assert found.names == ("under 7 days", "7 to 28 days", "28 days or more", "unknown")
    assert found.of.tolist() == [0, 1, 1, 2, 3]


def test_bands_without_rows_are_left_out() -> None:
    assert bands(np.array([30.0, 1.0]), [7, 28], "days").names == ("under 7 days", "28 days or more")


def test_labels_become_groups_in_order() -> None:
    assert groups(["b", "a", "b"]).names == ("a", "b")
    assert groups(["b", "a", "b"]).of.tolist() == [1, 0, 1]


def test_a_segment_has_its_own_mean_rows_and_customers() -> None:
    outcomes = Outcomes.of([True, False, False, True], ["a", "a", "b", "c"])
    first, second = mean_by_segment(outcomes, outcomes.positive, Bands(("low", "high"), np.array([0, 0, 0, 1])))
    assert (first.name, first.rows, first.customers, first.estimate.value) == ("low", 3, 2, 1 / 3)
    assert (second.name, second.rows, second.customers, second.estimate.value) == ("high", 1, 1, 1.0)


def test_intervals_hold_the_true_bias_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    customers = np.repeat(np.arange(150), 2)
    everyone = Bands(("all",), np.zeros(300, dtype=np.int64))
    hits = 0
    for _ in range(200):
        risk = np.repeat(generator.uniform(0.1, 0.5, 150), 2)
        outcomes = Outcomes.of(generator.random(300) < risk, customers)
        (segment,) = bias_by_segment(outcomes, risk + 0.05, everyone)
        hits += segment.estimate.low <= 0.05 <= segment.estimate.high
    assert 0.90 <= hits / 200 <= 0.99


def test_the_lift_of_a_perfect_score_is_one_over_the_share() -> None:
    outcomes = Outcomes.of(np.arange(100) < 20, np.arange(100))
    tenth, fifth, everyone = lift(outcomes, -np.arange(100.0), [0.1, 0.2, 1.0])
    assert (tenth.value, fifth.value) == (pytest.approx(5.0), pytest.approx(5.0))
    assert tuple(everyone) == (1.0, 1.0, 1.0)


def test_the_lift_of_a_random_score_holds_one() -> None:
    generator = np.random.default_rng(1)
    outcomes = Outcomes.of(generator.random(2000) < 0.2, np.arange(2000))
    (tenth,) = lift(outcomes, generator.random(2000), [0.1])
    assert tenth.low < 1.0 < tenth.high
