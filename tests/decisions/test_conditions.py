"""Conditions: checked when they are compiled, harmless when they fail."""

from datetime import date

import pytest

from tactful.decisions.base.conditions import Conditions, Failure
from tactful.decisions.base.errors import ConditionError

DECLARED = {
    "features.spend": "number",
    "customer.tier": "string",
    "customer.age": "integer",
    "customer.since": "date",
    "customer.vip": "boolean",
}


@pytest.fixture
def conditions() -> Conditions:
    return Conditions(DECLARED, {"rich": "features.spend > 100.0", "dear": "segment.rich && customer.vip"})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("features.spend > 50.0", True),
        ("customer.tier in ['gold', 'silver']", True),
        ("customer.age % 2 == 0", True),
        ("customer.since < timestamp('2026-01-01T00:00:00Z')", True),
        ("segment.dear", False),
        ("!segment.dear", True),
    ],
)
def test_what_a_condition_can_say(conditions: Conditions, source: str, value: bool) -> None:
    facts = conditions.facts(
        {
            "features.spend": 80.0,
            "customer.tier": "gold",
            "customer.age": 44,
            "customer.since": date(2020, 1, 1),
            "customer.vip": True,
        }
    )
    assert conditions.compile(source).evaluate(facts) is value


@pytest.mark.parametrize("source", ["features.spend > 1.0", "customer.age / 0 == 1", "customer.tier == 'gold'"])
def test_a_condition_without_its_facts_fails_as_a_value(conditions: Conditions, source: str) -> None:
    facts = conditions.facts({"customer.age": 1, "features.spend": None})
    assert isinstance(conditions.compile(source).evaluate(facts), Failure)


@pytest.mark.parametrize("source", ["features.spend > 1.0", "features.spend <= 1.0", "!(features.spend > 1.0)"])
def test_an_unknown_number_satisfies_nothing_not_even_a_negation(conditions: Conditions, source: str) -> None:
    facts = conditions.facts({"features.spend": float("nan")})
    assert conditions.compile(source).evaluate(facts) == Failure("features.spend is unknown")


def test_what_is_true_whatever_an_unknown_number_is_holds(conditions: Conditions) -> None:
    facts = conditions.facts({"features.spend": float("nan"), "customer.vip": True})
    assert conditions.compile("customer.vip || features.spend > 1.0").evaluate(facts) is True


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("features.spent > 1.0", "undeclared reference to 'features.spent'"),
        ("features.spend > 'a'", "no matching overload"),
        ("features.spend > 1", "with a decimal point"),
        ("features.spend >", "Syntax error"),
        ("features.spend", "got 'double'; wanted boolean"),
        ("segment.poor", "unknown segment"),
    ],
)
def test_a_mistake_is_found_when_it_is_compiled(conditions: Conditions, source: str, said: str) -> None:
    with pytest.raises(ConditionError, match=said):
        conditions.compile(source)


def test_it_knows_the_names_it_reads_even_through_segments(conditions: Conditions) -> None:
    assert conditions.compile("segment.dear").names == ("customer.vip", "features.spend")
    assert conditions.names == {"features.spend", "customer.vip"}


def test_a_rule_that_would_run_for_ever_is_stopped(conditions: Conditions) -> None:
    source = "true"
    for name in "abcdefg":
        source = f"[1,2,3,4,5,6,7,8,9,10].all({name}, {source})"
    assert isinstance(conditions.compile(source).evaluate(conditions.facts({})), Failure)
