"""Texts: limits, fallbacks, escaping."""

import pytest

from decisions.errors import ConditionError
from decisions.texts import Text


def test_values_are_escaped_where_the_channel_is_html() -> None:
    source = "Hello {{ customer.name | default: 'you' }}"
    assert Text(source, html=True).render(customer={"name": "<b>&"}) == "Hello &lt;b&gt;&amp;"
    assert Text(source).render(customer={"name": "<b>&"}) == "Hello <b>&"
    assert Text(source).render(customer={}) == "Hello you"


def test_a_missing_value_has_its_fallback_and_a_nan_counts_as_missing_when_passed_as_none() -> None:
    text = Text("{{ features.spend | default: 'nothing' }}")
    assert text.render(features={"spend": None}) == "nothing"
    assert text.render(features={"spend": 3.5}) == "3.5"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{ customer.a }}", ["customer.a"]),
        ("{{ customer.a | default: 'x' }}", []),
        ("{{ customer.a | upcase | default: 'x' }}", []),
        ("{% if customer.a %}{{ customer.b }}{% endif %}", ["customer.b"]),
        ("{% for x in (1..2) %}{{ event.c }}{% endfor %}", ["event.c"]),
        ("{{ customer.sure }}", []),
        ("{{ 'literal' }}", []),
    ],
)
def test_a_placeholder_that_is_printed_needs_a_fallback(source: str, names: list[str]) -> None:
    assert Text(source).without_fallback(frozenset({"customer.sure"})) == names


def test_names_nobody_declared_are_unknown() -> None:
    text = Text("{{ customer.a | default: '' }}{{ customer.b | default: '' }}{{ shop.c | default: '' }}")
    assert text.unknown_names({"customer": frozenset({"a"})}) == ["customer.b", "shop.c"]


@pytest.mark.parametrize("source", ["{{ customer.a ", "{% if %}", "{{ a | no_such_filter }}"])
def test_what_is_not_liquid_is_refused_when_it_is_compiled(source: str) -> None:
    with pytest.raises(ConditionError, match="not Liquid"):
        Text(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..1000000) %}x{% endfor %}",
        "{% for i in (1..900) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% endfor %}",
    ],
)
def test_a_text_that_would_run_or_grow_without_end_is_stopped(source: str) -> None:
    with pytest.raises(ConditionError, match="does not render"):
        Text(source).render()
