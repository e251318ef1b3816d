import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.effects.model import EffectModel, Prior

NAMES = ["no contact", "coupon", "news"]
CHANCES = np.array([0.5, 0.3, 0.2])


def table(count: int = 3000, seed: int = 0) -> pd.DataFrame:
    """Numbers with gaps, a constant, a flag, texts with gaps and a category."""
    generator = np.random.default_rng(seed)
    spend = generator.lognormal(3, 1, count)
    spend[generator.random(count) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "visits": generator.poisson(3, count),
            "spend": spend,
            "constant": 1.0,
            "member": generator.random(count) < 0.4,
            "city": generator.choice(np.array(["Rome", "Oslo", None], dtype=object), count),
            "tier": pd.Categorical(generator.choice(["basic", "gold"], count)),
        }
    )


def log(rows: pd.DataFrame, seed: int = 1) -> dict[str, Any]:
    """A coupon that members alone like, at a response of 0.15 otherwise."""
    generator = np.random.default_rng(seed)
    taken = generator.choice(3, len(rows), p=CHANCES)
    chance = 0.15 + 0.35 * ((taken == 1) & rows["member"].to_numpy())
    outcome = generator.random(len(rows)) < chance
    return {"action": np.array(NAMES)[taken], "outcome": outcome, "propensity": CHANCES[taken]}


ROWS = table()
LOG = log(ROWS)
MODEL = EffectModel(nuisance="linear").fit(ROWS, **LOG)


def same(left: EffectModel, right: EffectModel, rows: pd.DataFrame = ROWS) -> bool:
    pairs = ((left.effect(rows), right.effect(rows)), (left.uncertainty(rows), right.uncertainty(rows)))
    return all(one.equals(other) for one, other in pairs)


def test_effects_have_a_column_for_each_action_and_the_index_of_the_rows() -> None:
    rows = ROWS.iloc[5:8]
    for frame in (MODEL.effect(rows), MODEL.uncertainty(rows)):
        assert list(frame.columns) == NAMES
        assert frame.index.equals(rows.index)
        assert (frame["no contact"] == 0).all()


def test_a_strong_difference_between_customers_is_found() -> None:
    effect = MODEL.effect(ROWS)["coupon"]
    assert 0.2 < effect[ROWS["member"]].mean() < 0.35
    assert -0.05 < effect[~ROWS["member"]].mean() < 0.08
    assert MODEL.evidence["penalty"].to_dict()["coupon"] <= 1


def test_trees_predict_the_outcome_too() -> None:
    effect = EffectModel().fit(ROWS, **LOG).effect(ROWS)["coupon"]
    assert 0.2 < effect[ROWS["member"]].mean() < 0.35


def test_a_clone_fits_the_same_and_carries_no_fit() -> None:
    clone = replace(MODEL)
    assert clone == MODEL
    with pytest.raises(ModelError, match="not fitted"):
        clone.effect(ROWS)
    assert same(clone.fit(ROWS, **LOG), MODEL)


@pytest.mark.parametrize("nuisance", ["linear", "trees"])
def test_shuffled_columns_give_the_same_bits(nuisance: Any) -> None:
    shuffled = ROWS[ROWS.columns[::-1]]
    model = EffectModel(nuisance=nuisance)
    assert same(replace(model).fit(ROWS, **LOG), replace(model).fit(shuffled, **LOG))


def test_a_constant_column_changes_nothing() -> None:
    without = EffectModel(nuisance="linear").fit(ROWS.drop(columns="constant"), **LOG)
    np.testing.assert_allclose(without.effect(ROWS), MODEL.effect(ROWS), rtol=1e-9, atol=1e-12)


def test_unknown_categories_and_missing_values_get_finite_effects() -> None:
    strange = ROWS.head(3).assign(
        city=np.array(["Lima", None, "Rome"], dtype=object), visits=[np.nan, np.inf, -np.inf], spend=np.nan
    )
    assert np.isfinite(MODEL.effect(strange)).all(axis=None)
    assert np.isfinite(MODEL.uncertainty(strange)).all(axis=None)
    assert len(MODEL.policy(strange)) == 3


def test_an_extreme_value_counts_as_the_first_or_last_percentile() -> None:
    far = ROWS.head(1).assign(visits=1e12)
    assert MODEL.effect(far).equals(MODEL.effect(far.assign(visits=1e6)))


def test_a_row_gets_the_same_bits_alone_and_among_others() -> None:
    alone = pd.concat([MODEL.effect(ROWS.iloc[[i]]) for i in range(50)])
    assert alone.equals(MODEL.effect(ROWS.head(50)))
    alone = pd.concat([MODEL.uncertainty(ROWS.iloc[[i]]) for i in range(50)])
    assert alone.equals(MODEL.uncertainty(ROWS.head(50)))


def test_no_rows_get_no_effects() -> None:
    assert MODEL.effect(ROWS.head(0)).shape == (0, 3)
    assert MODEL.policy(ROWS.head(0), capacity={"coupon": 3}).tolist() == []


def test_json_is_the_whole_model() -> None:
    stated = EffectModel(nuisance="linear", priors={"news": Prior(0.01, 50), "letter": Prior(0.02, 10)})
    stated.fit(ROWS, **LOG)
    text = json.dumps(stated.to_json(), sort_keys=True, allow_nan=False)
    restored = EffectModel.from_json(json.loads(text))
    assert restored == stated
    assert same(restored, stated)
    pd.testing.assert_frame_equal(restored.evidence, stated.evidence)


@pytest.mark.parametrize("part", ["actions", "mean", "deviations", "table", "evidence"])
def test_damaged_json_is_refused(part: str) -> None:
    values = json.loads(json.dumps(MODEL.to_json()))
    values["fitted"][part] = values["fitted"][part][:1]
    with pytest.raises(ModelError):
        EffectModel.from_json(values)


def test_probabilities_over_all_actions_say_what_those_of_the_taken_one_say() -> None:
    by_label = pd.DataFrame(np.tile(CHANCES[[1, 2, 0]], (len(ROWS), 1)), columns=["coupon", "news", "no contact"])
    by_order = by_label[sorted(NAMES)].to_numpy()
    for propensity in (by_label, by_order):
        assert same(EffectModel(nuisance="linear").fit(ROWS, **{**LOG, "propensity": propensity}), MODEL)


def test_a_row_at_which_an_action_was_impossible_says_nothing_about_it() -> None:
    open_rows = ROWS["member"].to_numpy()
    chances = np.where(open_rows[:, None], CHANCES, [0.6, 0.0, 0.4])
    generator = np.random.default_rng(3)
    taken = (generator.random(len(ROWS))[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    propensity = pd.DataFrame(chances, columns=NAMES)
    model = EffectModel(nuisance="linear").fit(ROWS, np.array(NAMES)[taken], LOG["outcome"], propensity)
    assert model.evidence["rows"].to_dict() == {"coupon": open_rows.sum(), "news": len(ROWS)}


def test_without_anybody_left_alone_where_it_was_possible_an_action_has_no_evidence() -> None:
    """Members were never left alone, and only members could get a coupon."""
    members = ROWS["member"].to_numpy()
    chances = np.where(members[:, None], [1e-6, 0.5, 0.5 - 1e-6], [0.6, 0.0, 0.4])
    taken = (np.random.default_rng(4).random(len(ROWS))[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    propensity = pd.DataFrame(chances, columns=NAMES)
    model = EffectModel(nuisance="linear").fit(ROWS, np.array(NAMES)[taken], LOG["outcome"], propensity)
    assert model.evidence["estimate"].isna().to_dict() == {"coupon": True, "news": False}


def test_an_action_without_evidence_keeps_what_was_stated() -> None:
    model = EffectModel(nuisance="linear", priors={"letter": Prior(0.04, 500)}).fit(ROWS, **LOG)
    letter = model.evidence.loc["letter"]
    assert letter["taken"] == 0
    assert letter["effect"] == pytest.approx(0.04, abs=0.01)
    assert 0 < letter["uncertainty"] <= LOG["outcome"].std() / 500**0.5


def test_little_evidence_leaves_the_prior_and_much_overrules_it() -> None:
    few = ROWS.head(80)
    priors = {"coupon": Prior(-0.05, 1000), "news": Prior(0.03, 1000)}
    little = EffectModel(nuisance="linear", priors=priors).fit(few, **log(few))
    assert little.evidence["effect"].to_numpy() == pytest.approx([-0.05, 0.03], abs=0.01)
    rows = table(60_000)
    much = EffectModel(nuisance="linear", priors={"coupon": Prior(-0.05, 1000)}).fit(rows, **log(rows))
    assert much.evidence.loc["coupon", "effect"] == pytest.approx(0.14, abs=0.02)


def test_rows_of_a_customer_count_as_dependent() -> None:
    customers = np.repeat(np.arange(len(ROWS)), 4)
    repeated: dict[str, Any] = {name: np.repeat(values, 4) for name, values in LOG.items()}
    rows = ROWS.loc[customers].reset_index(drop=True)
    known = EffectModel(nuisance="linear").fit(rows, **repeated, customer=[f"c{i}" for i in customers])
    ratio = known.evidence["error"] / MODEL.evidence["error"]
    assert ratio.to_numpy() == pytest.approx([1.0, 1.0], abs=0.05)


def test_amounts_of_money_are_outcomes_too() -> None:
    spend = np.where(LOG["outcome"], 20.0, 0.0)
    money = EffectModel(nuisance="linear").fit(ROWS, **{**LOG, "outcome": spend})
    np.testing.assert_allclose(money.effect(ROWS), 20 * MODEL.effect(ROWS), rtol=1e-6, atol=1e-9)


def test_the_policy_contacts_those_who_are_worth_it() -> None:
    chosen = MODEL.policy(ROWS, value=10.0, cost={"no contact": 0.0, "coupon": 1.0, "news": 0.1})
    assert chosen.index.equals(ROWS.index)
    assert (chosen[ROWS["member"]] == "coupon").mean() > 0.95
    assert (chosen[~ROWS["member"]] == "coupon").mean() < 0.05


@pytest.mark.parametrize("limit", [0, 1, 100, 10_000])
def test_a_capacity_is_used_and_never_exceeded(limit: int) -> None:
    wanted = (MODEL.policy(ROWS, value=10.0, cost=1.0) == "coupon").sum()
    chosen = MODEL.policy(ROWS, value=10.0, cost=1.0, capacity={"coupon": limit})
    assert (chosen == "coupon").sum() == min(limit, wanted)


def test_a_dearer_customer_gets_the_scarce_action() -> None:
    rows = ROWS[ROWS["member"]].head(10)
    value = np.arange(10.0, 20.0)
    chosen = MODEL.policy(rows, value={"coupon": value, "news": 0.0}, capacity={"coupon": 4})
    gain = value * MODEL.effect(rows)["coupon"].to_numpy()
    assert set(np.flatnonzero(chosen == "coupon")) == set(np.argsort(gain)[-4:])


Change = Callable[[dict[str, Any]], dict[str, Any]]
REFUSED: dict[str, tuple[Change, str]] = {
    "no probabilities": (lambda _: {"propensity": None}, "cannot show an effect"),
    "certain actions": (lambda _: {"propensity": np.ones(len(ROWS))}, "cannot show an effect"),
    "nobody left alone": (lambda _: {"baseline": "silence"}, "nobody left alone"),
    "a zero": (lambda d: {"propensity": np.where(np.arange(len(ROWS)), d["propensity"], 0)}, "impossible"),
    "a gap": (lambda d: {"propensity": np.where(np.arange(len(ROWS)), d["propensity"], np.nan)}, "unfit values"),
    "above one": (lambda d: {"propensity": d["propensity"] * 3}, "impossible"),
    "too small": (lambda d: {"propensity": d["propensity"] / 2}, "contradict"),
    "too large": (lambda _: {"propensity": np.full(len(ROWS), 0.95)}, "contradict"),
    "no sum": (lambda _: {"propensity": np.full((len(ROWS), 3), 0.3)}, "do not sum"),
    "another order": (lambda _: {"propensity": np.tile(CHANCES[[1, 0, 2]], (len(ROWS), 1))}, "contradict"),
    "another width": (lambda _: {"propensity": np.full((len(ROWS), 2), 0.5)}, "unfit probabilities"),
    "a constant outcome": (lambda _: {"outcome": np.zeros(len(ROWS))}, "never varies"),
    "too few actions": (lambda d: {"action": d["action"][1:]}, "unfit values"),
    "a missing action": (lambda d: {"action": [None, *d["action"][1:]]}, "unknown actions"),
    "too few customers": (lambda _: {"customer": np.zeros(len(ROWS))}, "too few customers"),
    "a customer missing": (lambda _: {"customer": [None] * len(ROWS)}, "unfit customers"),
    "no table": (lambda _: {"X": ROWS[["visits"]].to_numpy()}, "without named columns"),
    "other rows": (lambda _: {"X": ROWS.head(7)}, "rows and actions differ"),
    "outcomes too large": (
        lambda d: {"outcome": d["outcome"] * 1e200},
        r"outcomes too large: got 1e\+200; wanted at most 1e\+50; at outcome",
    ),
    "outcomes too much alike": (lambda d: {"outcome": d["outcome"] * 1e-160}, "outcomes too much alike"),
    "columns too large": (
        lambda _: {"X": ROWS.assign(visits=np.where(ROWS["member"], 1.7e308, -1.7e308))},
        r"values too large: got 1.7e\+308; wanted at most 1e\+100; at visits",
    ),
    "dates": (lambda _: {"X": ROWS.assign(day=pd.Timestamp("2026-01-01"))}, "unfit column"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learnt_from_is_refused(name: str) -> None:
    change, message = REFUSED[name]
    with pytest.raises(ModelError, match=message):
        EffectModel(nuisance="linear").fit(**{"X": ROWS, **LOG, **change(LOG)})


@pytest.mark.parametrize("unit", [1e-50, 1e50])
def test_effects_are_in_the_unit_of_the_outcome_however_large(unit: float) -> None:
    scaled = EffectModel(nuisance="linear").fit(ROWS, **{**LOG, "outcome": np.where(LOG["outcome"], unit, 0.0)})
    np.testing.assert_allclose(scaled.effect(ROWS) / unit, MODEL.effect(ROWS), rtol=1e-6, atol=1e-9)


def test_a_large_number_is_as_good_as_a_small_one() -> None:
    large = ROWS.assign(spend=ROWS["spend"] * 1e95)
    found = EffectModel(nuisance="linear").fit(large, **LOG)
    np.testing.assert_allclose(found.effect(large), MODEL.effect(ROWS), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "wish",
    [
        {"capacity": {"coupn": 3}},
        {"capacity": {"no contact": 3}},
        {"capacity": {"coupon": -1}},
        {"capacity": {"coupon": 1.5}},
        {"cost": {"coupon": 1.0}},
        {"cost": {"no contact": 1.0, "coupon": 1.0, "news": 1.0}},
        {"cost": np.ones(7)},
        {"value": np.nan},
        {"caution": -1.0},
        {"caution": np.nan},
    ],
)
def test_unfit_wishes_are_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        MODEL.policy(ROWS, **wish)


def test_unfit_settings_are_refused() -> None:
    for settings in ({"nuisance": "magic"}, {"folds": 1}):
        with pytest.raises(ModelError):
            EffectModel(**settings)
    with pytest.raises(ModelError):
        Prior(0.1, -1)
    with pytest.raises(ModelError, match="prior for the baseline"):
        EffectModel(priors={"no contact": Prior(0.1)}).fit(ROWS, **LOG)


def test_rows_without_a_column_of_the_fit_are_refused() -> None:
    with pytest.raises(ModelError, match="absent"):
        MODEL.effect(ROWS.drop(columns="spend"))
    with pytest.raises(ModelError, match="unfit column"):
        MODEL.effect(ROWS.assign(spend="much"))
