"""A shop with every kind of trigger, policy and late-joiner rule, and what is found about it."""

from collections.abc import Mapping
from typing import Any

from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.conformance.conform import Check, Decide, conform
from tactful.decisions.kernel.decide import decide
from tactful.decisions.loading import parse_catalogue
from tests.checked_text import CheckedText

VOCABULARY = Vocabulary(features=("days_since_purchase", "spend"), scores=("lapse",))

CATALOGUE = CheckedText("""
catalogue: everything
currency: EUR
timezone: America/New_York
objective: propensity
attributes:
  birthday: {type: date}
  joined_on: {type: date}
  tier: {type: string, default: none}
segments:
  at_risk: scores.lapse >= 0.4
  rich: int(features.spend) % 1000 >= 500 && features.spend > 2000.0
channels:
  email: {cost: 0.01}
  sms: {cost: 0.1}
contact_policies:
  - {id: weekly, kind: cap, max: 3, window: 7d}
  - {id: hourly, kind: cap, max: 1, window: 30m, per: channel}
  - {id: rich_people, kind: cap, max: 1, window: 24h, segment: rich}
  - {id: breath, kind: gap, min: 20m}
  - {id: night, kind: quiet_hours, start: "21:00", end: "08:00"}
  - {id: lunch, kind: quiet_hours, start: "12:30", end: "13:30", scope: {channel: sms}}
  - {id: sundays, kind: quiet_days, weekdays: sunday, holidays: US, scope: {channel: sms}}
  - {id: one_plea, kind: never_with, scope: {programme: win_back}, other: {programme: news}, within: 3d}
  - {id: review_after_thanks, kind: only_after, scope: {programme: review}, first: {programme: thanks}, within: 10d}
  - {id: sorry, kind: suppression, on: complained, lasts: 30d}
  - {id: dismissed, kind: suppression, on: dismissed, lasts: 7d, per: message}
policy: {kind: inverse_gap, gamma: 5}
holdout: {share: 0.1, salt: shop}
programmes:
  - id: thanks
    trigger: {kind: event, type: purchase, where: event.amount >= 50.0 && event.channel == 'web', delay: 1h, expiry: 3d}
    messages:
      - {id: thank_you, channels: [email, sms], state: customer.tier != 'lead', value: 1,
         response: {mean: 0.3}, content: {body: Thanks}}
  - id: thanks_again
    trigger: {kind: always, expiry: 2d, after: {programme: thanks, wait: 1d}}
    messages:
      - {id: once_more, channels: email, state: event.amount > 70.0, value: 2, response: {mean: 0.3},
         content: {body: Again}}
  - id: win_back
    trigger: {kind: absence, type: purchase, without: [purchase, refund], within: 28d, expiry: 30d, late_joiner: skip}
    reentry: 14d
    supersedes: news
    messages:
      - {id: come_back, channels: sms, state: segment.at_risk && features.days_since_purchase > 27.5, value: 9,
         response: {mean: 0.2}, content: {body: Come back}}
  - id: birthday
    trigger: {kind: date, attribute: birthday, expiry: 2d, at: "09:00", leap_day: 03-01}
    messages:
      - {id: many_returns, channels: email, state: local.month != 7, value: 5, response: {mean: 0.2},
         content: {body: Happy birthday}}
  - id: first_week
    series: onboarding
    trigger: {kind: date, attribute: joined_on, every: once, days_after: 7, expiry: 20d}
    messages: [{id: week_one, channels: email, value: 5, response: {mean: 0.2}, content: {body: One}}]
  - id: second_week
    series: onboarding
    trigger: {kind: date, attribute: joined_on, every: once, days_after: 14, expiry: 20d}
    messages: [{id: week_two, channels: email, value: 5, response: {mean: 0.2}, content: {body: Two}}]
  - id: review
    trigger: {kind: event, type: delivered, expiry: 9d, late_joiner: all}
    messages: [{id: how_was_it, channels: email, value: 5, response: {mean: 0.2}, content: {body: How was it}}]
  - id: level
    trigger: {kind: threshold, when: segment.rich, key: string(int(features.spend) / 1000), expiry: 7d}
    reentry: 30d
    messages: [{id: new_level, channels: email, value: 5, response: {mean: 0.2}, content: {body: A new level}}]
  - id: news
    purpose: news
    trigger: {kind: always, expiry: 1d}
    reentry: 7d
    messages:
      - {id: tuesday_news, channels: email, state: local.weekday == 1 && local.hour >= 9, value: 5,
         response: {mean: 0.2}, content: {body: News}}
""")

SHOP = parse_catalogue(CATALOGUE, VOCABULARY)


def outcomes(compiled: CompiledCatalogue = SHOP, core: Decide = decide) -> dict[tuple[str, str], Check]:
    """What is found, by promise and subject."""
    return {(check.name, check.subject): check for check in conform(compiled, core)}


def failures(compiled: CompiledCatalogue = SHOP, core: Decide = decide) -> set[tuple[str, str]]:
    """The promises that are broken, each with its subject."""
    return {key for key, check in outcomes(compiled, core).items() if check.outcome == "failed"}


def with_policy(broken: ContactPolicy) -> CompiledCatalogue:
    """The shop with another policy in place of the one of the same id."""
    policies = tuple(broken if p.id == broken.id else p for p in SHOP.catalogue.contact_policies)
    return _shop(contact_policies=policies)


def with_trigger(programme: str, broken: type[Any]) -> CompiledCatalogue:
    """The shop with a programme's trigger made one of another type."""
    programmes = []
    for p in SHOP.catalogue.programmes:
        trigger = broken(**p.trigger.model_dump()) if p.id == programme else p.trigger
        programmes.append(p.model_copy(update={"trigger": trigger}))
    return _shop(programmes=tuple(programmes))


def _shop(**changes: Mapping[str, Any] | Any) -> CompiledCatalogue:
    return CompiledCatalogue(SHOP.catalogue.model_copy(update=changes), VOCABULARY)
