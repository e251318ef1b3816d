"""Conditions that never hold, and messages that are never sent or never the best."""

import pytest

from tests.decisions.lints import Edits, Lint, assert_told, findings, policy, state, step

WHEN = "segment.at_risk && features.days_since_purchase > 14.0"
WHERE = "where: event.amount >= 50.0"


def rival(when: str, worth: str, more: str = "") -> Edits:
    """Another message beside `miss_you`, which is worth 10 a response."""
    return {
        "state: segment.at_risk && segment.rich": f"state: {when}",
        "value: features.spend * 0.1\n        discount: 2\n        offer: {kind: A, days: 30}": (
            f"value: {worth}\n        response: {{mean: 0.1}}{more}"
        ),
        "A coupon for {{ offer.days }} days.": "A coupon.",
        "  rich: features.spend >= 100.0\n": "",
    }


def segment(condition: str) -> Edits:
    return {"rich: features.spend >= 100.0": f"rich: {condition}"}


def born(first: int, last: int) -> Edits:
    moments = [f"timestamp('{year}-01-01T00:00:00Z')" for year in (first, last)]
    return state(f"customer.birthday >= {moments[0]} && !(customer.birthday >= {moments[1]})")


CONTRADICTIONS = {
    "segment": Lint(
        "segment 'rich' can never hold",
        segment("features.spend >= 100.0 && features.spend < 100.0"),
        segment("features.spend >= 100.0 && features.spend <= 100.0"),
        "rich: ",
    ),
    "trigger": Lint(
        "programme 'win_back' can never be sent: the trigger's when can never hold",
        {WHEN: "segment.at_risk && scores.lapse < 0.4"},
        {WHEN: "segment.at_risk && scores.lapse < 0.41"},
        "when:",
    ),
    "eligible": Lint(
        "programme 'birthday' can never be sent: the programme's eligible can never hold",
        {"- id: birthday": "- id: birthday\n    eligible: local.hour > 23"},
        {"- id: birthday": "- id: birthday\n    eligible: local.hour > 22"},
        "eligible:",
    ),
    "texts": Lint(
        "message 'miss_you' can never be sent: its state can never hold",
        state("customer.first_name in ['Ada', 'Eve'] && customer.first_name == 'Bo'"),
        state("customer.first_name in ['Ada', 'Eve'] && customer.first_name != 'Ada'"),
        "['Ada'",
    ),
    "dates": Lint(
        "message 'miss_you' can never be sent: its state can never hold",
        born(2000, 2000),
        born(2000, 2001),
        "customer.birthday",
    ),
    "arithmetic with itself": Lint(
        "message 'miss_you' can never be sent: its state can never hold",
        state("features.spend * 2.0 > 9.0 && !(features.spend * 2.0 > 9.0)"),
        state("features.spend * 2.0 > 9.0 && !(features.spend * 3.0 > 9.0)"),
        "features.spend * 2.0",
    ),
    "message against its trigger": Lint(
        "message 'miss_you' can never be sent: the trigger's when and its state exclude each other",
        state("scores.lapse < 0.3 || features.days_since_purchase < 7.0"),
        state("scores.lapse < 0.3 || features.days_since_purchase < 21.0"),
        "scores.lapse < 0.3",
    ),
    "no event to read": Lint(
        "message 'miss_you' can never be sent: its state can never hold",
        state("event.amount >= 0.0"),
        state("event.amount >= 0.0 || features.spend > 1.0"),
        "event.amount >= 0.0",
    ),
    "another event": Lint(
        "programme 'thanks' can never be sent: the trigger's where can never hold",
        {WHERE: "where: event.type == 'refund'"},
        {WHERE: "where: event.type == 'purchase'"},
        "where:",
    ),
    "a channel nobody knows": Lint(
        "programme 'thanks' can never be sent: the trigger's where can never hold",
        {WHERE: "where: event.channel == 'fax'"},
        {WHERE: "where: event.channel == 'store'"},
        "where:",
    ),
    "too old an event": Lint(
        "message 'thank_you' can never be sent: its state can never hold",
        {"value: 1\n": "state: event.age_days > 3.0\n        value: 1\n"},
        {"value: 1\n": "state: event.age_days > 2.9\n        value: 1\n"},
        "event.age_days",
    ),
}

LOSERS = {
    "of another state": Lint(
        "message 'miss_you' is never the best: 'come_back_coupon' is open whenever it is",
        rival("scores.lapse >= 0.3", "11"),
        rival("scores.lapse >= 0.5", "11"),
        "- id: miss_you",
    ),
    "of less worth": Lint(
        "message 'miss_you' is never the best",
        rival("segment.at_risk", "10.1"),
        rival("segment.at_risk", "10"),
        "- id: miss_you",
    ),
    "whose rival may be capped": Lint(
        "message 'miss_you' is never the best",
        rival("segment.at_risk", "11"),
        rival("segment.at_risk", "11")
        | policy("id: few, kind: cap, max: 1, window: 90d, scope: {message: come_back_coupon}"),
        "- id: miss_you",
    ),
    "whose rival has one channel less": Lint(
        "message 'miss_you' is never the best",
        rival("segment.at_risk", "11"),
        rival("segment.at_risk", "11") | {"coupon\n        channels: [email, mail]": "coupon\n        channels: email"},
        "- id: miss_you",
    ),
    "whose rival is mandatory": Lint(
        "message 'miss_you' is never the best",
        state("scores.lapse > 0.6") | rival("segment.at_risk", "1", "\n        mandatory: true"),
        state("scores.lapse > 0.6") | rival("segment.at_risk", "1", "\n        mandatory: false"),
        "- id: miss_you",
    ),
    "whose rival stands before it": Lint(
        "message 'come_back_coupon' is never the best: 'miss_you' is open whenever it is",
        rival("segment.at_risk", "10") | {"objective:": "policy: {kind: priority_list}\nobjective:"},
        rival("segment.at_risk", "10") | {"objective:": "policy: {kind: inverse_gap}\nobjective:"},
        "- id: come_back_coupon",
    ),
    "against silence": Lint(
        "message 'thank_you' is never worth more than silence: -0.01 USD",
        {"value: 1\n": "value: 0.01\n"},
        {"value: 1\n": "value: 0.1\n"},
        "- id: thank_you",
    ),
}

ALWAYS = "expiry: 1d, after: {programme: thanks, wait: 6h}}"

SUPERSEDED = {
    "always": Lint(
        "programme 'birthday' can never be sent: 'step' is open whenever it is",
        {**step(), ALWAYS: "expiry: 1d}\n    reentry: 7d\n    supersedes: birthday"},
        {**step(), ALWAYS: f"{ALWAYS}\n    supersedes: birthday"},
        "supersedes:",
    ),
    "whenever it is open": Lint(
        "programme 'thanks' can never be sent: 'win_back' is open whenever it is",
        {"reentry: 28d": "reentry: 28d\n    supersedes: thanks", WHERE: f"where: '{WHEN}'"},
        {"reentry: 28d": "reentry: 28d\n    supersedes: thanks", WHERE: "where: segment.at_risk"},
        "supersedes:",
    ),
    "by each other": Lint(
        "'birthday' and 'thanks' supersede each other",
        {
            "attribute: birthday, expiry: 7d}": "attribute: birthday, expiry: 7d}\n    supersedes: thanks",
            "expiry: 3d}": "expiry: 3d}\n    supersedes: birthday",
        },
        {"expiry: 3d}": "expiry: 3d}\n    supersedes: birthday"},
        "supersedes: thanks",
    ),
}


@pytest.mark.parametrize("lint", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_contradiction(lint: Lint) -> None:
    assert_told(lint)


@pytest.mark.parametrize("lint", LOSERS.values(), ids=LOSERS.keys())
def test_a_message_that_always_loses(lint: Lint) -> None:
    assert_told(lint)


@pytest.mark.parametrize("lint", SUPERSEDED.values(), ids=SUPERSEDED.keys())
def test_a_programme_that_is_superseded(lint: Lint) -> None:
    assert_told(lint)


@pytest.mark.parametrize(
    "condition",
    [
        "int(features.spend) % 10 > 20",
        "scores.lapse * 2.0 < 0.1",
        "features.spend > scores.lapse && features.spend < scores.lapse",
        "customer.first_name < 'a' && customer.first_name > 'b'",
        "[1, 2].exists(x, x == 3)",
        "segment.at_risk ? scores.lapse < 0.1 : false",
    ],
)
def test_what_only_arithmetic_could_tell_is_passed_over(condition: str) -> None:
    assert findings(state(f'"{condition}"')) == []


def test_a_step_speaks_of_the_event_that_began_its_journey() -> None:
    assert findings(step() | {"channels: mail, value: 5": "channels: mail, state: event.amount > 9.0, value: 5"}) == []


def test_a_contradiction_has_one_cause_and_no_echo() -> None:
    dead = {"at_risk: scores.lapse >= 0.4": "at_risk: scores.lapse >= 0.4 && scores.lapse < 0.4"}
    assert [finding.message for finding in findings(dead)] == ["segment 'at_risk' can never hold"]
