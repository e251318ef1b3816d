"""The formula of a priority, term by term, and where each factor comes from."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.analysis.explain import paragraph
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.objective import Fatigue
from tactful.decisions.catalogue.selection import Greedy
from tactful.decisions.kernel.arbitration import NAMES, Factors, unsubscribe_risk
from tactful.decisions.kernel.decide import Request, decide
from tactful.decisions.loading import inspect_catalogue, parse_catalogue
from tactful.features.array_types import Floats
from tests.decisions.retailer import CATALOGUE, LAPSING, KnownScorer, at, contact, having

SCORES = ("lapse", "clv", "unsubscribe")
VOCABULARY = Vocabulary(
    features=("days_since_purchase", "spend"), scores=SCORES, offers={"kind": ("A", "B"), "days": None}
)
BY_EFFECT = (
    CATALOGUE.replace("objective: propensity", "objective: effect")
    .replace("response: {mean: 0.1}", "response: {mean: 0.1}\n        effect: {mean: 0.04}")
    .replace("offer: {kind: A, days: 30}", "offer: {kind: A, days: 30}\n        effect: {mean: 0.05}")
    .replace("response: {mean: 0.2}", "effect: {mean: 0.02}")
    .replace("response: {mean: 0.3}", "effect: {mean: 0.02}")
)
SENT = {"miss_you": "win_back/miss_you/email", "coupon": "win_back/come_back_coupon/email"}


class Learner(KnownScorer):
    """Knows effects of some messages, and scores of the customer besides lapse."""

    def __init__(
        self, effects: Mapping[str, Sequence[float]] | None = None, scores: Mapping[str, float] | None = None
    ) -> None:
        self._effects = effects or {}
        self._scores = scores or {}

    def score_customers(self, features: Floats) -> Mapping[str, Floats]:
        known = {name: np.full(len(features), score) for name, score in self._scores.items()}
        return {**super().score_customers(features), **known}

    def score_effects(self, features: Floats, messages: Sequence[str]) -> Floats:
        assert len(messages) == len(features)
        return np.array([self._effects.get(message, (np.nan, np.nan, np.nan)) for message in messages])


def catalogue(arbitration: str = "", text: str = BY_EFFECT) -> CompiledCatalogue:
    stated = text.replace("attributes:", f"arbitration: {arbitration}\nattributes:", 1) if arbitration else text
    return parse_catalogue(stated, VOCABULARY)


def factors(compiled: CompiledCatalogue, scorer: Learner | None = None, message: str = "miss_you") -> Factors:
    (decision,) = decide([Request("d", LAPSING)], compiled, compiled.catalogue.policy, scorer or Learner())
    found = next(c.factors for c in decision.candidates if c.action.id == SENT[message])
    assert found is not None
    return found


@given(st.lists(st.floats(-5, 5), min_size=len(NAMES), max_size=len(NAMES)))
def test_it_is_the_formula(numbers: list[float]) -> None:
    f = Factors(**dict(zip(NAMES, numbers, strict=True)))
    gained = f.lever * f.context * (f.effect - f.caution) * (f.value + f.lapse * f.clv)
    response = min(1.0, max(0.0, f.baseline + f.effect))
    paid = f.discount * response + f.cost + f.contact_price + f.shadow_price
    lost = f.risk_aversion * f.unsubscribe * f.reach_value
    assert f.priority == pytest.approx(gained - paid - lost, abs=1e-9)


def test_a_discount_is_no_gain_where_an_effect_takes_away_more_than_there_is() -> None:
    harmful = Factors(effect=-0.05, baseline=0.02, value=20.0, discount=15.0, lever=0.1)
    assert (harmful.response, harmful.terms["discount"]) == (0.0, 0.0)
    assert harmful.priority == pytest.approx(-0.1)
    assert Factors(effect=0.6, baseline=0.7, value=20.0, discount=1.0).terms["discount"] == -1.0


SHARE = st.floats(0, 1)
AMOUNT = st.floats(0, 100)


@given(
    st.floats(-1, 1),
    SHARE,
    st.fixed_dictionaries({name: AMOUNT for name in NAMES if name not in ("effect", "baseline")}),
)
def test_no_discount_is_a_gain_and_no_harm_is_worth_more_than_silence(
    effect: float, baseline: float, amounts: dict[str, float]
) -> None:
    whole = Factors(effect=effect, baseline=baseline, **amounts)
    for made in (whole, *(whole.without({name}) for name in NAMES)):
        assert 0 <= made.response <= 1
        assert made.terms["discount"] <= 0
        assert made.effect > 0 or made.priority <= 0


def test_each_factor_can_be_switched_off() -> None:
    whole = Factors(0.1, 10.0, 0.2, 0.01, 0.5, 4.0, 2.0, 1.5, 1.0, 0.1, 2.0, 0.01, 5.0, 0.03, 0.04)
    for name in NAMES:
        assert whole.without({name}).priority != whole.priority
    assert whole.without({"effect"}).response == whole.response
    assert set(whole.without(NAMES).terms.values()) == {1.0, 0.0, -0.0}


class TestEffects:
    def test_where_nothing_is_learnt_the_catalogue_counts(self) -> None:
        stated = factors(catalogue())
        assert [stated.effect, stated.baseline, stated.caution] == pytest.approx([0.04, 0.06, 0.0])

    def test_what_is_learnt_takes_its_place(self) -> None:
        learnt = factors(catalogue(), Learner({"miss_you": (0.07, 0.11, 0.02)}))
        assert (learnt.effect, learnt.baseline, learnt.caution) == (0.07, 0.11, 0.0)

    def test_a_learnt_effect_below_the_learnt_baseline_makes_no_discount_a_gain(self) -> None:
        learnt = factors(catalogue(), Learner({"come_back_coupon": (-0.05, 0.02, 0.01)}), message="coupon")
        assert (learnt.effect, learnt.baseline, learnt.response) == (-0.05, 0.02, 0.0)
        assert learnt.terms["discount"] == 0

    @pytest.mark.parametrize("name", ["discount", "context"])
    def test_a_multiplier_or_discount_that_comes_out_below_0_excludes_the_action(self, name: str) -> None:
        text = BY_EFFECT.replace("value: 10\n", f"value: 10\n        {name}: features.days_since_purchase - 100.0\n")
        (decision,) = decide([Request("d", LAPSING)], catalogue(text=text), Greedy(kind="greedy"), Learner())
        found = next(c for c in decision.candidates if c.action.id == SENT["miss_you"])
        assert [(e.gate, e.observed) for e in found.exclusions] == [("worth", f"{name}: -70, below 0")]
        _, findings = inspect_catalogue(text.replace("features.days_since_purchase - 100.0", "-1"), VOCABULARY, "shop")
        assert any("greater than or equal to 0" in finding.message for finding in findings)

    def test_a_baseline_may_be_learnt_where_the_effect_is_not(self) -> None:
        learnt = factors(catalogue(), Learner({"miss_you": (np.nan, 0.3, np.nan)}))
        assert (learnt.effect, learnt.baseline) == (0.04, 0.3)

    def test_the_response_to_an_offer_is_a_base_and_an_effect(self) -> None:
        stated = factors(catalogue(), message="coupon")
        assert [stated.effect, stated.response] == pytest.approx([0.05, 0.2])
        learnt = factors(catalogue(), Learner({"come_back_coupon": (0.08, np.nan, 0.02)}), message="coupon")
        assert [learnt.effect, learnt.response] == pytest.approx([0.08, 0.2])

    def test_caution_is_taken_off_what_is_learnt_and_not_off_what_is_stated(self) -> None:
        cautious = catalogue("{caution: 1.5}")
        assert factors(cautious, Learner({"miss_you": (0.07, 0.11, 0.02)})).caution == pytest.approx(0.03)
        assert factors(cautious).caution == 0.0

    def test_propensity_asks_for_no_effect(self) -> None:
        by_response = catalogue(text=CATALOGUE)
        found = factors(by_response, Learner({"miss_you": (0.07, 0.11, 0.02)}))
        assert (found.effect, found.baseline) == (0.1, 0.0)


class TestTermsOfTheMarketer:
    def test_keeping_a_customer_is_worth_lapse_times_lifetime_value(self) -> None:
        found = factors(catalogue(), Learner(scores={"clv": 80.0}))
        assert found.terms["retention"] == pytest.approx(0.04 * 0.75 * 80.0)
        assert factors(catalogue("{retention: null}"), Learner(scores={"clv": 80.0})).terms["retention"] == 0
        assert factors(catalogue(), Learner(scores={"clv": np.nan})).terms["retention"] == 0
        other = catalogue("{retention: {lapse: unsubscribe, clv: clv}}")
        assert factors(other, Learner(scores={"clv": 80.0, "unsubscribe": 0.5})).lapse == 0.5

    def test_the_risk_to_unsubscribe_is_the_score_or_the_catalogues_fatigue(self) -> None:
        tiring = BY_EFFECT.replace(
            "attributes:", "fatigue: {risk: 0.001, growth: 0.5, reach_value: 40}\nattributes:", 1
        )
        for scores, risk in (({}, 0.001), ({"unsubscribe": 0.02}, 0.02), ({"unsubscribe": np.nan}, 0.001)):
            found = factors(catalogue("{risk_aversion: 3}", tiring), Learner(scores=scores))
            assert found.terms["unsubscribing"] == pytest.approx(-3 * risk * 40)

    @given(SHARE, st.floats(0, 1e308), st.integers(0, 10_000))
    def test_fatigue_is_a_probability_however_many_contacts(self, risk: float, growth: float, contacts: int) -> None:
        assert risk <= unsubscribe_risk(Fatigue(risk=risk, growth=growth), contacts) <= 1

    def test_fatigue_that_no_number_holds_is_certain_or_none(self) -> None:
        assert unsubscribe_risk(Fatigue(risk=0.0, growth=10), 80) == 0
        assert unsubscribe_risk(Fatigue(risk=1e-9, growth=10), 80) == 1

    def test_fatigue_grows_with_the_contacts_of_the_window(self) -> None:
        tiring = catalogue(text=BY_EFFECT.replace("attributes:", "fatigue: {risk: 0.001}\nattributes:", 1))
        snapshot = having(contacts=(contact(1, "mail"), contact(8, "mail")), moment=at())
        (decision,) = decide([Request("d", snapshot)], tiring, tiring.catalogue.policy, Learner())
        found = next(c.factors for c in decision.survivors)
        assert found is not None
        assert found.unsubscribe == unsubscribe_risk(Fatigue(risk=0.001), 1)

    def test_a_contact_has_a_price_one_for_all_or_by_channel(self) -> None:
        assert factors(catalogue("{contact_price: 0.07}")).contact_price == 0.07
        assert factors(catalogue("{contact_price: {mail: 0.07}}")).contact_price == 0.0

    def test_what_names_nothing_is_told(self) -> None:
        text = BY_EFFECT.replace(
            "attributes:", "arbitration: {retention: {clv: worth}, contact_price: {pigeon: 1}}\nattributes:", 1
        )
        _, findings = inspect_catalogue(text, VOCABULARY, "shop.yaml")
        assert {(f.severity, f.message) for f in findings} == {
            ("warning", "no model gives the score 'worth'"),
            ("error", "unknown channel 'pigeon'"),
        }


def test_an_explanation_names_every_term_that_counts() -> None:
    tiring = BY_EFFECT.replace("attributes:", "fatigue: {risk: 0.01, reach_value: 10}\nattributes:", 1)
    priced = catalogue("{contact_price: 0.07, caution: 1}", tiring)
    scorer = Learner({"come_back_coupon": (0.3, 0.1, 0.02)}, {"clv": 80.0})
    (decision,) = decide([Request("d", LAPSING)], priced, priced.catalogue.policy, scorer)
    assert (
        "worth 21.42 USD more than silence (effect 30.0%, less 2.0% for its uncertainty, response 40.0%, margin 20.00, "
        "retention 16.80, discount 0.80, cost 0.01, unsubscribing 0.10, contact price 0.07)"
    ) in paragraph(decision, "USD")
