"""Lints as a whole: what is read by nothing, what is no lint, and that warnings keep nothing from loading."""

import pytest

from tactful.decisions.catalogue.selection import InverseGap
from tactful.decisions.loading import inspect_catalogue, parse_catalogue
from tests.decisions.lints import TIDY, Edits, Lint, assert_told, findings
from tests.decisions.retailer import CATALOGUE, VOCABULARY

UNUSED = {
    "segment": Lint(
        "segment 'idle' is read by nothing",
        {"segments:\n": "segments:\n  idle: segment.rich\n"},
        {"segments:\n": "segments:\n  idle: segment.rich\n", "&& segment.rich": "&& segment.idle"},
        "idle:",
    ),
    "attribute": Lint(
        "attribute 'city' is read by nothing",
        {"attributes:\n": "attributes:\n  city: {type: string}\n"},
        {
            "attributes:\n": "attributes:\n  city: {type: string}\n",
            "coupon for": "coupon, {{ ${city} | default: 'town' }}",
        },
        "city:",
    ),
    "channel": Lint(
        "no message goes by channel 'sms'",
        {"channels:\n": "channels:\n  sms: {cost: 0.1}\n"},
        {"channels:\n": "channels:\n  sms: {cost: 0.1}\n", "channels: [email, mail]": "channels: [email, mail, sms]"},
        "sms:",
    ),
}


@pytest.mark.parametrize("lint", UNUSED.values(), ids=UNUSED.keys())
def test_what_is_declared_and_not_read(lint: Lint) -> None:
    assert_told(lint)


WINDOW = "value: 10\n        attribution_window: {}\n"
OUTLASTING = Lint(
    "an outcome counts 35d for 'miss_you', but 'win_back' may come again after 28d",
    {"value: 10\n": WINDOW.format("35d")},
    {"value: 10\n": WINDOW.format("28d")},
    "attribution_window: 35d",
)


CERTAIN = "tries nothing but its choice: its log judges no other catalogue or model"
EXPLORING = [
    {"objective:": f"policy: {{{stated}}}\nobjective:"}
    for stated in (
        "kind: greedy, floor: 0.02",
        "kind: priority_list, max_weight: 40",
        "kind: epsilon, epsilon: 0.1",
        "kind: random",
        "kind: inverse_gap",
    )
]


@pytest.mark.parametrize("stated", ["kind: greedy", "kind: priority_list", "kind: epsilon, epsilon: 0"])
@pytest.mark.parametrize("lacks", EXPLORING, ids=str)
def test_a_policy_whose_log_can_judge_nothing_else(stated: str, lacks: Edits) -> None:
    has = {"objective:": f"policy: {{{stated}}}\nobjective:"}
    assert_told(Lint(CERTAIN, has, lacks, "policy:"))
    fifth = {"uniform: 0}": "uniform: 0.2}"}
    assert_told(Lint(f"{CERTAIN}, but by a share of 0.2 of customers", has | fifth, lacks, "policy:"))


def test_a_catalogue_that_states_no_policy_explores() -> None:
    catalogue = parse_catalogue(TIDY, VOCABULARY).catalogue
    assert catalogue.policy == InverseGap(kind="inverse_gap", gamma=100, floor=0.03, floor_total=0.2)


def test_a_window_that_the_next_contact_cuts_short() -> None:
    assert_told(OUTLASTING)


def test_a_tidy_catalogue_has_no_finding() -> None:
    assert findings({}) == []


def test_warnings_keep_nothing_from_loading() -> None:
    _, found = inspect_catalogue(CATALOGUE, VOCABULARY, "shop.yaml")
    assert {finding.severity for finding in found} == {"warning"}
    assert parse_catalogue(CATALOGUE, VOCABULARY).catalogue.catalogue == "retailer"


def test_a_catalogue_with_mistakes_is_not_linted() -> None:
    _, found = inspect_catalogue(CATALOGUE.replace("on: complained", "on: complaned"), VOCABULARY, "shop.yaml")
    assert [finding.severity for finding in found] == ["error"]


def test_a_purpose_nobody_can_consent_to_is_a_mistake() -> None:
    text = TIDY.replace("mail: {cost: 0.5}", "mail: {cost: 0.5, purposes: [service]}")
    _, found = inspect_catalogue(text, VOCABULARY, "shop.yaml")
    told = {(finding.severity, finding.message, finding.mend) for finding in found}
    assert told == {("error", "nobody can consent to 'marketing' on channel 'mail'", "its purposes: service")}
    assert len(found) == 2
    allowed = TIDY.replace("mail: {cost: 0.5}", "mail: {cost: 0.5, purposes: [service, marketing]}")
    assert inspect_catalogue(allowed, VOCABULARY, "shop.yaml")[1] == []
