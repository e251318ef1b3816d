"""`never` is always right; and within the language it speaks, nothing impossible is missed."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.base.conditions import Conditions
from tactful.decisions.lint.logic import Domain, Logic, tokenised

DOMAINS = {
    "features.a": Domain("number", unknown=(None,)),
    "features.b": Domain("number", unknown=(None,)),
    "local.hour": Domain("integer", low=0, high=23),
    "customer.tier": Domain("string", unknown=(None,)),
    "customer.welcome": Domain("boolean", unknown=(None,)),
}
VALUES: dict[str, list[Any]] = {
    "features.a": [None, *(n / 4 for n in range(-6, 20))],
    "features.b": [None, *(n / 4 for n in range(-6, 20))],
    "local.hour": list(range(24)),
    "customer.tier": [None, "gold", "silver", "", "bronze"],
    "customer.welcome": [None, True, False],
}
LOGIC = Logic(DOMAINS, {})
CONDITIONS = Conditions({name: domain.kind for name, domain in DOMAINS.items()})

orders = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
numbers = st.sampled_from(["0.0", "1.0", "1.5", "3.0"])
names = st.sampled_from(["features.a", "features.b"])
comparisons = st.one_of(
    st.builds("{} {} {}".format, names, orders, numbers),
    st.builds("{1} {0} {2}".format, orders, numbers, names),
    st.builds("local.hour {} {}".format, orders, st.integers(-1, 24)),
    st.builds("customer.tier {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(["gold", "silver"])),
    st.sampled_from(["customer.tier in ['gold', 'silver']", "customer.welcome", "customer.welcome == false"]),
)
beyond = st.sampled_from(["features.a + 1.0 > 2.0", "features.a < features.b", "size(customer.tier) > 4"])


def logical(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("({}) && ({})".format, inner, inner),
            st.builds("({}) || ({})".format, inner, inner),
            st.builds("!({})".format, inner),
        ),
        max_leaves=5,
    )


def holds(source: str, values: dict[str, Any]) -> bool:
    return CONDITIONS.compile(source).evaluate(CONDITIONS.facts(values)) is True


def cases(*sources: str) -> list[dict[str, Any]]:
    read = sorted({name for source in sources for name in CONDITIONS.compile(source).names})
    return [dict(zip(read, values, strict=True)) for values in product(*(VALUES[name] for name in read))]


@given(logical(comparisons))
def test_a_condition_can_hold_where_some_value_makes_it_true_and_only_there(source: str) -> None:
    assert LOGIC.can_hold(source) == any(holds(source, values) for values in cases(source))


@given(logical(comparisons), comparisons)
def test_a_condition_implies_another_where_no_value_parts_them_and_only_there(premise: str, conclusion: str) -> None:
    parted = any(holds(premise, values) and not holds(conclusion, values) for values in cases(premise, conclusion))
    assert LOGIC.implies(premise, conclusion) == (not parted)


@given(logical(st.one_of(comparisons, beyond)), logical(st.one_of(comparisons, beyond)))
def test_never_is_right_whatever_stands_in_the_expression(premise: str, conclusion: str) -> None:
    together = cases(premise, conclusion)[:: max(1, len(cases(premise, conclusion)) // 500)]
    if any(holds(premise, values) for values in together):
        assert LOGIC.can_hold(premise)
    if any(holds(premise, values) and not holds(conclusion, values) for values in together):
        assert not LOGIC.implies(premise, conclusion)


def test_what_is_known_besides_narrows_a_name() -> None:
    assert LOGIC.can_hold("local.hour >= 20")
    assert not LOGIC.can_hold("local.hour >= 20", {"local.hour": Domain("integer", low=8, high=19)})
    assert not LOGIC.can_hold("customer.welcome", {"customer.welcome": Domain("boolean", only=(None,))})


def test_a_question_too_large_to_answer_stays_open() -> None:
    names = [f"features.f{i}" for i in range(25)]
    logic = Logic({name: Domain("number") for name in names}, {})
    pairs = " && ".join(f"({a} > 1.0 || {b} > 1.0)" for a, b in zip(names[:-1:2], names[1:-1:2], strict=True))
    assert logic.can_hold(f"{pairs} && {names[-1]} > 1.0 && {names[-1]} < 0.0")


@pytest.mark.parametrize(
    ("source", "tokens"),
    [
        ("a.b>=1.5e-3&&!c", ["a.b", ">=", "1.5e-3", "&&", "!", "c"]),
        ("x == 'it\\'s' // why", ["x", "==", "'it\\'s'"]),
        ('x == r"a\\" || y', ["x", "==", 'r"a\\"', "||", "y"]),
        ('x == """a "quoted" b"""', ["x", "==", '"""a "quoted" b"""']),
    ],
)
def test_texts_comments_and_numbers_are_single_tokens(source: str, tokens: list[str]) -> None:
    assert tokenised(source) == tokens
