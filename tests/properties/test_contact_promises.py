"""The promises of contact policies, kept through any sequence of decisions, clock jumps, retries and duplicates.

The counting here is on purpose the slowest and most obvious there is; it shares nothing with the core.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.selection import RandomEligible
from tactful.decisions.kernel.decision import Decision
from tests.decisions.retailer import CATALOGUE, LAPSING, NOON, compiled, decided, having

MORE = """
  - {id: one_thanks, kind: cap, max: 1, window: 5d, scope: {message: thank_you}}
  - {id: apart, kind: never_with, scope: {channel: email}, other: {channel: mail}, within: 3d}
programmes:"""
FREQUENT = compiled(
    CATALOGUE.replace("reentry: 28d", "reentry: 1h")
    .replace("lasts: 30d", "lasts: 6h")
    .replace("\nprogrammes:", MORE, 1)
)
"""With little that holds contacts back but the rules in question, so that histories are full of contacts."""
CAPS: list[tuple[int, timedelta, Any]] = [
    (2, timedelta(days=7), lambda contact: True),
    (1, timedelta(days=28), lambda contact: contact.channel == "mail"),
    (1, timedelta(days=5), lambda contact: contact.message == "thank_you"),
]


class OneCustomer(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = NOON
        self.contacts: list[Contact] = []
        self.events: list[Event] = []
        self.decisions: dict[str, tuple[Snapshot, Decision]] = {}

    @rule(minutes=st.integers(1, 600), kind=st.sampled_from(["purchase"] * 5 + ["complained"]), twice=st.booleans())
    def something_happens_perhaps_delivered_twice(self, minutes: int, kind: str, twice: bool) -> None:
        event = Event(kind, self.clock - timedelta(minutes=minutes), id=f"e{len(self.events)}", amount=80.0)
        self.events += [event] * (2 if twice else 1)

    @rule(
        hours=st.one_of(st.integers(-100, -1), st.integers(1, 30), st.integers(24, 120)),
        days=st.sampled_from([5.0, 30.0, 50.0]),
        spend=st.sampled_from([50.0, 200.0]),
    )
    def the_clock_moves_or_is_put_back_and_a_contact_is_decided_and_reserved(
        self, hours: int, days: float, spend: float
    ) -> None:
        self.clock += timedelta(hours=hours)
        snapshot = self._snapshot((days, spend))
        name = f"d{len(self.decisions)}"
        decision = decided(snapshot, FREQUENT, RandomEligible(kind="random"), decision_id=name)
        self.decisions[name] = (snapshot, decision)
        if decision.choice is not None:
            action = decision.choice.action
            self.contacts.append(
                Contact(self.clock, action.channel, action.programme, action.message, opening=decision.choice.opening)
            )

    @precondition(lambda self: self.decisions)
    @rule(data=st.data())
    def a_request_is_repeated(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.decisions)))
        snapshot, before = self.decisions[name]
        again = decided(snapshot, FREQUENT, RandomEligible(kind="random"), decision_id=name)
        assert again.as_bytes() == before.as_bytes()

    @invariant()
    def no_window_of_any_cap_holds_more_than_its_maximum(self) -> None:
        for maximum, window, concerns in CAPS:
            times = [contact.time for contact in self.contacts if concerns(contact)]
            for start in times:
                assert sum(start <= time < start + window for time in times) <= maximum

    @invariant()
    def no_opening_is_answered_twice(self) -> None:
        answered = [contact.opening for contact in self.contacts if contact.programme == "thanks"]
        assert len(answered) == len(set(answered))

    @invariant()
    def no_email_is_near_a_letter(self) -> None:
        emails, letters = ([c.time for c in self.contacts if c.channel == channel] for channel in ("email", "mail"))
        assert all(abs(email - letter) >= timedelta(days=3) for email in emails for letter in letters)

    @invariant()
    def contacts_on_a_channel_are_a_day_apart_and_never_at_night(self) -> None:
        for channel in ("email", "mail"):
            times = sorted(contact.time for contact in self.contacts if contact.channel == channel)
            assert all(later - earlier >= timedelta(days=1) for earlier, later in pairwise(times))
        assert all(8 <= self._hour(c.time) < 21 for c in self.contacts if c.channel == "email")

    @staticmethod
    def _hour(moment: datetime) -> int:
        return moment.astimezone(ZoneInfo("America/New_York")).hour

    def _snapshot(self, features: tuple[float, float]) -> Snapshot:
        past = [event for event in self.events if event.time < self.clock]
        return having(
            LAPSING,
            moment=self.clock,
            features=features,
            contacts=tuple(self.contacts),
            events=tuple(sorted(past, key=lambda event: event.time)),
        )


TestOneCustomer = OneCustomer.TestCase
TestOneCustomer.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
