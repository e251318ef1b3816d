"""What an expression may read and call: names, segments and functions, with strings left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.base.conditions import Conditions
from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.expressions import LONGEST, names_in, segments_in

DECLARED = {"customer.tier": "string", "customer.age": "number", "features.spend": "number"}
SEGMENTS = {"rich": "features.spend > 9.0", "gold": "segment.rich && customer.tier == 'gold'"}


def value(source: str, kind: str = "boolean", **customer: object) -> object:
    conditions = Conditions(DECLARED, SEGMENTS)
    facts = {f"customer.{name}": given for name, given in customer.items()}
    return conditions.compile(source, kind).evaluate(conditions.facts({**facts, "features.spend": 10.0}))


@pytest.mark.parametrize("quote", ["'", '"', "'''", '"""'])
@pytest.mark.parametrize("prefix", ["", "r"])
@pytest.mark.parametrize("text", ["segment.rich", "is segment.rich", "customer.age", "// segment.unknown"])
def test_a_string_that_reads_like_a_name_stays_a_string(quote: str, prefix: str, text: str) -> None:
    source = f"customer.tier == {prefix}{quote}{text}{quote}"
    assert value(source, tier=text) is True
    assert segments_in(source) == set()
    assert Conditions(DECLARED, SEGMENTS).compile(source).names == ("customer.tier",)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_no_string_whatever_is_in_it_names_a_segment(text: str) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" if c in "'\\\n\r" else c for c in f"segment.rich {text} segment.none")
    assert segments_in(f"customer.tier == '{escaped}' && segment.gold") == {"gold"}


def test_a_comment_names_nothing() -> None:
    assert value("segment.gold // not segment.nobody", tier="gold") is True
    assert names_in("customer.age > 3.0 // features.spend") == {"customer.age"}


def test_a_segment_within_a_segment_is_written_out() -> None:
    assert value("segment.gold", tier="gold") is True
    assert value("!segment.gold", tier="silver") is True
    assert segments_in("segment.gold || segment.rich") == {"gold", "rich"}


@pytest.mark.parametrize(
    ("source", "tier"),
    [
        ("customer.tier.lowerAscii() == 'gold'", "GOLD"),
        ("customer.tier.upperAscii() == 'GOLD'", "gold"),
        ("customer.tier.trim() == 'gold'", "  gold "),
        ("customer.tier.replace('-', '').replace(' ', '_') == 'very_gold'", "-very gold"),
        ("customer.tier.split(',').exists(tier, tier == 'gold')", "silver,gold"),
        ("customer.tier.split(',').size() == 2", "silver,gold"),
        ("customer.tier.substring(0, 2) == 'go'", "gold"),
        ("math.greatest(customer.age, features.spend) == 10.0", "gold"),
        ("math.least(customer.age, features.spend) == 3.0", "gold"),
        ("math.ceil(customer.age / 2.0) == 2.0", "gold"),
    ],
)
def test_the_string_and_math_functions_of_cel(source: str, tier: str) -> None:
    assert value(source, tier=tier, age=3.0) is True


def test_a_function_of_a_segment_text_is_a_fact_of_its_name() -> None:
    assert Conditions(DECLARED).compile("customer.tier.trim() == 'a'").names == ("customer.tier",)


@pytest.mark.parametrize(
    "source",
    [
        "[customer.tier].map(t, t + t)[0] == 'x'",
        "[customer.tier, customer.tier].join(',') == 'x'",
        "'%s%s'.format([customer.tier, customer.tier]) == 'x'",
        "customer.tier.replace('', 'ab') == 'x'",
        "customer.tier.replace('a', 'bb') == 'x'",
        "customer.tier.replace('a', customer.tier) == 'x'",
        "customer.tier.replace('\\x61', 'b') == 'x'",
    ],
)
def test_a_function_that_could_lengthen_a_text_is_refused(source: str) -> None:
    with pytest.raises(ConditionError, match=r"may call|lengthen"):
        Conditions(DECLARED).compile(source)


def test_segments_that_double_are_refused_while_they_are_written_out() -> None:
    doubling = {f"s{i}": f"segment.s{i - 1} || segment.s{i - 1}" for i in range(1, 40)} | {"s0": "features.spend > 1.0"}
    with pytest.raises(ConditionError, match=f"at most {LONGEST:,} characters"):
        Conditions(DECLARED, doubling).compile("segment.s39")


def test_an_undeclared_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConditionError, match=r"undeclared reference to 'features.spnd'.*did you mean features.spend\?"):
        Conditions(DECLARED).compile("features.spnd > 1.0")
