"""What opens a programme, when, for how long, and what a late joiner finds."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from tactful.decisions.kernel.decision import Decision
from tests.decisions.retailer import CATALOGUE, LAPSING, NOON, at, compiled, contact, decided, event, having

HEAD = CATALOGUE[: CATALOGUE.index("programmes:")]


def programme(name: str, trigger: str, more: str = "") -> str:
    return f"""
  - id: {name}
    trigger: {trigger}
    {more}
    messages:
      - id: {name}_message
        channels: mail
        value: 100
        response: {{mean: 0.5}}
        content: {{body: Hello}}
"""


def opened(*programmes: str, **changes: Any) -> list[tuple[str, datetime]]:
    decision = decide_with(*programmes, **changes)
    return [(opening.key, opening.opened) for opening in decision.openings]


def decide_with(*programmes: str, **changes: Any) -> Decision:
    return decided(having(**changes), compiled(f"{HEAD}programmes:{''.join(programmes)}"))


class TestEvent:
    cart = programme("cart", "{kind: event, type: cart, delay: 2h, expiry: 2d, exits: purchase}")

    @pytest.mark.parametrize(("hours", "open_"), [(1.9, False), (2, True), (49.9, True), (50, False)])
    def test_it_opens_after_the_delay_and_ends_at_the_expiry(self, hours: float, open_: bool) -> None:
        assert bool(opened(self.cart, events=(event("cart", hours / 24, id="k"),))) is open_

    def test_an_exit_closes_it(self) -> None:
        assert opened(self.cart, events=(event("cart", 0.5, id="k"), event("purchase", 0.2))) == []
        assert opened(self.cart, events=(event("purchase", 0.7), event("cart", 0.5, id="k"))) != []

    def test_it_speaks_of_the_newest_event_only(self) -> None:
        found = opened(self.cart, events=(event("cart", 1.5, id="old"), event("cart", 0.5, id="new")))
        assert [key for key, _ in found] == ["cart:new"]

    def test_a_condition_that_cannot_be_judged_closes_the_programme_with_a_reason(self) -> None:
        strict = programme("cart", "{kind: event, type: cart, where: customer.first_name != '', expiry: 2d}")
        decision = decide_with(strict, events=(event("cart", 0.5),), attributes={})
        assert "customer.first_name" in decision.closed[0].observed

    def test_an_event_that_cannot_be_judged_does_not_hide_one_that_can(self) -> None:
        ratio = programme("cart", "{kind: event, type: cart, where: 10 / int(event.amount) > 0, expiry: 2d}")
        found = opened(ratio, events=(event("cart", 1, id="bad"), event("cart", 0.5, id="good", amount=5.0)))
        assert [key for key, _ in found] == ["cart:good"]


class TestAbsence:
    rule = programme("back", "{kind: absence, type: purchase, without: purchase, within: 28d, expiry: 30d}")

    @pytest.mark.parametrize(("days", "open_"), [(27.9, False), (28, True), (57.9, True), (58, False)])
    def test_it_opens_when_the_time_is_over(self, days: float, open_: bool) -> None:
        assert bool(opened(self.rule, events=(event("purchase", days, id="p"),))) is open_

    def test_what_was_missing_closes_it_when_it_comes(self) -> None:
        assert opened(self.rule, events=(event("purchase", 40, id="a"), event("purchase", 5, id="b"))) == []


class TestDate:
    birthday = programme("birthday", "{kind: date, attribute: birthday, expiry: 2d}")

    def test_it_opens_at_midnight_of_the_customers_day(self) -> None:
        born = {"birthday": date(1990, 5, 6)}
        assert opened(self.birthday, attributes=born) == [("birthday:2026-05-06", datetime(2026, 5, 6, 4, tzinfo=UTC))]
        tokyo = opened(self.birthday, attributes=born, zone="Asia/Tokyo")
        assert tokyo == [("birthday:2026-05-06", datetime(2026, 5, 5, 15, tzinfo=UTC))]

    def test_the_first_moment_is_in_and_the_day_before_is_not(self) -> None:
        born = {"birthday": date(1990, 5, 6)}
        midnight = datetime(2026, 5, 6, 4, tzinfo=UTC)
        assert opened(self.birthday, attributes=born, moment=midnight) != []
        assert opened(self.birthday, attributes=born, moment=midnight.replace(hour=3, minute=59)) == []

    @pytest.mark.parametrize(("leap_day", "month", "day"), [("02-28", 2, 28), ("03-01", 3, 1)])
    def test_29_february_is_kept_on_the_declared_day(self, leap_day: str, month: int, day: int) -> None:
        rule = programme("birthday", f"{{kind: date, attribute: birthday, expiry: 1d, leap_day: {leap_day}}}")
        noon = datetime.combine(date(2026, month, day), time(17), UTC)
        assert opened(rule, attributes={"birthday": date(1992, 2, 29)}, moment=noon) != []

    def test_days_before_a_date_that_comes_once(self) -> None:
        rule = programme("ending", "{kind: date, attribute: birthday, every: once, before: 30, expiry: 10d}")
        assert opened(rule, attributes={"birthday": date(2026, 6, 3)}) != []
        assert opened(rule, attributes={"birthday": date(2025, 6, 3)}) == []

    def test_a_new_year_does_not_hide_an_anniversary_of_december(self) -> None:
        rule = programme("birthday", "{kind: date, attribute: birthday, expiry: 7d}")
        january = datetime(2026, 1, 2, 17, tzinfo=UTC)
        assert opened(rule, attributes={"birthday": date(1990, 12, 30)}, moment=january) != []

    def test_the_day_itself_is_no_anniversary(self) -> None:
        assert opened(self.birthday, attributes={"birthday": date(2026, 5, 6)}) == []


class TestThreshold:
    def test_a_key_tells_one_crossing_from_the_next(self) -> None:
        rule = programme(
            "level",
            '{kind: threshold, when: features.spend >= 100.0, key: "string(int(features.spend) / 100)", expiry: 7d}',
            "reentry: 1d",
        )
        assert [key for key, _ in opened(rule, features=(30.0, 250.0))] == ["level:2"]

    def test_without_a_key_an_entry_keeps_its_name_until_it_is_answered(self) -> None:
        rule = programme("level", "{kind: threshold, when: features.spend >= 100.0, expiry: 7d}", "reentry: 1d")
        assert [key for key, _ in opened(rule)] == ["level:first"]
        answered = opened(rule, contacts=(contact(3, programme="level"),))
        assert [key for key, _ in answered] == [f"level:after-{at(3).isoformat()}"]


class TestJourney:
    steps = (
        programme("hello", "{kind: event, type: signup, expiry: 30d}", "series: welcome"),
        programme("tips", "{kind: always, expiry: 5d, exits: purchase, after: {programme: hello, wait: 3d}}"),
    )

    def test_a_step_opens_a_while_after_the_contact_before_it(self) -> None:
        signup = (event("signup", 9, id="s"),)
        first = contact(3, programme="hello", opening="hello:s")
        assert [key for key, _ in opened(*self.steps, events=signup)] == ["hello:s"]
        keys = [key for key, _ in opened(*self.steps, events=signup, contacts=(first,))]
        assert keys == ["hello:s", "tips:hello:s"]
        early = opened(*self.steps, events=signup, contacts=(contact(2.9, programme="hello", opening="hello:s"),))
        assert [key for key, _ in early] == ["hello:s"]

    def test_an_exit_ends_the_series(self) -> None:
        first = contact(3, programme="hello", opening="hello:s")
        assert opened(self.steps[1], self.steps[0], events=(event("purchase", 1),), contacts=(first,)) == []

    cart = (
        programme("cart", "{kind: event, type: cart, delay: 2h, expiry: 1d, exits: purchase}"),
        programme("cart2", "{kind: always, expiry: 1d, exits: purchase, after: {programme: cart, wait: 1d}}"),
        programme("cart3", "{kind: always, expiry: 1d, exits: purchase, after: {programme: cart2, wait: 2d}}"),
    )

    def test_every_step_speaks_of_the_event_that_began_the_journey(self) -> None:
        left = (event("cart", 9, id="old"), event("cart", 4, id="k", amount=80.0))
        reminded = (contact(3.8, programme="cart", opening="cart:k"),)
        again = (*reminded, contact(2.5, programme="cart2", opening="cart2:cart:k"))
        third = decide_with(*self.cart, events=left, contacts=again).openings[-1]
        assert (third.key, third.event) == ("cart3:cart2:cart:k", left[1])
        second = decide_with(*self.cart, events=left, contacts=(contact(1.2, programme="cart", opening="cart:k"),))
        assert [(opening.key, opening.event) for opening in second.openings] == [("cart2:cart:k", left[1])]

    def test_a_purchase_ends_the_series_even_where_it_came_before_the_reminder(self) -> None:
        left, reminded = event("cart", 2, id="k"), (contact(1.5, programme="cart", opening="cart:k"),)
        assert [key for key, _ in opened(*self.cart, events=(left,), contacts=reminded)] == ["cart2:cart:k"]
        for days in (1.8, 1.0):
            assert opened(*self.cart, events=(left, event("purchase", days)), contacts=reminded) == []

    def test_a_step_can_wait_for_what_the_customer_does_with_the_one_before(self) -> None:
        branches = (
            programme("more", "{kind: event, type: clicked, expiry: 2d, after: {programme: hello, wait: 1d}}"),
            programme(
                "remind",
                "{kind: absence, type: contact, without: clicked, within: 2d, expiry: 2d, "
                "after: {programme: hello, wait: 1d}}",
            ),
        )
        first, told = contact(2.5, programme="hello", opening="hello:s"), event("contact", 2.5, id="c")
        assert [key for key, _ in opened(*branches, self.steps[0], events=(told,), contacts=(first,))] == [
            "remind:hello:s"
        ]
        for clicked, since in ((2.4, 1.5), (0.2, 0.2)):
            found = opened(*branches, self.steps[0], events=(told, event("clicked", clicked)), contacts=(first,))
            assert found == [("more:hello:s", at(since))]
        before = (event("clicked", 2.6), told)
        assert [key for key, _ in opened(*branches, self.steps[0], events=before, contacts=(first,))] == [
            "remind:hello:s"
        ]

    def test_a_branch_by_state_is_open_while_it_holds(self) -> None:
        rich = programme(
            "rich",
            "{kind: threshold, when: segment.rich, expiry: 5d, after: {programme: hello, wait: 3d}}",
            "reentry: 1d",
        )
        first = (contact(3, programme="hello", opening="hello:s"),)
        assert [key for key, _ in opened(rich, self.steps[0], contacts=first, features=(1.0, 200.0))] == [
            "rich:hello:s"
        ]
        assert opened(rich, self.steps[0], contacts=first, features=(1.0, 20.0)) == []


class TestLateJoiner:
    @staticmethod
    def series(*policies: str) -> list[str]:
        steps = [
            programme(
                f"step{days}",
                f"{{kind: date, attribute: birthday, every: once, days_after: {days}, expiry: 60d, "
                f"late_joiner: {policy}}}",
                "series: onboarding",
            )
            for days, policy in zip((0, 7, 14), policies, strict=True)
        ]
        found = opened(*steps, attributes={"birthday": date(2026, 4, 15)}, joined=at(1))
        return [key.split(":")[0] for key, _ in found]

    def test_skip_latest_and_all(self) -> None:
        assert self.series("skip", "skip", "skip") == []
        assert self.series("latest", "latest", "latest") == ["step14"]
        assert self.series("all", "all", "all") == ["step0", "step7", "step14"]
        assert self.series("all", "latest", "latest") == ["step0", "step14"]

    def test_an_event_told_twice_opens_once(self) -> None:
        rule = programme("cart", "{kind: event, type: cart, expiry: 2d, late_joiner: all}")
        twice = (event("cart", 0.5, id="k"), event("cart", 0.5, id="k"))
        assert [key for key, _ in opened(rule, events=twice, joined=NOON)] == ["cart:k"]

    def test_what_opens_after_joining_is_not_late(self) -> None:
        rule = programme("birthday", "{kind: date, attribute: birthday, expiry: 2d, late_joiner: skip}")
        born = {"birthday": date(1990, 5, 6)}
        assert opened(rule, attributes=born, joined=at(3)) != []
        assert opened(rule, attributes=born, joined=NOON) == []


def test_always_is_always_open() -> None:
    rule = programme("offer", "{kind: always, expiry: 1d}", "reentry: 1d")
    assert opened(rule, features=LAPSING.features) == [("offer:first", NOON)]
