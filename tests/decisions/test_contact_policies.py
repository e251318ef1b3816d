"""Contact policies at their edges, and the promise of every cap for any history."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tactful.decisions.base.ledger import Ledger, Scope
from tactful.decisions.base.snapshot import Contact, Event
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.catalogue.policies.kinds import AnyContactPolicy
from tactful.decisions.catalogue.policies.pairs import NeverAfter

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 5, 6, 10, tzinfo=UTC)
ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyContactPolicy)


def policy(**values: Any) -> ContactPolicy:
    found: ContactPolicy = ADAPTER.validate_python({"id": "rule", **values})
    return found


def ledger(
    moment: datetime = NOON,
    contacts: list[Contact] | None = None,
    events: list[Event] | None = None,
    zone: ZoneInfo | None = BERLIN,
) -> Ledger:
    return Ledger(moment, contacts or [], events or [], zone)


def sent(*moments: datetime, **traits: Any) -> list[Contact]:
    return [Contact(moment, traits.pop("channel", "email"), **traits) for moment in moments]


class TestCap:
    def test_a_rolling_window_sees_across_midnight(self) -> None:
        cap = policy(kind="cap", max=1, window="24h")
        late = datetime(2026, 5, 5, 23, 0, tzinfo=UTC)
        assert cap.verdict(ledger(datetime(2026, 5, 6, 0, 0, tzinfo=UTC), sent(late))) is not None

    def test_the_window_is_half_open(self) -> None:
        cap = policy(kind="cap", max=1, window="7d")
        edge = NOON - timedelta(days=7)
        assert cap.verdict(ledger(contacts=sent(edge))) is None
        assert cap.verdict(ledger(contacts=sent(edge + timedelta(microseconds=1)))) is not None

    def test_it_says_when_there_is_room_again(self) -> None:
        cap = policy(kind="cap", max=2, window="7d")
        found = cap.verdict(ledger(contacts=sent(NOON - timedelta(days=6), NOON - timedelta(days=1))))
        assert found is not None
        assert found.until == NOON + timedelta(days=1)
        assert (found.observed, found.limit) == ("2 contacts in 7d", "at most 2 in 7d")

    def test_a_cap_of_nothing_never_has_room(self) -> None:
        found = policy(kind="cap", max=0, window="7d").verdict(ledger())
        assert found is not None
        assert found.until is None

    def test_contacts_ahead_of_a_clock_that_was_put_back_count(self) -> None:
        cap = policy(kind="cap", max=1, window="7d")
        assert cap.verdict(ledger(contacts=sent(NOON + timedelta(hours=3)))) is not None

    def test_only_contacts_in_scope_that_count_are_counted(self) -> None:
        cap = policy(kind="cap", max=1, window="7d", scope={"channel": "email", "tag": ["promo"]})
        outside = sent(NOON - timedelta(days=1)) + sent(NOON - timedelta(days=1), channel="sms", tags=("promo",))
        uncounted = sent(NOON - timedelta(days=1), tags=("promo",), counts=False)
        assert cap.verdict(ledger(contacts=outside + uncounted)) is None
        assert cap.verdict(ledger(contacts=sent(NOON - timedelta(days=1), tags=("promo", "x")))) is not None

    @given(
        hours=st.lists(st.integers(0, 400), min_size=1, max_size=60),
        maximum=st.integers(0, 4),
        window=st.integers(1, 60),
    )
    def test_no_window_ever_holds_more_than_its_maximum(self, hours: list[int], maximum: int, window: int) -> None:
        """Whatever the order of attempts, clock jumps and repeats."""
        cap = policy(kind="cap", max=maximum, window=f"{window}h")
        accepted: list[Contact] = []
        for hour in hours:
            moment = NOON + timedelta(hours=hour)
            if cap.verdict(ledger(moment, accepted)) is None:
                accepted += sent(moment)
        times = sorted(contact.time for contact in accepted)
        span = timedelta(hours=window)
        assert all(sum(start <= t < start + span for t in times) <= maximum for start in times)

    @given(hours=st.lists(st.integers(-100, 100), max_size=12), maximum=st.integers(1, 3), window=st.integers(1, 48))
    def test_until_is_the_first_moment_with_room(self, hours: list[int], maximum: int, window: int) -> None:
        cap = policy(kind="cap", max=maximum, window=f"{window}h")
        contacts = sent(*(NOON + timedelta(hours=hour) for hour in hours))
        found = cap.verdict(ledger(contacts=contacts))
        if found is None:
            return
        assert found.until is not None
        assert cap.verdict(ledger(found.until, contacts)) is None
        steps = int((found.until - NOON) / timedelta(hours=1))
        assert all(cap.verdict(ledger(NOON + timedelta(hours=h), contacts)) is not None for h in range(steps))


class TestGap:
    @given(hours=st.lists(st.integers(0, 300), min_size=1, max_size=40), gap=st.integers(1, 48))
    def test_two_contacts_are_never_nearer_than_the_gap(self, hours: list[int], gap: int) -> None:
        rule = policy(kind="gap", min=f"{gap}h")
        accepted: list[Contact] = []
        for hour in hours:
            found = rule.verdict(ledger(NOON + timedelta(hours=hour), accepted))
            if found is None:
                accepted += sent(NOON + timedelta(hours=hour))
            else:
                assert found.until is not None
                assert rule.verdict(ledger(found.until, accepted)) is None
        times = sorted(contact.time for contact in accepted)
        assert all(b - a >= timedelta(hours=gap) for a, b in pairwise(times))


class TestQuietHours:
    night = policy(kind="quiet_hours", start="21:00", end="08:00")

    @pytest.mark.parametrize(
        ("hour", "minute", "quiet"), [(6, 0, False), (18, 59, False), (19, 0, True), (5, 59, True), (0, 0, True)]
    )
    def test_it_is_the_customers_clock_that_counts(self, hour: int, minute: int, quiet: bool) -> None:
        moment = datetime(2026, 5, 6, hour, minute, tzinfo=UTC)
        assert (self.night.verdict(ledger(moment)) is not None) is quiet

    def test_an_unknown_zone_is_always_quiet(self) -> None:
        found = self.night.verdict(ledger(zone=None))
        assert found is not None
        assert found.until is None

    def test_it_ends_at_the_local_end_on_both_clock_changes(self) -> None:
        spring = self.night.verdict(ledger(datetime(2026, 3, 29, 0, 30, tzinfo=UTC)))
        autumn = self.night.verdict(ledger(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)))
        assert spring is not None
        assert autumn is not None
        assert spring.until == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)
        assert autumn.until == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)

    def test_in_the_hour_that_comes_twice_it_ends_at_the_second_end(self) -> None:
        late = policy(kind="quiet_hours", start="22:00", end="02:30")
        second = late.verdict(ledger(datetime(2026, 10, 25, 1, 15, tzinfo=UTC)))
        assert second is not None
        assert second.until == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    def test_an_end_that_no_clock_shows_is_the_moment_of_the_change(self) -> None:
        short = policy(kind="quiet_hours", start="01:00", end="02:30")
        found = short.verdict(ledger(datetime(2026, 3, 29, 0, 30, tzinfo=UTC)))
        assert found is not None
        assert found.until == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)

    @given(st.integers(0, 366 * 24 * 4), st.times(), st.times())
    def test_it_is_quiet_until_it_says_and_not_then(self, quarters: int, start: Any, end: Any) -> None:
        start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
        if start == end:
            return
        rule = policy(kind="quiet_hours", start=start, end=end)
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarters)
        found = rule.verdict(ledger(moment))
        if found is not None:
            assert found.until is not None
            assert moment < found.until
            assert rule.verdict(ledger(found.until)) is None


class TestQuietDays:
    def test_sundays_and_holidays_are_quiet_and_say_when_they_end(self) -> None:
        rule = policy(kind="quiet_days", weekdays="sunday", holidays="DE")
        friday = datetime(2026, 5, 1, 10, tzinfo=UTC)
        found = rule.verdict(ledger(friday))
        assert found is not None
        assert found.until == datetime(2026, 5, 1, 22, tzinfo=UTC)
        assert rule.verdict(ledger(datetime(2026, 5, 2, 10, tzinfo=UTC))) is None
        assert rule.verdict(ledger(datetime(2026, 5, 3, 10, tzinfo=UTC))) is not None

    @pytest.mark.parametrize(
        "values",
        [
            {},
            {"holidays": "XX"},
            {"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]},
        ],
    )
    def test_days_that_make_no_sense_are_refused(self, values: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            policy(kind="quiet_days", **values)


class TestPairs:
    def test_never_b_soon_after_a(self) -> None:
        rule = policy(kind="never_after", scope={"programme": "b"}, first={"programme": "a"}, within="3d")
        found = rule.verdict(ledger(contacts=sent(NOON - timedelta(days=1), programme="a")))
        assert found is not None
        assert found.until == NOON + timedelta(days=2)
        assert rule.verdict(ledger(contacts=sent(NOON - timedelta(days=3), programme="a"))) is None

    @pytest.mark.parametrize("ahead", [timedelta(microseconds=1), timedelta(hours=5), timedelta(days=30)])
    def test_a_contact_dated_ahead_holds_back_what_may_not_follow_it(self, ahead: timedelta) -> None:
        rule = policy(kind="never_after", scope={"programme": "b"}, first={"programme": "a"}, within="3d")
        found = rule.verdict(ledger(contacts=sent(NOON + ahead, programme="a")))
        assert found is not None
        assert found.until == NOON + ahead + timedelta(days=3)
        earlier = sent(NOON - timedelta(days=9), NOON + ahead, programme="a")
        assert rule.verdict(ledger(contacts=earlier)) == found

    def test_a_contact_that_lies_ahead_holds_the_other_back(self) -> None:
        ahead = sent(NOON + timedelta(hours=5), programme="b")
        (itself, before) = policy(
            kind="never_after", scope={"programme": "b"}, first={"programme": "a"}, within="3d"
        ).bound([])
        assert itself.verdict(ledger(contacts=ahead)) is None
        found = before.verdict(ledger(contacts=ahead))
        assert before.scope.programme == ("a",)
        assert found is not None
        assert (found.observed, found.until) == ("such a contact 5.0 hours ahead", NOON + timedelta(hours=5))
        pair = policy(kind="never_with", scope={"programme": "a"}, other={"programme": "b"}, within="3d")
        assert pair.verdict(ledger(contacts=ahead)) is not None

    def test_b_only_soon_after_a(self) -> None:
        rule = policy(kind="only_after", scope={"programme": "b"}, first={"programme": "a"}, within="3d")
        assert rule.verdict(ledger(contacts=sent(NOON - timedelta(days=1), programme="a"))) is None
        assert rule.verdict(ledger()) is not None
        assert rule.verdict(ledger(contacts=sent(NOON - timedelta(days=3), programme="a"))) is not None

    @pytest.mark.parametrize("kind", ["never_after", "only_after"])
    def test_a_contact_that_counts_toward_no_cap_is_a_contact_all_the_same(self, kind: str) -> None:
        rule = policy(kind=kind, scope={"programme": "b"}, first={"programme": "a"}, within="3d")
        uncounted = sent(NOON - timedelta(days=1), programme="a", counts=False)
        assert (rule.verdict(ledger(contacts=uncounted)) is None) == (kind == "only_after")

    def test_never_a_with_b_stands_for_both_orders(self) -> None:
        rule = policy(kind="never_with", scope={"programme": "a"}, other={"programme": "b"}, within="3d")
        scopes = [bound.scope.programme for bound in rule.bound([]) if isinstance(bound, NeverAfter)]
        assert scopes == [("b",), ("a",)]
        assert rule.verdict(ledger(contacts=sent(NOON - timedelta(days=1), programme="b"))) is not None


class TestSuppression:
    def test_an_outcome_keeps_its_scope_quiet_for_a_time(self) -> None:
        rule = policy(kind="suppression", on=["complained", "unsubscribed"], lasts="30d")
        found = rule.verdict(ledger(events=[Event("complained", NOON - timedelta(days=3))]))
        assert found is not None
        assert found.until == NOON + timedelta(days=27)
        assert rule.verdict(ledger(events=[Event("complained", NOON - timedelta(days=30))])) is None

    def test_with_per_only_events_of_the_same_message_suppress(self) -> None:
        class Hello:
            channel, programme, message, tags = "email", "welcome", "hello", ()

        (bound,) = policy(kind="suppression", on="dismissed", lasts="7d", per="message").bound([Hello()])
        other = Event("dismissed", NOON - timedelta(days=1), subject="other")
        same = Event("dismissed", NOON - timedelta(days=1), subject="hello")
        assert bound.verdict(ledger(events=[other])) is None
        assert bound.verdict(ledger(events=[other, same])) is not None


def test_a_policy_per_channel_stands_for_one_on_each() -> None:
    class Action:
        def __init__(self, channel: str) -> None:
            self.channel, self.programme, self.message = channel, "p", "m"
            self.tags: tuple[str, ...] = ()

    bound = policy(kind="cap", max=1, window="1d", per="channel").bound([Action("sms"), Action("email"), Action("sms")])
    assert [(rule.id, rule.scope) for rule in bound] == [
        ("rule[email]", Scope(channel="email")),
        ("rule[sms]", Scope(channel="sms")),
    ]


@pytest.mark.parametrize("window", ["0d", "-3d", "3 weeks", "", 7])
def test_a_window_that_is_not_a_duration_is_refused(window: Any) -> None:
    with pytest.raises(ValidationError):
        policy(kind="cap", max=1, window=window)
