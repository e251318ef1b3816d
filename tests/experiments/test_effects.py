"""Estimators against the truth of simulated trials: bias, coverage, false positives; and the sample ratio check."""

import math

import numpy as np
import pandas as pd
import pytest

from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.base.metrics import METRICS, Metric
from tactful.experiments.readout.effects import (
    Effect,
    adjusted,
    by_customer,
    compare,
    quantile,
    sample_ratio,
    variance_saved,
)
from tactful.experiments.readout.outcomes import outcomes
from tests.experiments.trials import Trial, trial, truth

REVENUE = METRICS["revenue_per_customer"]
RUNS = 200


def arms(made: Trial) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = outcomes(made.events, made.enrolled, made.until)
    return table[table["arm"] == "control"], table[table["arm"] == "treatment"]


@pytest.fixture(scope="module")
def studies() -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    return [arms(trial(seed, 600, lift=0.2)) for seed in range(RUNS)]


def covered(effects: list[Effect], value: float) -> float:
    return float(np.mean([effect.low <= value <= effect.high for effect in effects]))


@pytest.mark.parametrize("covariate", [True, False])
def test_a_mean_is_unbiased_and_its_interval_covers(
    studies: list[tuple[pd.DataFrame, pd.DataFrame]], covariate: bool
) -> None:
    effects = [compare(*study, REVENUE, covariate=covariate) for study in studies]
    differences = np.array([effect.difference for effect in effects])
    assert abs(differences.mean() - truth(0.2)) < 3 * differences.std() / math.sqrt(RUNS)
    assert 0.90 <= covered(effects, truth(0.2)) <= 0.985
    assert np.mean([effect.error for effect in effects]) == pytest.approx(differences.std(), rel=0.12)


def test_a_ratio_covers_where_a_naive_interval_does_not(
    studies: list[tuple[pd.DataFrame, pd.DataFrame]],
) -> None:
    effects = [compare(*study, METRICS["average_order_value"]) for study in studies]
    assert 0.90 <= covered(effects, 0.0) <= 0.985


def test_what_customers_did_before_takes_variance_away(studies: list[tuple[pd.DataFrame, pd.DataFrame]]) -> None:
    saved = [variance_saved(*study, REVENUE) for study in studies[:20]]
    assert 0.03 < np.mean(saved) < 0.5
    assert variance_saved(*studies[0], METRICS["average_order_value"]) == 0.0


def test_no_effect_is_found_as_often_as_alpha_says() -> None:
    effects = [compare(*arms(trial(10_000 + seed, 300)), REVENUE) for seed in range(RUNS)]
    assert np.mean([effect.pvalue < 0.05 for effect in effects]) < 0.1


def test_a_customer_with_many_rows_is_one() -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(RUNS):
        visits = rng.integers(1, 20, 150)
        rows = pd.DataFrame({"customer": np.repeat(np.arange(150), visits)})
        rows["spent"] = rng.normal(0, 1, 150)[rows["customer"]] + rng.normal(0, 0.3, len(rows))
        table = by_customer(rows, "customer", ["spent"])
        visit = Metric("response", "", "spent", "rows", "count", 1, None, "")
        errors.append(
            compare(table[table["customer"] % 2 == 0], table[table["customer"] % 2 == 1], visit).pvalue < 0.05
        )
    assert np.mean(errors) < 0.1


def test_a_quantile_is_told_with_its_interval(studies: list[tuple[pd.DataFrame, pd.DataFrame]]) -> None:
    control, treatment = studies[0]
    found = quantile(control, treatment, "revenue", 0.9)
    assert found.control == np.quantile(control["revenue"], 0.9)
    assert found.difference == pytest.approx(np.quantile(treatment["revenue"], 0.9) - found.control)
    assert found.low < found.difference < found.high
    assert math.isnan(found.pvalue)


def test_a_quantile_covers() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for seed in range(60):
        tables = [pd.DataFrame({"x": rng.exponential(1.0 + shift, 400)}) for shift in (0.0, 0.3)]
        found = quantile(*tables, "x", 0.5, seed=seed)
        hits += found.low <= 0.3 * math.log(2) <= found.high
    assert hits >= 51


def test_what_cannot_be_told_is_nan(studies: list[tuple[pd.DataFrame, pd.DataFrame]]) -> None:
    control, treatment = studies[0]
    assert not compare(control, treatment, METRICS["satisfaction"]).known
    assert not compare(control, treatment, METRICS["unsubscribes"]).known
    assert not compare(control.head(1), treatment, REVENUE).known


@pytest.mark.parametrize(
    ("counts", "shares", "passed"),
    [
        ({"a": 5_000, "b": 5_100}, {"a": 0.5, "b": 0.5}, True),
        ({"a": 5_000, "b": 5_400}, {"a": 0.5, "b": 0.5}, False),
        ({"a": 9_000, "b": 1_000}, {"a": 0.9, "b": 0.1}, True),
        ({"a": 3_000, "b": 3_050, "c": 2_960}, {"a": 1, "b": 1, "c": 1}, True),
        ({"a": 3_000, "b": 3_300, "c": 2_960}, {"a": 1, "b": 1, "c": 1}, False),
        ({"a": 8, "b": 0}, {"a": 0.5, "b": 0.5}, True),
        ({"a": 20, "b": 1}, {"a": 0.5, "b": 0.5}, False),
    ],
)
def test_the_sample_ratio(counts: dict[str, int], shares: dict[str, float], passed: bool) -> None:
    assert sample_ratio(counts, shares).passed is passed


def test_a_sample_of_nobody_is_refused() -> None:
    with pytest.raises(ReadoutError, match="nobody took part"):
        sample_ratio({"a": 0, "b": 0}, {"a": 0.5, "b": 0.5})


def test_a_sample_ratio_of_three_arms_rarely_errs() -> None:
    rng = np.random.default_rng(3)
    drawn = rng.multinomial(3_000, [0.5, 0.3, 0.2], size=1_000)
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    failed = [not sample_ratio(dict(zip("abc", row.tolist(), strict=True)), shares).passed for row in drawn]
    assert sum(failed) <= 6


def test_adjusted_pvalues_are_those_of_the_books() -> None:
    pvalues = {"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.2}
    assert adjusted(pvalues) == pytest.approx({"a": 0.04, "b": 0.06, "c": 0.06, "d": 0.2})
    hochberg = adjusted(pvalues, "benjamini_hochberg")
    assert hochberg == pytest.approx({"a": 0.04, "b": 0.04, "c": 0.04, "d": 0.2})
    assert adjusted({}) == {}


def test_holm_makes_no_false_claim_more_often_than_alpha() -> None:
    rng = np.random.default_rng(9)
    claims = [min(adjusted(dict(zip("abcdefgh", row, strict=True))).values()) < 0.05 for row in rng.random((400, 8))]
    assert np.mean(claims) < 0.085
