"""A catalogue with mistakes: all of them at once, each with its line."""

from pathlib import Path

import pytest

from tactful.decisions.base.errors import CatalogueError
from tactful.decisions.loading import load_catalogue, parse_catalogue
from tests.decisions.retailer import CATALOGUE, VOCABULARY


def mistakes(text: str) -> list[tuple[int, str]]:
    with pytest.raises(CatalogueError) as caught:
        parse_catalogue(text, VOCABULARY, "shop.yaml")
    return [(finding.line, finding.message) for finding in caught.value.findings]


def line_of(fragment: str, text: str = CATALOGUE) -> int:
    return next(i for i, line in enumerate(text.splitlines(), start=1) if fragment in line)


def test_five_mistakes_of_five_kinds_are_all_reported_with_their_lines() -> None:
    text = (
        CATALOGUE.replace("max: 2", "max: -2")
        .replace("segment.at_risk && features.days_since_purchase > 14.0", "segment.at_riks")
        .replace("channels: email", "channels: fax", 1)
        .replace("{{ ${first_name} | default: 'friend' }}", "{{ ${first_name} }}")
        .replace("on: complained", "on: complaned")
    )
    found = mistakes(text)
    assert [line for line, _ in found] == [
        line_of("max: -2", text),
        line_of("complaned", text),
        line_of("at_riks", text),
        line_of("fax", text),
        line_of("${first_name}", text),
    ]
    words = [message for _, message in found]
    for message, fragment in zip(
        words,
        ["max: Input should be greater", "event type 'complaned'", "unknown segment", "channel 'fax'", "no fallback"],
        strict=True,
    ):
        assert fragment in message


@pytest.mark.parametrize(
    ("fragment", "replacement", "said"),
    [
        ("value: 5", "valu: 5", "Field required"),
        ("scores.lapse >= 0.4", "scores.lapsed >= 0.4", "undeclared reference to 'scores.lapsed'"),
        ("features.spend >= 100.0", "features.spend >= 100", "write numbers with a decimal point"),
        ("features.spend >= 100.0", "features.spend", "wanted boolean"),
        ("value: features.spend * 0.1", "value: features.spend > 0.1", "wanted number"),
        ("kind: threshold", "kind: treshold", "treshold"),
        ("reentry: 28d\n", "\n", "wanted reentry"),
        ("value: 5", "value: 5\n        discount: -1", "discount: Input should be greater than or equal to 0; got -1"),
        ("currency: USD", "currency: USD\narbitration: {contact_price: -1}", "contact_price: Input should be greater"),
        ("attribute: birthday", "attribute: first_name", "attribute of type date"),
        ("offer: {kind: A, days: 30}", "offer: {kind: C, days: 30}", "value of kind 'C'"),
        ("offer: {kind: A, days: 30}", "offer: {kind: A}", "the offer lacks 'days'"),
        ("subject: Thank you, ", "", "has no subject"),
        ("{{ event.amount | default: 0 }}", "{{ event.amont | default: 0 }}", "unknown placeholder 'event.amont'"),
        ("{{ event.amount | default: 0 }}", "{{ event.amount | default: 0 ", "not Liquid"),
        ("\nchannels:\n", "\nchannels:\n  fax: {cost: 0.1}\n", "unknown channel 'fax'"),
        ("scope: {channel: mail}", "scope: {channel: post}", "unknown channel 'post'"),
        ("id: thank_you", "id: miss_you", "stands twice"),
        ("timezone: America/New_York", "timezone: America/Nowhere", "unknown time zone"),
        ("rich: features.spend >= 100.0", "rich: segment.rich", "a segment refers to itself"),
        ("response: {mean: 0.3}", "effect: {mean: 0.3}", "has no response"),
        ("window: 7d", "window: 7 days", "not a duration"),
        (
            "value: 5",
            "value: 5\n        attribution_window: 0d",
            "attribution_window: unfit attribution window: got '0d'",
        ),
        ("value: 5", "value: 5\n        attribution_window: 366d", "got '366d'; wanted above 0 and at most 365d"),
        ("currency: USD", "currency: USD\nattribution_window: 0h", "attribution_window: unfit attribution window"),
        ("reentry: 28d", "reentry: 28d\n    supersedes: nothing", "unknown programme 'nothing'"),
        ("channels: email", "channel: email", "channel: unknown key; did you mean channels?"),
        ("contact_policies:", "contact_policy:", "contact_policy: unknown key; did you mean contact_policies?"),
        ("window: 7d}", "window: 7d, scope: {chanel: email}}", "scope.chanel: unknown key; did you mean channel?"),
        ("window: 7d}", "window: 7d, windows: 7d}", "windows: unknown key; did you mean window?"),
        ("attribute: birthday,", "attribute: birthday, befor: 3,", "befor: unknown key; did you mean before?"),
        ("value: 5", "value: 5\n        colour: red", "unknown key; known: attribution_window, channels, content"),
        ("value: 5", "value: 22 EUR", "write 22, a number without a unit"),
        ("value: 5", "value: €22,50", "write 22.50, a number without a unit"),
        ("value: 5", "value: '22'", "write 22, a number without a unit"),
        ("cost: 0.5", "cost: 0.5 USD", "write 0.5, a number without a unit"),
        ("response: {mean: 0.2}", "response: 0.2", "response: wanted a mapping with the keys mean, weight; got 0.2"),
        ("cost: 0.5", "cost: 5 %", "write 0.05, a share of 1"),
        ("value: 5", "value: '2,5%'", "write 0.025, a share of 1"),
        ("features.spend >= 100.0", "features.spent >= 100.0", "did you mean features.spend?"),
        ("scores.lapse >= 0.4", "scores.laps >= 0.4", "did you mean scores.lapse?"),
        ("{{ event.amount", "{{ event.ammount", "did you mean event.amount?"),
        ("response: {mean: 0.3}", "response: {mean: 0.3}\n        channels_: x", "did you mean channels?"),
        ("type: purchase", "type: purchse", "unknown event type 'purchse'; did you mean purchase?"),
        ("channels: email", "channels: emial", "unknown channel 'emial'; did you mean email?"),
    ],
)
def test_a_mistake_is_named(fragment: str, replacement: str, said: str) -> None:
    assert fragment in CATALOGUE
    found = mistakes(CATALOGUE.replace(fragment, replacement, 1))
    assert any(said in message for _, message in found)
    assert len(found) <= 2


def test_a_discount_without_a_response_is_a_mistake() -> None:
    believed = CATALOGUE.replace("objective: propensity", "objective: effect").replace("response:", "effect:")
    offered = believed.replace("discount: 2\n", "discount: 2\n        effect: {mean: 0.1}\n")
    stated = "        effect: {mean: 0.3}\n"
    assert stated in offered
    assert parse_catalogue(offered, VOCABULARY).catalogue.objective == "effect"
    for discount in ("2", "features.spend * 0.1"):
        text = offered.replace(stated, f"{stated}        discount: {discount}\n")
        line = next(i for i, one in reversed([*enumerate(text.splitlines(), 1)]) if "discount:" in one)
        assert mistakes(text) == [
            (line, "message 'thank_you' has a discount and no response: everybody who responds gets the discount")
        ]
        assert parse_catalogue(text.replace(stated, f"{stated}        response: {{mean: 0.4}}\n"), VOCABULARY)


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
@pytest.mark.parametrize(
    "stated",
    [
        *(f"fatigue: {{{name}: NUMBER}}" for name in ("risk", "growth", "reach_value")),
        *(f"arbitration: {{{name}: NUMBER}}" for name in ("caution", "risk_aversion", "contact_price")),
        "arbitration: {contact_price: {mail: NUMBER}}",
        "policy: {kind: inverse_gap, gamma: NUMBER}",
    ],
)
def test_what_is_not_finite_is_a_mistake(stated: str, number: str) -> None:
    text = CATALOGUE.replace("policy: {kind: greedy}\n", stated.replace("NUMBER", number) + "\n")
    found = mistakes(text)
    assert any("finite number" in message for _, message in found)


@pytest.mark.parametrize("name", ["value", "discount", "context", "lever"])
def test_no_amount_of_a_message_is_without_end(name: str) -> None:
    text = CATALOGUE.replace("value: 5", "value: .inf" if name == "value" else f"value: 5\n        {name}: .inf", 1)
    assert any(f"{name}: Input should be a finite number" in message for _, message in mistakes(text))


def test_clock_times_need_no_quotes_and_a_key_given_twice_is_a_mistake() -> None:
    unquoted = parse_catalogue(CATALOGUE.replace('"21:00"', "21:00").replace('"08:00"', "08:00"), VOCABULARY)
    quoted = parse_catalogue(CATALOGUE, VOCABULARY)
    assert unquoted.catalogue == quoted.catalogue
    assert mistakes(CATALOGUE.replace("currency: USD", "currency: USD\ncurrency: EUR")) == [
        (4, "not YAML: key 'currency' given twice")
    ]


@pytest.mark.parametrize("text", ["", "- a list", "catalogue: [unclosed"])
def test_what_is_no_catalogue_says_so(text: str) -> None:
    assert len(mistakes(text)) == 1


def test_the_version_tells_catalogues_apart_but_not_comments(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(CATALOGUE + "# a comment\n", encoding="utf-8")
    assert load_catalogue(path, VOCABULARY).version == parse_catalogue(CATALOGUE, VOCABULARY).version
    dearer = parse_catalogue(CATALOGUE.replace("value: 5", "value: 6"), VOCABULARY)
    assert dearer.version != parse_catalogue(CATALOGUE, VOCABULARY).version
