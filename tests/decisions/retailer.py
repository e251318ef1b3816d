"""A small retailer: a catalogue with one of each kind of rule, a scorer with known scores, and snapshots."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.selection import Policy
from tactful.decisions.kernel.decide import Request, RunContext, Scorer, decide
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.loading import parse_catalogue
from tactful.features.array_types import Floats
from tests.checked_text import CheckedText

VOCABULARY = Vocabulary(
    features=("days_since_purchase", "spend"),
    scores=("lapse",),
    offers={"kind": ("A", "B"), "days": None},
)
NOON = datetime(2026, 5, 6, 16, tzinfo=UTC)
"""A Wednesday, noon in New York."""

CATALOGUE = CheckedText("""
catalogue: retailer
currency: USD
timezone: America/New_York
objective: propensity
policy: {kind: greedy}
exploration: {holdout: 0, uniform: 0}
attributes:
  first_name: {type: string}
  birthday: {type: date}
segments:
  at_risk: scores.lapse >= 0.4
  rich: features.spend >= 100.0
channels:
  email: {cost: 0.01, subject: true, html: true}
  mail: {cost: 0.5}
contact_policies:
  - {id: weekly, kind: cap, max: 2, window: 7d}
  - {id: one_mail, kind: cap, max: 1, window: 28d, scope: {channel: mail}}
  - {id: breath, kind: gap, min: 24h, per: channel}
  - {id: night, kind: quiet_hours, start: "21:00", end: "08:00", scope: {channel: email}}
  - {id: sorry, kind: suppression, on: complained, lasts: 30d}
programmes:
  - id: win_back
    trigger: {kind: threshold, when: segment.at_risk && features.days_since_purchase > 14.0, expiry: 7d}
    reentry: 28d
    messages:
      - id: miss_you
        channels: [email, mail]
        state: segment.at_risk
        value: 10
        response: {mean: 0.1}
        content: {subject: We miss you, body: "Dear {{ customer.first_name | default: 'friend' }}, come back."}
      - id: come_back_coupon
        channels: [email, mail]
        state: segment.at_risk && segment.rich
        value: features.spend * 0.1
        discount: 2
        offer: {kind: A, days: 30}
        content: {subject: A coupon, body: "A coupon for {{ offer.days }} days."}
  - id: birthday
    trigger: {kind: date, attribute: birthday, expiry: 7d}
    messages:
      - id: happy_birthday
        channels: email
        value: 5
        response: {mean: 0.2}
        content: {subject: Happy birthday, body: "Dear {{ ${first_name} | default: 'friend' }}."}
  - id: thanks
    trigger: {kind: event, type: purchase, where: event.amount >= 50.0, expiry: 3d}
    messages:
      - id: thank_you
        channels: email
        value: 1
        response: {mean: 0.3}
        content: {subject: Thank you, body: "For {{ event.amount | default: 0 }} USD."}
""")


class KnownScorer(Scorer):
    """Lapse risk and response read from the features themselves, so that a test knows them.

    The lapse risk is `days_since_purchase / 40`, at most 1; the response to any offer is `spend / 1000`.
    """

    version = "known"
    fingerprint = "two-features"

    def score_customers(self, features: Floats) -> Mapping[str, Floats]:
        return {"lapse": np.minimum(features[:, 0] / 40, 1.0)}

    def score_actions(self, features: Floats, offers: Sequence[Mapping[str, float | str]]) -> Floats:
        assert len(offers) == len(features)
        return np.asarray(features[:, 1] / 1000)

    def score_effects(self, features: Floats, messages: Sequence[str]) -> Floats:
        assert len(messages) == len(features)
        return np.full((len(messages), 3), np.nan)


def compiled(text: str = CATALOGUE) -> CompiledCatalogue:
    return parse_catalogue(text, VOCABULARY)


RETAILER = compiled()

LAPSING = Snapshot(
    customer="c1",
    moment=NOON,
    features=(30.0, 200.0),
    contacts=(),
    attributes={"first_name": "Ada", "birthday": date(1990, 1, 1)},
    consents={("email", "marketing"): True, ("mail", "marketing"): True},
    zone="America/New_York",
)


def at(days: float = 0, hours: float = 0) -> datetime:
    """A moment before noon of the day of decision."""
    return NOON - timedelta(days=days, hours=hours)


def contact(days: float, channel: str = "email", **traits: Any) -> Contact:
    return Contact(at(days), channel, **traits)


def event(type_: str, days: float, **traits: Any) -> Event:
    return Event(type_, at(days), **traits)


def having(snapshot: Snapshot = LAPSING, **changes: Any) -> Snapshot:
    return replace(snapshot, **changes)


def decided(
    snapshot: Snapshot,
    catalogue: CompiledCatalogue = RETAILER,
    policy: Policy | None = None,
    run_context: RunContext | None = None,
    decision_id: str = "d1",
) -> Decision:
    request = Request(decision_id, snapshot)
    return decide([request], catalogue, policy or catalogue.catalogue.policy, KnownScorer(), run_context)[0]


def reasons(decision: Decision, action: str) -> set[str]:
    """The gates that excluded an action."""
    return {e.gate for c in decision.candidates if c.action.id == action for e in c.exclusions}
