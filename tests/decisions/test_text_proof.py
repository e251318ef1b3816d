"""A text that could greet `Dear ,` does not load, whatever way the name takes; one that says all it should does."""

import pytest

from tactful.decisions.base.texts.proof import Readable, prove
from tactful.decisions.loading import inspect_catalogue
from tests.decisions.retailer import CATALOGUE, VOCABULARY

READABLE = Readable.of(
    {
        "customer.first_name": "string",
        "customer.nick": "string",
        "customer.sure": "string",
        "customer.unset": "string",
        "customer.vip": "boolean",
        "customer.ends": "date",
        "features.days": "number",
        "event.amount": "number",
        "scores.lapse": "number",
    },
    {"sure": "yes", "unset": " "},
    {"days": 30},
)

HOLES = [
    "Dear {{ customer.first_name }},",
    "Dear {{ customer['first_name'] }},",
    "{% assign n = customer.first_name %}Dear {{ n }},",
    "{% assign n = customer.first_name | strip %}{% assign m = n %}Dear {{ m }},",
    "{% assign n = '' %}{% if customer.first_name %}{% assign n = customer.first_name %}{% endif %}Dear {{ n }},",
    "{% capture n %}{{ customer.first_name }}{% endcapture %}Dear {{ n }},",
    "{% liquid\n assign n = customer.first_name\n echo n %}, welcome",
    "Dear {% echo customer.first_name %},",
    "Dear {{ customer.first_name | upcase | strip | escape }},",
    "Dear {{ customer.first_name | append: '!' }}",
    "{{ customer.first_name | prepend: 'Dear ' }},",
    "{{ 'Dear X,' | replace: 'X', customer.first_name }}",
    "Dear {{ customer.first_name | split: ' ' | first }},",
    "Dear {{ customer.first_name | truncate: 2 }},",
    "Dear {{ customer.first_name | size }},",
    "Dear {{ customer.first_name | default: customer.nick }},",
    "{% assign n = customer.first_name | default: customer.nick %}Dear {{ n }},",
    "Dear {{ customer.first_name | default: '' }},",
    "Dear {{ customer.first_name | default: '  ' }},",
    "Dear {{ customer.first_name | default: customer.unset }},",
    "Dear {{ customer.unset }},",
    "Dear {% if customer.first_name %}{{ customer.first_name }}{% endif %},",
    "Dear {% if customer.first_name %}Mr. {{ customer.first_name }}{% endif %},",
    "Dear{% if customer.first_name %} {{ customer.first_name }}{% endif %},",
    "Dear <b>{% if customer.first_name %}{{ customer.first_name }}{% endif %}</b>,",
    "Dear {%- if customer.first_name %} {{ customer.first_name }}{% endif -%} ,",
    "Welcome. {% if customer.nick %}<b>{{ customer.nick }}</b>{% endif %}, come back.",
    "Welcome\n{% if customer.nick %}Dear {{ customer.nick }}{% endif %}\n, come back.",
    "{% if customer.first_name and customer.nick %}Dear {{ customer.first_name }}{% endif %}, welcome",
    "{% if customer.nick %}{{ customer.nick }}{% elsif customer.first_name %}{{ customer.first_name }}{% endif %}, x",
    "{% if customer.first_name %}Dear {{ customer.first_name }},{% else %}Dear ,{% endif %}",
    "Dear {% unless customer.first_name == nil %}{{ customer.first_name }}{% endunless %},",
    "Dear {% case customer.first_name %}{% when 'Bob' %}Robert{% else %}{{ customer.first_name }}{% endcase %},",
    "Dear {% cycle customer.first_name, 'x' %},",
    "{% for i in (1..2) %}{{ event.amount }}{% endfor %} paid",
    "You have {% for i in (1..features.days) %}*{% endfor %} stars",
    "{% ifchanged %}{{ customer.first_name }}{% endifchanged %}, welcome",
    "{% if features.days > 300 %}Dear {{ customer.first_name }},{% else %}Welcome.{% endif %}",
    "{% if customer.nick == 'Bob' %}Dear {{ customer.first_name }},{% else %}Welcome.{% endif %}",
    "{% for i in (1..3) %}{% if i == 9 %}{{ customer.first_name }}{% endif %}{% endfor %}Welcome.",
    "{% assign n = customer.first_name %}{% assign m=customer.nick | downcase %}{% if m == 'Bob' %}{{ n }}{% endif %}",
    "{% assign n = customer.first_name %}{% assign y = 'now' | date: '%m' %}{% if y == '13' %}Dear {{ n }},{% endif %}",
    "{% capture n %}{{ customer.first_name }}{% endcapture %}{% if event.amount > features.days %}{{ n }}{% endif %}.",
    "{% if event.amount > features.days %}{{ 'Dear ' | append: customer.first_name }},{% endif %}",
    "{% if event.amount > features.days %}{{ customer.first_name | default: customer.nick }},{% endif %}",
    "{% if event.amount > features.days %}{% cycle customer.first_name, 'x' %}{% endif %}.",
    "{% if event.amount > features.days %}{% for c in customer.first_name %}{{ c }}{% endfor %}{% endif %}.",
    "Dear {{ customer.first_name | default: '\u200b' }},",
    "Dear {{ customer.first_name | default: '\u2800\u3164' | append: '!' }}",
    "Dear {{ customer.first_name | default: '&nbsp;' }},",
    "Until {{ customer.ends | date: '%-d %B' }}.",
    "VIP: {{ customer.vip }}",
    "{{ features.days }} days",
    "{{ features.days | round }} days",
    "{{ features.days | default: 'many' | round }} days",
    "{{ features.days | round | default: 'many' }} days",
    "{{ features.days | at_least: 1 }} days",
    "{{ 100 | divided_by: features.days }} a day",
    "{{ features.days | default: event.amount | round }} days",
]
WHOLE = [
    "Welcome.",
    "Dear {{ customer.first_name | default: 'friend' }},",
    "Dear {{ customer.first_name | upcase | default: 'friend' }},",
    "Dear {{ customer.first_name | default: customer.nick | default: 'friend' | append: '!' }},",
    "Dear {{ customer.first_name | default: customer.sure }},",
    "{{ offer.days }} days, {{ customer.sure }}",
    "{% if customer.first_name %}Dear {{ customer.first_name }},{% else %}Welcome,{% endif %}",
    "{% if customer.first_name != blank %}Hi {{ customer.first_name }}!{% else %}Hi!{% endif %}",
    "Hi {% if customer.first_name == blank %}you{% else %}{{ customer.first_name }}{% endif %}",
    "{% unless customer.first_name %}Hello{% else %}Dear {{ customer.first_name }}{% endunless %},",
    "{% assign n = customer.first_name | default: 'friend' %}Dear {{ n }},",
    "{% capture n %}{{ customer.first_name }}{% endcapture %}Dear {{ n | default: 'friend' }},",
    "{% if features.days %}It has been {{ features.days | round }} days. {% endif %}Come back.",
    "Come back. {% if features.days %}It has been {{ features.days | round }} days{% endif %}",
    "<p>{% if customer.first_name %}Dear {{ customer.first_name }}{% endif %}</p><p>Come back.</p>",
    "Welcome. {% if customer.nick %}<b>We know {{ customer.nick }}.</b>{% endif %} Come back.",
    "Welcome\n\n{% if customer.nick %}Dear {{ customer.nick }}{% endif %}\n\nCome back.",
    "It has been {{ features.days | default: 30 | round }} days.",
    "{% assign d = features.days | default: 3 %}{{ d | round }} days",
    "{% if features.days %}{{ features.days | round }}{% else %}many{% endif %} days",
    "You are {% if features.days >= 3 %}Gold{% else %}Silver{% endif %} now",
    "{% if customer.vip %}VIP {% endif %}customer",
    "Until {{ customer.ends | date: '%-d %B' | default: 'soon' }}.",
    "In {{ 'now' | date: '%Y' }}",
    "{% if features.days > 30 %}{% if customer.nick %}Dear {{ customer.nick }}.{% endif %}{% endif %} Welcome.",
    "{% assign n=customer.first_name | default: 'friend' %}{% if event.amount > features.days %}{{ n }},{% endif %} hi",
    "{% assign code = 'A1' %}{% if event.amount > features.days %}{{ code }}.{% endif %}",
    "{{ customer.first_name | split: ' ' | first | default: 'Friend' }}, hi.",
]


@pytest.mark.parametrize("source", HOLES)
@pytest.mark.parametrize("html", [True, False])
def test_a_missing_name_that_nothing_replaces_is_found(source: str, *, html: bool) -> None:
    faults = prove(source, html, READABLE).faults
    assert faults
    assert all("has no fallback" in message or "does not render where" in message for message, _ in faults)


@pytest.mark.parametrize("source", WHOLE)
@pytest.mark.parametrize("html", [True, False])
def test_a_text_that_replaces_everything_is_left_alone(source: str, *, html: bool) -> None:
    assert prove(source, html, READABLE).faults == ()


@pytest.mark.parametrize(
    "part",
    [
        "{{ customer.first_name[0] }}",
        "{{ customer.first_name.first }}",
        "{{ customer.first_name | slice: 9, 2 }}",
        "{% assign p = customer.first_name | split: ' ' %}{{ p[1] }}",
        "{% assign p = 'a' | split: ' ' %}{{ p[features.days] }}",
    ],
)
def test_a_placeholder_that_prints_nothing_for_anybody_is_found(part: str) -> None:
    ((message, _),) = prove(f"Dear {part},", False, READABLE).faults
    assert "prints nothing, also where the name is there" in message


def test_many_names_are_tried_one_by_one_and_in_pairs() -> None:
    names = [f"n{i:02}" for i in range(20)]
    readable = Readable.of({f"customer.{name}": "string" for name in names}, {}, {})
    text = ", ".join(f"{{{{ customer.{name} | default: 'x' }}}}" for name in names)
    assert prove(text, False, readable).faults == ()
    faults = prove(f"{text}, {{{{ customer.n03 | default: customer.n17 }}}}", False, readable).faults
    assert {message for message, _ in faults} == {
        "placeholder 'customer.n03' has no fallback",
        "placeholder 'customer.n17' has no fallback",
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{% assign n = customer.first_name %}Dear {{ n }},", "placeholder 'customer.first_name' has no fallback"),
        ("{% include 'footer' %}", "tag 'include' reads another text, and a message has no other"),
        ("{% render 'footer' %}", "tag 'render' reads another text, and a message has no other"),
        ("{{ features.spend | round }} USD", "does not render where 'features.spend' is missing"),
        ("{{ customer.first_name | safe }}", "unknown filter in a text: got 'safe'"),
        ("{% for i in (1..2000) %}x{% endfor %}", "the text does not render: loop iteration limit reached"),
        ("{% for i in (1..900) %}" * 2 + "{% endfor %}" * 2, "the text does not render"),
        ("x" * 50_001, "a text that is too long"),
    ],
)
@pytest.mark.parametrize(
    "part", ["subject: We miss you", "body: \"Dear {{ customer.first_name | default: 'friend' }}, come back.\""]
)
def test_a_fault_is_an_error_in_its_line(part: str, body: str, said: str) -> None:
    text = CATALOGUE.replace(part, f'{part.split(":")[0]}: "{body}"')
    _, findings = inspect_catalogue(text, VOCABULARY, "shop.yaml")
    line = next(n for n, found in enumerate(text.splitlines(), 1) if body in found)
    assert [(f.line, f.severity) for f in findings] == [(line, "error")] * len(findings)
    assert len([f for f in findings if said in f.message]) == 1, findings


@pytest.mark.parametrize(
    ("limit", "body", "said"),
    [
        (30, "Dear {{ ${first_name} | default: 'friend' }}, come.", None),
        (18, "Dear {{ ${first_name} | default: 'friend' }}, come.", "leaves 2 of 18 characters on mail"),
        (10, "Dear {{ ${first_name} | default: 'friend' }}, come.", "can never go by mail: its body has 16 characters"),
        (19, "Exactly this long..", None),
        (18, "Exactly this long..", "can never go by mail: its body has 19 characters"),
    ],
)
def test_little_room_on_a_channel_is_a_warning(limit: int, body: str, said: str | None) -> None:
    old = "content: {subject: We miss you, body: \"Dear {{ customer.first_name | default: 'friend' }}, come back.\"}"
    assert old in CATALOGUE
    text = CATALOGUE.replace(old, f'content: {{subject: We miss you, body: "{body}"}}')
    text = text.replace("mail: {cost: 0.5}", f"mail: {{cost: 0.5, max_length: {limit}}}").replace("offer.days", "'x'")
    catalogue, findings = inspect_catalogue(text, VOCABULARY, "shop.yaml")
    assert catalogue is not None
    found = [f.message for f in findings if "on mail" in f.message or "by mail" in f.message]
    assert [said in message for message in found if "miss_you" in message] == ([True] if said else []), found


@pytest.mark.parametrize("filler", ["\n", " ", ".", "<", "<a ", "b=1 "])
def test_a_text_made_to_be_slow_is_read_in_one_pass(filler: str) -> None:
    source = filler * (40_000 // len(filler)) + "{% if customer.nick %}{{ customer.nick }}{% endif %} y"
    assert prove(source, True, READABLE).faults
