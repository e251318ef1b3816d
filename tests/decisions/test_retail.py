"""The retail example: every programme of a retailer, each message reached, each text fit to be sent."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from tactful import decisions
from tactful.decisions.base.snapshot import Contact
from tactful.decisions.catalogue.compiled import Rule, expressions
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.catalogue.triggers import Trigger
from tactful.decisions.conformance.conform import conform
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.loading import inspect_catalogue
from tactful.experiments.samples.customers import generate
from tactful.experiments.samples.requests import requests
from tactful.features.definitions.standard import STANDARD
from tests.decisions.people import Told, bought, decided, message, named, person, told
from tests.decisions.rehearsal import GREEDY, VOCABULARY, chosen, days, example, rehearse, text

RETAIL = example("retail.yaml")
PROGRAMMES = {programme.id: programme for programme in RETAIL.catalogue.programmes}
TUESDAY = datetime(2026, 5, 5, 16, tzinfo=UTC)
"""Five in the afternoon in London."""

NEW = told("signup", 20)
GOLD = [*told("signup", 700), *bought(*range(6, 360, 12), amount=45.0)]
SILVER = [*told("signup", 700), *bought(*range(5, 360, 30), amount=45.0)]
REGULAR = [*told("signup", 700), *bought(*range(8, 360, 45), amount=30.0)]
GOLD_LEAVING = [*told("signup", 700), *bought(*range(50, 360, 8), amount=45.0)]
LEAVING = [*told("signup", 700), *bought(*range(60, 360, 20), amount=20.0)]
BARGAINS = [*told("signup", 700), *bought(*range(60, 360, 20), amount=20.0, discount=5.0)]


@pytest.fixture(scope="module")
def rehearsed() -> list[Decision]:
    return list(rehearse(RETAIL, generate(400, seed=1, events=200), days(48, every=2)))


def test_it_loads_without_a_finding() -> None:
    path = Path(decisions.__file__).parent / "examples" / "retail.yaml"
    _, findings = inspect_catalogue(path.read_text(encoding="utf-8"), VOCABULARY, path.name)
    assert [str(finding) for finding in findings] == []


def test_it_is_as_large_as_a_retailers() -> None:
    assert 40 <= len(RETAIL.rules) <= 60
    assert len({source for _, source, _ in expressions(RETAIL.catalogue)}) >= 60


def test_every_programme_speaks_otherwise_to_customers_in_another_state() -> None:
    for programme in PROGRAMMES.values():
        assert len({message.state for message in programme.messages}) >= 2, programme.id


def test_every_kind_of_trigger_contact_policy_and_channel_appears() -> None:
    def kinds(base: type[BaseModel]) -> set[str]:
        return {get_args(known.model_fields["kind"].annotation)[0] for known in base.__subclasses__()}

    assert {programme.trigger.kind for programme in PROGRAMMES.values()} == kinds(Trigger)
    assert {policy.kind for policy in RETAIL.catalogue.contact_policies} == kinds(ContactPolicy)
    assert {rule.action.channel for rule in RETAIL.rules} == {"email", "sms", "push", "in_app", "web", "mail"}


def test_it_keeps_what_decisions_promise() -> None:
    assert [check for check in conform(RETAIL) if check.outcome != "passed"] == []


def test_every_message_is_the_best_for_some_customer_at_some_moment(rehearsed: list[Decision]) -> None:
    reached = Counter(action.split("/")[1] for action in chosen(rehearsed).elements() if action != "silence")
    assert [rule.message.id for rule in RETAIL.rules if not reached[rule.message.id]] == []


def test_the_rehearsal_keeps_the_caps(rehearsed: list[Decision]) -> None:
    sent: dict[str, list[datetime]] = defaultdict(list)
    for decision in rehearsed:
        if decision.choice is None or decision.choice.action.channel not in {"email", "sms", "push", "mail"}:
            continue
        if RETAIL.catalogue.message(decision.choice.action.message).counts_toward_caps:
            sent[decision.customer].append(decision.moment)
    week = timedelta(days=7)
    assert max(sum(start <= t < start + week for t in times) for times in sent.values() for start in times) <= 3


def test_every_text_that_was_chosen_renders_and_fits_its_channel(rehearsed: list[Decision]) -> None:
    population = generate(400, seed=1, events=200)
    moment = days(48, every=2)[-1]
    snapshots = {request.snapshot.customer: request.snapshot for request in requests(population, moment, RETAIL)}
    for decision in rehearsed[::7]:
        if decision.choice is not None and decision.customer in snapshots:
            subject, body = text(decision, snapshots[decision.customer], RETAIL)
            assert body.strip()
            assert "{" not in subject + body
            assert len(body) <= (RETAIL.catalogue.channels[decision.choice.action.channel].max_length or 10_000)


@pytest.mark.parametrize("rule", RETAIL.rules, ids=lambda rule: rule.action.id)
def test_a_text_speaks_well_to_a_customer_of_whom_nothing_is_known(rule: Rule) -> None:
    for part in RETAIL.text(rule).parts:
        said = part.render(customer={}, features={}, event={}, offer={})
        assert said.strip()
        assert "  " not in said
        assert " ," not in said


class TestStates:
    """The same occasion, another customer, another message."""

    @pytest.mark.parametrize(
        ("history", "wanted"),
        [
            (LEAVING, "birthday_at_risk"),
            (GOLD_LEAVING, "birthday_at_risk"),
            (NEW, "birthday_new"),
            ([*NEW, *bought(3)], "birthday_new"),
            (GOLD, "birthday_loyal"),
            (REGULAR, "birthday_friend"),
        ],
        ids=["leaving", "gold and leaving", "new", "new with a first order", "loyal", "regular"],
    )
    def test_birthday(self, history: list[Told], wanted: str) -> None:
        snapshot = person(RETAIL, TUESDAY, history, birthday=date(1984, 5, 5), first_name="Ada")
        assert message(RETAIL, snapshot, "birthday") == wanted
        decision = decided(RETAIL, snapshot)
        assert decision.choice is not None
        assert decision.choice.action.message == wanted

    @pytest.mark.parametrize(
        ("programme", "history", "wanted"),
        [
            ("welcome", told("signup", 1), "hello"),
            ("welcome", [*told("signup", 1), *bought(0.5)], "hello_after_order"),
            ("tier_reached", [*told("signup", 300), *bought(100, 3, amount=210.0)], "welcome_to_silver"),
            ("tier_reached", [*told("signup", 300), *bought(100, 3, amount=520.0)], "welcome_to_gold"),
            ("tier_in_sight", [*told("signup", 300), *bought(100, 20, amount=180.0)], "silver_in_sight"),
            ("tier_in_sight", [*told("signup", 300), *bought(100, 20, amount=480.0)], "gold_in_sight"),
            ("points_expiring", [*told("signup", 700), *bought(350, amount=80.0), *bought(50)], "points_to_keep"),
            ("points_expiring", [*told("signup", 700), *bought(350, 50, amount=180.0)], "points_for_a_treat"),
            ("win_back", [*told("signup", 700), *bought(100, 200)], "we_miss_you"),
            ("win_back", [*told("signup", 700), *bought(100, 200, amount=500.0)], "we_kept_your_place"),
            ("churn_risk", LEAVING, "new_since_you_were_here"),
            ("churn_risk", BARGAINS, "prices_you_will_like"),
            ("churn_risk", GOLD_LEAVING, "how_are_we_doing"),
            ("cart", [*REGULAR, *told("cart", 0.5)], "cart_kept"),
            ("cart", [*BARGAINS, *told("cart", 0.5)], "cart_saving"),
            ("thank_you", [*NEW, *bought(1)], "thanks_for_the_first"),
            ("thank_you", [*REGULAR, *bought(1)], "thanks_again"),
            ("thank_you", [*GOLD, *bought(1)], "thanks_to_a_friend"),
            ("browse", [*told("signup", 90), *told("view", *range(1, 14))], "still_looking"),
            ("browse", [*REGULAR, *told("view", *range(1, 14))], "you_have_an_eye"),
            ("cross_sell", [*REGULAR, *bought(6)], "goes_well_with"),
            ("cross_sell", GOLD, "picked_for_you"),
            ("replenishment", [*told("signup", 700), *bought(*range(30, 360, 30))], "about_time"),
            ("replenishment", [*told("signup", 700), *bought(*range(30, 360, 30), amount=95.0)], "your_usual"),
            ("review", [*REGULAR, *bought(11)], "tell_the_others"),
            ("review", [*told("signup", 20), *bought(11)], "first_impression"),
            ("satisfaction", [*REGULAR, *bought(4)], "one_question"),
            ("satisfaction", [*GOLD, *bought(4)], "your_honest_opinion"),
            ("service_recovery", [*REGULAR, *told("complained", 0.2)], "sorry"),
            ("make_it_right", [*REGULAR, *told("survey", 0.2, subject="detractor")], "what_went_wrong"),
            ("make_it_right", [*GOLD, *told("survey", 0.2, subject="detractor")], "may_we_call"),
        ],
    )
    def test_programme(self, programme: str, history: list[Told], wanted: str) -> None:
        assert message(RETAIL, person(RETAIL, TUESDAY, history), programme) == wanted

    def test_gold_hears_an_apology_at_once_by_day_and_by_mail_at_night(self) -> None:
        def by(moment: datetime) -> str:
            return decided(RETAIL, person(RETAIL, moment, [*GOLD, *told("complained", 0.2)])).outcome

        assert by(TUESDAY) == "service_recovery/sorry_gold_at_once/sms"
        assert by(TUESDAY + timedelta(hours=6)) == "service_recovery/sorry_gold/email"

    def test_the_site_has_something_for_everybody(self) -> None:
        found = {
            decided(RETAIL, person(RETAIL, TUESDAY, history), on_site=True).outcome.split("/")[1]
            for history in (
                NEW,
                [*BARGAINS, *told("view", 4)],
                [*told("signup", 700), *bought(*range(15, 360, 12), amount=45.0)],
                [*told("signup", 300), *bought(40, amount=20.0), *told("view", 9)],
            )
        }
        assert found == {"offer_first_order", "offer_markdowns", "offer_points", "offer_department"}


class TestJourneys:
    def contacts(self, *steps: tuple[str, str, float, str]) -> list[Contact]:
        return [
            Contact(TUESDAY - timedelta(days=ago), "email", programme, message_, opening=opening)
            for programme, message_, ago, opening in steps
        ]

    def welcomed(self, *happened: Told) -> dict[float, str]:
        """The programme of the series that speaks on each day after signing up."""
        spoken = {}
        sent: list[Contact] = []
        for day in (0.5, 2, 4, 6, 9):
            moment = TUESDAY + timedelta(days=day)
            known = [replace(event, days=event.days + day) for event in happened if event.days + day > 0]
            decision = decided(RETAIL, person(RETAIL, moment, known, sent))
            if decision.choice is not None and PROGRAMMES[decision.choice.action.programme].series == "welcome":
                spoken[day] = decision.choice.action.message
                action = decision.choice.action
                sent.append(Contact(moment, "email", action.programme, action.message, opening=decision.choice.opening))
        return spoken

    def test_three_steps_of_welcome_with_their_waits(self) -> None:
        happened = [*told("signup", 0), *told("view", -1, -5, -8)]
        assert self.welcomed(*happened) == {0.5: "hello", 4: "tour_for_starters", 9: "first_order_gift"}

    def test_an_order_ends_the_welcome_before_its_last_step(self) -> None:
        happened = [*told("signup", 0), *told("view", -1, -5, -8), *bought(-7)]
        assert self.welcomed(*happened) == {0.5: "hello", 4: "tour_for_starters"}

    @pytest.mark.parametrize(("later", "open_"), [([], True), (bought(0.3), False), (bought(1.1), False)])
    def test_a_purchase_ends_the_cart_series(self, later: list[Told], open_: bool) -> None:
        history = [*REGULAR, *told("cart", 1.2), *later]
        reminded = self.contacts(("cart", "cart_kept", 1.0, f"cart:{named('cart', TUESDAY - timedelta(days=1.2))}"))
        decision = decided(RETAIL, person(RETAIL, TUESDAY, history, reminded))
        assert ("cart_second" in {opening.programme for opening in decision.openings}) is open_

    def test_what_goes_well_with_it_comes_only_after_thanks(self) -> None:
        history = [*REGULAR, *bought(6)]
        thanked = self.contacts(("thank_you", "thanks_again", 5.5, "thank_you:purchase"))
        reasons = [
            {e.rule for c in decided(RETAIL, person(RETAIL, TUESDAY, history, sent)).candidates for e in c.exclusions}
            for sent in ([], thanked)
        ]
        assert ["thanks_come_first" in found for found in reasons] == [True, False]


def test_the_bonus_weekend_is_told_on_thursday_and_friday() -> None:
    def opened(day: int) -> bool:
        moment = TUESDAY + timedelta(days=day)
        programmes = {o.programme for o in decided(RETAIL, person(RETAIL, moment, SILVER)).openings}
        return "bonus_weekend" in programmes

    assert [opened(day) for day in range(7)] == [False, False, True, True, False, False, False]


def test_an_apology_needs_no_room_under_a_cap_and_no_consent_to_marketing() -> None:
    full = [Contact(TUESDAY - timedelta(days=d), "email", "cart", "cart_kept") for d in (1, 2, 3)]
    service = {("email", "service"): True}
    snapshot = person(RETAIL, TUESDAY, [*REGULAR, *told("complained", 0.2)], full, service)
    assert decided(RETAIL, snapshot).outcome == "service_recovery/sorry/email"
    kinds = {
        e.gate for c in decided(RETAIL, snapshot).candidates for e in c.exclusions if c.action.programme == "birthday"
    }
    assert "cap" not in kinds


def test_a_message_with_a_discount_says_how_many_answer_in_all() -> None:
    for rule in RETAIL.rules:
        if rule.message.discount != 0.0:
            assert rule.message.response is not None
            assert rule.message.effect is not None
            assert rule.message.response.mean >= rule.message.effect.mean


def test_its_policy_explores_while_the_rehearsal_takes_the_best() -> None:
    assert RETAIL.catalogue.policy != GREEDY
    assert RETAIL.scored == len(STANDARD)
