"""Rendering is a gate: a text that fails or does not fit excludes its action before the draw, and nothing else."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tactful.decisions.analysis.explain import paragraph
from tactful.decisions.analysis.replay import replay
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.selection import EpsilonGreedy
from tactful.decisions.kernel.decide import Request, RunContext, decide, distribution
from tactful.decisions.kernel.recheck import recheck
from tests.decisions.retailer import CATALOGUE, LAPSING, KnownScorer, compiled, decided, having, reasons

BODY = "\"Dear {{ customer.first_name | default: 'friend' }}, come back.\""
SHORT = compiled(CATALOGUE.replace("mail: {cost: 0.5}", "mail: {cost: 0.01, max_length: 40}"))
LONG = having(attributes={"first_name": "A" * 60, "birthday": date(1990, 1, 1)})
EXPLORING = EpsilonGreedy(kind="epsilon", epsilon=0.5)


def of(body: str) -> CompiledCatalogue:
    return compiled(CATALOGUE.replace(BODY, f'"{body}"'))


def test_a_text_too_long_for_its_channel_excludes_that_action_alone() -> None:
    decision = decided(LONG, SHORT)
    (excluded,) = [c for c in decision.candidates if c.action.id == "win_back/miss_you/mail"]
    (exclusion,) = excluded.exclusions
    assert (exclusion.gate, exclusion.rule, exclusion.until) == ("text", "miss_you", None)
    assert (exclusion.observed, exclusion.limit) == ("77 characters", "at most 40 characters")
    assert "A" * 10 not in exclusion.sentence
    assert reasons(decision, "win_back/miss_you/email") == set()
    assert "text miss_you (77 characters; wanted at most 40 characters)" in paragraph(decision, "USD")


def test_the_next_survivor_takes_its_place_and_probabilities_stay_exact() -> None:
    text = CATALOGUE.replace("email: {cost: 0.01,", "email: {cost: 0.01, max_length: 40,").replace(
        "cost: 0.5", "cost: 0.6"
    )
    before = decided(LAPSING, compiled(text), EXPLORING)
    after = decided(LONG, compiled(text), EXPLORING)
    assert {c.action.id for c in before.survivors} - {c.action.id for c in after.survivors} == {
        "win_back/miss_you/email"
    }
    assert sum(c.probability for c in after.candidates) + after.silence_probability == pytest.approx(1.0)
    assert all(c.probability == 0 for c in after.candidates if not c.survives)
    expected = distribution(list(after.survivors), EXPLORING, "tactful:d1")
    assert [c.probability for c in after.survivors] + [after.silence_probability] == expected.tolist()


@pytest.mark.parametrize(
    ("body", "bad", "observed"),
    [
        ("{{ 100 | divided_by: features.spend }} left.", 0.0, "can't divide by 0"),
        ("{{ features.spend | times: 1000000000 }} left.", 1e7, "a number out of bounds"),
        ("{% for i in (1..features.spend) %}ab{% endfor %}.", 5000.0, "loop iteration limit reached"),
    ],
)
def test_arithmetic_that_fails_for_one_customer_closes_the_action(body: str, bad: float, observed: str) -> None:
    catalogue = of(f"{{% if features.spend %}}{body}{{% else %}}Come.{{% endif %}}")
    assert reasons(decided(having(features=(30.0, 200.0)), catalogue), "win_back/miss_you/email") == set()
    decision = decided(having(features=(30.0, bad)), catalogue)
    found = next(c for c in decision.candidates if c.action.id == "win_back/miss_you/email")
    assert [e.gate for e in found.exclusions] == ["text"]
    assert observed in found.exclusions[0].observed
    assert found.exclusions[0].limit == "a text that renders"


@pytest.mark.parametrize("value", [1e300, -1e300, 10**400, "x" * 60_000])
def test_a_value_beyond_all_bounds_excludes_the_action(value: Any) -> None:
    text = CATALOGUE.replace("first_name: {type: string}", "first_name: {type: string}\n  n: {type: number}")
    text = text.replace(BODY, '"You have {{ ${n} | default: 0 | floor }} points."')
    if isinstance(value, str):
        text = text.replace("| floor ", "")
    decision = decided(having(attributes={**LAPSING.attributes, "n": value}), compiled(text))
    assert reasons(decision, "win_back/miss_you/email") == {"text"}
    assert reasons(decision, "win_back/come_back_coupon/email") == set()


def test_it_is_asked_only_where_all_other_gates_let_pass() -> None:
    decision = decided(having(LONG, consents={}), SHORT)
    assert reasons(decision, "win_back/miss_you/mail") == {"consent"}


def test_a_recheck_asks_it_too() -> None:
    decision = decided(LAPSING, SHORT)
    candidate = next(c for c in decision.candidates if c.action.id == "win_back/miss_you/mail")
    again = recheck(replace(decision, choice=candidate), LONG, SHORT, KnownScorer())
    assert [exclusion.gate for exclusion in again] == ["text"]


def test_a_decision_of_kernel_4_is_made_again_without_the_gate() -> None:
    request = Request("d1", LONG)
    earlier = decide([request], SHORT, EXPLORING, KnownScorer(), RunContext(kernel="4"))[0]
    assert reasons(earlier, "win_back/miss_you/mail") == set()
    assert json.loads(earlier.as_bytes())["versions"]["kernel"] == "4"
    assert replay(earlier.as_bytes(), LONG, SHORT, KnownScorer()).identical
    now = decide([request], SHORT, EXPLORING, KnownScorer())[0]
    assert replay(now.as_bytes(), LONG, SHORT, KnownScorer()).identical
    assert now.as_bytes() != earlier.as_bytes()


def test_a_text_that_reads_the_clock_fits_or_not_by_the_moment_of_the_decision() -> None:
    catalogue = of("{% assign day = 'now' | date: '%-d' %}{% if day == '6' %}{{ 1 | divided_by: 0 }}{% endif %}Hi.")
    assert reasons(decided(LAPSING, catalogue), "win_back/miss_you/email") == {"text"}
    later = having(moment=LAPSING.moment + timedelta(days=1))
    assert reasons(decided(later, catalogue), "win_back/miss_you/email") == set()
