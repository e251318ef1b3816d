"""The subscription example: the programmes around a contract, to the day."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tactful import decisions
from tactful.decisions.base.snapshot import Contact, Snapshot
from tactful.decisions.catalogue.compiled import Rule
from tactful.decisions.conformance.conform import conform
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.loading import inspect_catalogue
from tactful.experiments.samples.customers import generate
from tests.decisions.people import Told, decided, message, named, person, told
from tests.decisions.rehearsal import VOCABULARY, chosen, days, example, rehearse, text

SUBSCRIPTION = example("subscription.yaml")
TUESDAY = datetime(2026, 5, 5, 16, tzinfo=UTC)
"""Five in the afternoon in Dublin."""

READER = [*told("contract", 305, subject="started"), *told("view", *range(1, 300, 10))]
KEEN = [*READER, *told("view", *(day + 0.5 for day in range(28)))]
GONE = [*told("contract", 305, subject="started"), *told("view", *range(40, 300, 10))]


def subscriber(
    *happened: Told, ends: date | None = None, contacts: Iterable[Contact] = (), **attributes: Any
) -> Snapshot:
    known = {"subscriber": True, "first_name": "Ada", **attributes}
    return person(
        SUBSCRIPTION, TUESDAY, happened, contacts, **known if ends is None else known | {"contract_ends": ends}
    )


def opened(snapshot: Snapshot) -> set[str]:
    return {opening.programme for opening in decided(SUBSCRIPTION, snapshot).openings}


@pytest.fixture(scope="module")
def rehearsed() -> list[Decision]:
    return list(rehearse(SUBSCRIPTION, generate(500, seed=1, events=200), days(60, every=2)))


def test_it_loads_without_a_finding() -> None:
    path = Path(decisions.__file__).parent / "examples" / "subscription.yaml"
    _, findings = inspect_catalogue(path.read_text(encoding="utf-8"), VOCABULARY, path.name)
    assert [str(finding) for finding in findings] == []


def test_it_keeps_what_decisions_promise() -> None:
    assert [check for check in conform(SUBSCRIPTION) if check.outcome != "passed"] == []


def test_every_message_is_the_best_for_some_customer_at_some_moment(rehearsed: list[Decision]) -> None:
    reached = Counter(action.split("/")[1] for action in chosen(rehearsed).elements() if action != "silence")
    assert [rule.message.id for rule in SUBSCRIPTION.rules if not reached[rule.message.id]] == []


@pytest.mark.parametrize("rule", SUBSCRIPTION.rules, ids=lambda rule: rule.action.id)
def test_a_text_speaks_well_to_a_customer_of_whom_nothing_is_known(rule: Rule) -> None:
    for part in SUBSCRIPTION.text(rule).parts:
        said = part.render(customer={}, features={}, event={}, offer={})
        assert said.strip()
        assert " ," not in said


class TestContractEnd:
    @pytest.mark.parametrize(
        ("left", "wanted"),
        [
            (61, set()),
            (60, {"contract_60"}),
            (31, {"contract_60"}),
            (30, {"contract_60", "contract_30", "renewal_notice"}),
            (25, {"contract_30", "renewal_notice"}),
            (8, {"contract_30"}),
            (7, {"contract_30", "contract_7"}),
            (5, {"contract_7"}),
            (0, set()),
        ],
    )
    def test_it_speaks_so_many_days_before(self, left: int, wanted: set[str]) -> None:
        ends = TUESDAY.date() + timedelta(days=left)
        about_the_contract = {"contract_60", "contract_30", "contract_7", "renewal_notice"}
        assert opened(subscriber(*READER, ends=ends)) & about_the_contract == wanted

    def test_the_later_letter_takes_the_place_of_the_earlier(self) -> None:
        decision = decided(SUBSCRIPTION, subscriber(*KEEN, ends=TUESDAY.date() + timedelta(days=30)))
        assert decision.outcome == "contract_30/stay_keen/email"
        gates = {e.gate for c in decision.candidates if c.action.programme == "contract_60" for e in c.exclusions}
        assert "superseded" in gates

    def test_it_speaks_otherwise_to_the_keen_than_to_who_drifts_away(self) -> None:
        ends = TUESDAY.date() + timedelta(days=30)
        assert message(SUBSCRIPTION, subscriber(*KEEN, ends=ends), "contract_30") == "stay_keen"
        assert message(SUBSCRIPTION, subscriber(*GONE, ends=ends), "contract_30") == "stay_for_less"

    def test_who_renews_by_itself_is_told_as_the_law_asks_whatever_the_caps_say(self) -> None:
        full = [Contact(TUESDAY - timedelta(days=d), "email", "usage_drop", "missed") for d in (1, 2, 3)]
        snapshot = subscriber(*KEEN, ends=TUESDAY.date() + timedelta(days=30), auto_renews=True, contacts=full)
        decision = decided(SUBSCRIPTION, snapshot)
        assert decision.outcome == "renewal_notice/your_contract_renews/email"
        assert decision.silence_probability == 0
        said = text(decision, snapshot, SUBSCRIPTION)[1]
        assert "renews on 4 June for another year" in said

    def test_a_renewal_closes_the_letters_and_is_thanked_for(self) -> None:
        renewed = [*READER, *told("contract", 0.1, subject="renewed")]
        snapshot = subscriber(*renewed, ends=TUESDAY.date() + timedelta(days=7))
        assert "contract_7" not in opened(snapshot)
        assert decided(SUBSCRIPTION, snapshot).outcome == "renewal_thanks/thanks_and_an_idea/email"


class TestPayment:
    failed = (*READER, *told("contract", 5, subject="payment_failed"))

    def told_once(self) -> list[Contact]:
        key = f"payment_failed:{named('contract', TUESDAY - timedelta(days=5))}"
        return [Contact(TUESDAY - timedelta(days=4.5), "email", "payment_failed", opening=key, counts=False)]

    def test_a_failed_payment_goes_before_everything(self) -> None:
        snapshot = subscriber(*KEEN, *told("contract", 0.5, subject="payment_failed"))
        decision = decided(SUBSCRIPTION, snapshot)
        assert decision.outcome == "payment_failed/payment_did_not_go_through/email"
        assert {c.action.programme for c in decision.candidates} >= {"upgrade", "payment_failed"}

    def test_a_second_word_after_four_days_unless_it_was_paid(self) -> None:
        decision = decided(SUBSCRIPTION, subscriber(*self.failed, contacts=self.told_once()))
        assert decision.outcome == "payment_still_open/payment_reminder/email"
        paid = subscriber(*self.failed, *told("purchase", 1, amount=60.0), contacts=self.told_once())
        assert "payment_still_open" not in opened(paid)

    def test_nothing_is_sold_before_it_is_settled(self) -> None:
        recently = [Contact(TUESDAY - timedelta(days=2), "email", "payment_failed", "payment_did_not_go_through")]
        decision = decided(SUBSCRIPTION, subscriber(*KEEN, contacts=recently))
        reasons = {e.rule for c in decision.candidates if c.action.programme == "upgrade" for e in c.exclusions}
        assert "no_sale_before_payment" in reasons


class TestUse:
    def test_a_drop_and_a_stop_are_two_things(self) -> None:
        away = [*told("contract", 305, subject="started"), *told("view", *range(10, 300, 10))]
        assert opened(subscriber(*away)) == {"usage_drop"}
        assert opened(subscriber(*GONE)) == {"usage_stopped"}

    @pytest.mark.parametrize(("plan", "wanted"), [("plus", "missed_for_plus"), ("basic", "missed")])
    def test_the_plan_makes_a_difference(self, plan: str, wanted: str) -> None:
        away = [*told("contract", 305, subject="started"), *told("view", *range(10, 300, 10))]
        assert message(SUBSCRIPTION, subscriber(*away, plan=plan), "usage_drop") == wanted

    def test_only_who_uses_it_much_hears_of_more(self) -> None:
        assert "upgrade" in opened(subscriber(*KEEN))
        assert "upgrade" not in opened(subscriber(*KEEN, plan="plus"))
        assert "upgrade" not in opened(subscriber(*READER))


class TestCancelled:
    def test_three_weeks_after_leaving_the_door_is_open(self) -> None:
        left = [*told("contract", 700, subject="started"), *told("contract", 25, subject="cancelled")]
        assert message(SUBSCRIPTION, subscriber(*left), "win_back") == "door_is_open"
        short = [*told("contract", 200, subject="started"), *told("contract", 25, subject="cancelled")]
        assert message(SUBSCRIPTION, subscriber(*short), "win_back") == "come_back_for_less"

    def test_who_has_come_back_is_not_won_back(self) -> None:
        back = [*told("contract", 25, subject="cancelled"), *told("contract", 3, subject="started")]
        assert "win_back" not in opened(subscriber(*back))
