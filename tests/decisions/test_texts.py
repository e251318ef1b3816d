"""Texts: what they may read and do, how values are printed, and the clock they read."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.texts.text import Text

NOW = datetime(2026, 6, 10, 22, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
"""Half past midnight of the 11th in Berlin."""


def test_values_are_escaped_where_the_channel_is_html() -> None:
    source = "Hello {{ customer.name | default: 'you' }}"
    assert Text(source, html=True).render(customer={"name": "<b>&"}) == "Hello &lt;b&gt;&amp;"
    assert Text(source).render(customer={"name": "<b>&"}) == "Hello <b>&"
    assert Text(source).render(customer={}) == "Hello you"


@pytest.mark.parametrize("missing", [None, "", " ", "\t\n", float("nan"), float("inf")])
def test_what_has_nothing_to_print_is_missing(missing: object) -> None:
    customer = {"name": missing}
    assert Text("{{ customer.name | default: 'you' }}").render(customer=customer) == "you"
    for condition in ("customer.name", "customer.name != blank", "customer.name != empty", "customer.name != nil"):
        text = Text(f"{{% if {condition} %}}known{{% else %}}unknown{{% endif %}}")
        assert text.render(customer=customer) == "unknown", condition
        assert text.render(customer={"name": "Ada"}) == "known", condition
    assert Text("{{ 'Dear X' | replace: 'X', customer.name }}").render(customer=customer) == "Dear "


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("{{ features.whole }}", "30"),
        ("{{ features.whole | append: ' days' }}", "30 days"),
        ("{% assign n = features.whole %}{{ n }}", "30"),
        ("{% capture n %}{{ features.whole }}{% endcapture %}{{ n }}", "30"),
        ("{% cycle features.whole %}", "30"),
        ("{{ features.whole | times: 2 }}", "60"),
        ("{{ features.whole | divided_by: 4 }}", "7.5"),
        ("{{ features.half | plus: 0.5 }}", "3"),
        ("{{ features.half }}", "2.5"),
        ("{{ features.tiny }}", "0.0000001"),
        ("{{ features.negative }}", "-4"),
        ("{{ features.missing | default: 30.0 }}", "30"),
        ("{{ 30.0 }}", "30"),
        ("{{ offer.days }}", "14"),
    ],
)
@pytest.mark.parametrize("html", [True, False])
def test_a_whole_number_is_printed_without_a_point(source: str, printed: str, *, html: bool) -> None:
    features = {"whole": 30.0, "half": 2.5, "tiny": 1e-7, "negative": -4.0}
    assert Text(source, html=html).render(features=features, offer={"days": 14.0}) == printed


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("{{ 'now' | date: '%Y-%m-%d %H:%M' }}", "2026-06-11 00:30"),
        ("{{ 'today' | date: '%-d %B' }}", "11 June"),
        ("{{ now | date: '%H:%M %Z' }}", "00:30 CEST"),
        ("{{ today }}", "2026-06-11"),
        ("{{ 'now' | date: '%s' }}", "1781130600"),
        ("{{ 'now' | date: '%%s' }}", "%s"),
        ("{{ 'now' | date: '%s' | minus: 86400 | date: '%-d %B' }}", "10 June"),
        ("{{ '2026-06-11T23:30:00Z' | date: '%d %H' }}", "12 01"),
        ("{{ '2026-06-11' | date: '%d' }}", "11"),
        ("{{ customer.born | date: '%-d %B' }}", "14 March"),
        ("{{ customer.word | date: '%d' }}", "soon"),
        ("{{ customer.missing | date: '%d' | default: 'one day' }}", "one day"),
        ("{% assign now = 'x' %}{{ 'now' | date: '%H' }}", "00"),
    ],
)
def test_the_clock_is_the_decisions_own(source: str, printed: str) -> None:
    customer = {"born": date(1990, 3, 14), "word": "soon"}
    assert Text(source).render(NOW, customer=customer) == printed


def test_without_a_moment_no_text_reads_a_clock() -> None:
    for source in ("{{ 'now' | date: '%s' }}", "{{ '2026-06-11' | date: '%s' }}"):
        with pytest.raises(ConditionError, match="no moment is known"):
            Text(source).render()
    assert Text("{{ now }}{{ today }}").render() == ""


def test_names_nobody_declared_are_unknown() -> None:
    text = Text("{{ customer.a | default: '' }}{{ customer.b | default: '' }}{{ shop.c | default: '' }}{{ now }}")
    assert text.unknown_names({"customer": frozenset({"a"})}) == ["customer.b", "shop.c"]


@pytest.mark.parametrize("source", ["{{ customer.a ", "{% if %}", "{% tablerow i in (1..2) %}{% endtablerow %}"])
def test_what_is_not_liquid_is_refused_when_it_is_compiled(source: str) -> None:
    with pytest.raises(ConditionError, match="not Liquid"):
        Text(source)


@pytest.mark.parametrize("tag", ["include", "render"])
@pytest.mark.parametrize(
    "form", ["{{% {} 'footer' %}}", "{{% liquid\n {} 'footer' %}}", "{{% if a %}}{{% {} x %}}{{% endif %}}"]
)
def test_a_text_reads_no_other(tag: str, form: str) -> None:
    with pytest.raises(ConditionError, match=f"tag '{tag}' reads another text"):
        Text(form.format(tag))


@pytest.mark.parametrize("name", ["safe", "escapejs", "base64_decode", "url_decode", "map", "no_such"])
def test_only_listed_filters_are_there(name: str) -> None:
    with pytest.raises(ConditionError, match=f"unknown filter in a text: got '{name}'; wanted abs, append"):
        Text(f"{{{{ 'a' | {name} }}}}")


REPLACED = "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'" * 6 + " }}"
"""322 bytes that would become 7 GB."""


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..1000000) %}x{% endfor %}",
        "{% for i in (1..900) %}" + "{{ '" + "a" * 60 + "' }}" + "{% endfor %}",
        "{% for i in (1..900) %}{% for j in (1..900) %}{% endfor %}{% endfor %}",
        REPLACED,
        REPLACED.replace("'a',", "'',"),
        "{{ (1..1000000000) | join: 'x' }}",
        "{{ (1..1000000000) | reverse }}",
        "{{ (1..1000) | join: '" + "x" * 100 + "' }}",
        "{% assign x = 'aaaa' %}{% for i in (1..900) %}{% assign x = x | append: x %}{% endfor %}{{ x }}",
        "{% assign x = 9 %}{% for i in (1..900) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
        (
            "{% capture x %}a{% endcapture %}"
            "{% for i in (1..900) %}{% capture x %}{{ x }}{{ x }}{% endcapture %}{% endfor %}"
        ),
        "{% assign x = 'a' %}" + "{% for i in (1..999) %}{% assign x = x | upcase %}{% endfor %}" * 700,
        "{% for i in (1..999) %}{% endfor %}" * 1200,
        "{{ 1 | divided_by: 0 }}",
        "{{ customer.huge | times: 2 }}",
        "{{ customer.early | date: '%s' }}{{ customer.early | date: '%s' | times: 9 }}",
    ],
)
def test_a_text_that_runs_or_grows_without_end_or_reckons_out_of_bounds_is_stopped(source: str) -> None:
    customer = {"huge": 10**400, "early": datetime(1, 1, 1, tzinfo=UTC)}
    with pytest.raises(ConditionError, match="does not render"):
        Text(source).render(NOW.astimezone(ZoneInfo("America/New_York")), customer=customer)


def test_a_text_of_too_many_characters_is_refused() -> None:
    with pytest.raises(ConditionError, match="too long: got '50,001 characters'; wanted at most 50,000"):
        Text("x" * 50_001)


@pytest.mark.parametrize("value", [None, "words", True, "", "1e400"])
def test_a_filter_of_numbers_refuses_anything_else(value: object) -> None:
    for filters in ("round", "plus: 1", "at_least: 1", "divided_by: 2"):
        with pytest.raises(ConditionError, match="does not render"):
            Text(f"{{{{ customer.n | {filters} }}}}").render(customer={"n": value})
    with pytest.raises(ConditionError, match="does not render"):
        Text("{{ 5 | plus: customer.n }}").render(customer={"n": value})
    assert Text("{{ customer.n | plus: 1 }}").render(customer={"n": "3.5"}) == "4.5"
