"""The next free moment of a channel: the first at which its gates let something pass, and not a moment before."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.kernel.availability import next_free
from tactful.decisions.kernel.evaluation import Evaluation
from tactful.decisions.kernel.gates import channel_gates
from tactful.decisions.loading import parse_catalogue

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
CATALOGUE = """
catalogue: shop
currency: USD
objective: propensity
timezone: Europe/Paris
channels: {email: {}, sms: {}, push: {}}
contact_policies:
  - {id: weekly, kind: cap, max: 2, window: 7d, scope: {channel: [email, sms]}}
  - {id: apart, kind: gap, min: 2d, scope: {channel: email}}
  - {id: night, kind: quiet_hours, start: "21:00", end: "08:00"}
  - {id: complaint, kind: suppression, on: complained, lasts: 30d, scope: {channel: sms}}
programmes:
  - id: news
    trigger: {kind: always, expiry: 1d}
    reentry: 1d
    messages:
      - {id: letter, channels: [email, sms], value: 1, response: {mean: 0.1}, content: {subject: S, body: B}}
      - {id: urgent, channels: sms, value: 1, ignores_caps: true, response: {mean: 0.1}, content: {body: B}}
"""
ALLOWED = {("email", "marketing"): True, ("sms", "marketing"): True}


@pytest.fixture(scope="module")
def compiled() -> CompiledCatalogue:
    return parse_catalogue(CATALOGUE, Vocabulary(features=()))


def customer(
    contacts: tuple[Contact, ...] | None = (), events: tuple[Event, ...] = (), zone: str | None = None
) -> Snapshot:
    return Snapshot("c", NOW, (), contacts, events, consents=ALLOWED, zone=zone)


def test_a_channel_that_nothing_holds_back_is_free_now(compiled: CompiledCatalogue) -> None:
    found = next_free(compiled, customer(), {})
    assert list(found) == ["email", "sms"], "nothing goes by push"
    assert {free.moment for free in found.values()} == {NOW}
    assert not any(free.reasons for free in found.values())


def test_a_cap_and_then_a_night_are_waited_for(compiled: CompiledCatalogue) -> None:
    late = [Contact(NOW - timedelta(days=d), "email") for d in (6.5, 1)]
    free = next_free(compiled, customer(tuple(late)), {})["email"]
    assert [reason.rule for reason in free.reasons] == ["weekly", "apart"]
    assert free.moment == datetime(2026, 5, 7, 12, tzinfo=UTC)
    evening = [Contact(NOW + timedelta(hours=8, days=d), "email") for d in (-7, -3)]
    free = next_free(compiled, customer(tuple(evening)), {})["email"]
    assert free.moment == datetime(2026, 5, 7, 6, tzinfo=UTC), "the cap ends in the night, which ends at 8 in Paris"


def test_the_message_that_is_held_back_least_counts(compiled: CompiledCatalogue) -> None:
    found = next_free(compiled, customer(tuple(Contact(NOW - timedelta(days=d), "sms") for d in (1, 2))), {})
    assert found["sms"].moment == NOW, "the urgent one ignores caps"


def test_what_time_cannot_mend_has_no_free_moment(compiled: CompiledCatalogue) -> None:
    refused = Snapshot("c", NOW, (), (), consents={("email", "marketing"): False})
    found = next_free(compiled, refused, {})
    assert [(free.moment, free.reasons[0].observed) for free in found.values()] == [
        (None, "refused"),
        (None, "none given"),
    ]
    unreadable = next_free(compiled, customer(None), {})
    assert [(free.moment, free.reasons[0].gate) for free in unreadable.values()] == [(None, "history")] * 2


def test_a_suppression_ends(compiled: CompiledCatalogue) -> None:
    complaint = Event("complained", NOW - timedelta(days=10), channel="sms")
    assert next_free(compiled, customer(events=(complaint,)), {})["sms"].moment == NOW + timedelta(days=20)


@given(st.lists(st.integers(0, 14 * 24 * 60), max_size=8), st.integers(1, 60 * 24 * 7))
def test_before_the_free_moment_the_gates_are_closed_and_at_it_they_are_open(minutes: list[int], earlier: int) -> None:
    compiled = parse_catalogue(CATALOGUE, Vocabulary(features=()))
    contacts = tuple(Contact(NOW - timedelta(minutes=m), "email") for m in sorted(minutes))
    free = next_free(compiled, customer(contacts), {})["email"]
    assert free.moment is not None
    rule = next(rule for rule in compiled.rules if rule.action.channel == "email")

    def closed(moment: datetime) -> bool:
        snapshot = Snapshot("c", moment, (), contacts, consents=ALLOWED)
        return bool(channel_gates(rule, Evaluation(compiled, snapshot, {})))

    assert not closed(free.moment)
    before = free.moment - timedelta(minutes=earlier)
    assert before < NOW or closed(before)
