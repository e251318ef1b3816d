"""Points and tiers of a catalogue, computed by the kernel and read by its conditions and texts."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tactful.decisions.base.errors import CatalogueError
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.loyalty import Loyalty
from tactful.decisions.catalogue.messages import Reader
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.kernel.decide import Request, decide
from tactful.decisions.loading import parse_catalogue
from tactful.experiments.samples.rule_of_thumb import RuleOfThumb
from tactful.features.build import build_one
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.history import history
from tactful.features.kernel.program import compile_features
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tests.checked_text import CheckedText
from tests.decisions.rehearsal import GREEDY, VOCABULARY

SATURDAY = datetime(2026, 5, 2, 12, tzinfo=UTC)
MONDAY = datetime(2026, 5, 4, 12, tzinfo=UTC)

CARD = """
loyalty:
  points:
    per_currency: 2
    expire_after: 365d
    bonuses:
      - {id: weekend, on: purchase, weekdays: [saturday, sunday], multiplier: 2}
      - {id: app, on: purchase, channels: in_app, multiplier: 1.5}
      - {id: review, on: review, points: 50}
      - {id: feedback, on: survey, points: 20, qualifying: true}
  tier:
    levels: {silver: 100, gold: 500}
"""
CATALOGUE = CheckedText(f"""
catalogue: card
currency: EUR
timezone: Europe/Berlin
channels:
  email: {{subject: true}}
{CARD}
segments:
  gold: features.tier >= 2.0
programmes:
  - id: level
    trigger: {{kind: threshold, when: features.tier >= 1.0, key: string(int(features.tier)), expiry: 7d}}
    reentry: 1d
    messages:
      - id: gold
        channels: email
        state: segment.gold
        value: features.points_spendable * 0.1
        effect: {{mean: 0.1}}
        content: {{subject: Gold, body: "You have {{{{ features.points_spendable | default: 0 | floor }}}} points."}}
      - id: silver
        channels: email
        state: "!segment.gold"
        value: 10
        effect: {{mean: 0.1}}
        content:
          subject: Silver
          body: "{{{{ features.to_next_tier | default: 0 | ceil }}}} more to gold."
""")
COMPILED = parse_catalogue(CATALOGUE, VOCABULARY)


def happened(*events: tuple[datetime, str, float], channel: str = "web", **columns: Any) -> Any:
    """A history: each event with its amount or, where it has no amount, its quantity."""
    paid = ("purchase", "refund")
    return history(
        "Europe/Berlin",
        [microseconds(moment) for moment, _, _ in events],
        [EVENT_TYPES.index(kind) for _, kind, _ in events],
        amount=[number if kind in paid else 0.0 for _, kind, number in events],
        quantity=[0.0 if kind in paid else number for _, kind, number in events],
        channel=CHANNELS.index(channel),
        **columns,
    )


def card(
    events: Any, moment: datetime = MONDAY + timedelta(days=7), loyalty: Loyalty | None = None
) -> dict[str, float]:
    features = FeatureSet((loyalty or _loyalty()).features())
    values = build_one(events, moment, compile_features(features))
    return dict(zip(features.names, values.tolist(), strict=True))


def _loyalty() -> Loyalty:
    assert COMPILED.catalogue.loyalty is not None
    return COMPILED.catalogue.loyalty


@pytest.mark.parametrize(
    ("events", "points"),
    [
        ([(MONDAY, "purchase", 10.0)], 20),
        ([(SATURDAY, "purchase", 10.0)], 40),
        ([(MONDAY, "review", 0.0)], 50),
        ([(MONDAY, "earned", 7.0)], 7),
        ([(SATURDAY, "purchase", 10.0), (MONDAY, "refund", -10.0)], 20),
        ([(SATURDAY, "purchase", 10.0), (MONDAY, "spent", 30.0)], 10),
        ([], 0),
    ],
    ids=[
        "paid",
        "double at the weekend",
        "a named action",
        "credited",
        "a refund takes no bonus back",
        "spent",
        "none",
    ],
)
def test_points_are_earned_and_spent(events: list[tuple[datetime, str, float]], points: float) -> None:
    assert card(happened(*events))["points_spendable"] == points


def test_a_channel_can_have_its_own_bonus() -> None:
    assert card(happened((MONDAY, "purchase", 10.0), channel="in_app"))["points_spendable"] == 30


def test_the_weekend_is_the_customers_calendar_not_utc() -> None:
    friday_night_in_utc = datetime(2026, 5, 1, 22, 30, tzinfo=UTC)
    assert card(happened((friday_night_in_utc, "purchase", 10.0)))["points_spendable"] == 40


def test_spending_points_costs_no_tier_and_named_actions_count_only_where_they_qualify() -> None:
    found = card(
        happened(
            (SATURDAY, "purchase", 10.0), (MONDAY, "review", 0.0), (MONDAY, "survey", 0.0), (MONDAY, "spent", 60.0)
        )
    )
    assert (found["points_spendable"], found["points_qualifying"]) == (50, 40)


def test_points_say_when_they_expire() -> None:
    bought = happened((MONDAY, "purchase", 10.0), (MONDAY + timedelta(days=200), "purchase", 5.0))
    soon = MONDAY + timedelta(days=340)
    assert [card(bought, soon)[name] for name in ("points_spendable", "points_expiring_30d")] == [30, 20]
    late = MONDAY + timedelta(days=365, seconds=1)
    assert [card(bought, late)[name] for name in ("points_spendable", "points_expiring_30d")] == [10, 0]


@pytest.mark.parametrize(
    ("paid", "tier", "missing", "above"),
    [
        (0.0, 0, 100, 0),
        (99.99, 0, 0.01, 99.99),
        (100.0, 1, 400, 0),
        (499.99, 1, 0.01, 399.99),
        (510.0, 2, math.nan, 10),
    ],
)
def test_the_tier_follows_what_was_paid(paid: float, tier: int, missing: float, above: float) -> None:
    found = card(happened((MONDAY, "purchase", paid)))
    standing = [found[name] for name in ("tier", "to_next_tier", "above_tier")]
    assert standing == pytest.approx([tier, missing, above], nan_ok=True)


def test_a_tier_is_lost_when_its_year_is_over() -> None:
    bought = happened((MONDAY, "purchase", 100.0))
    assert [card(bought, MONDAY + timedelta(days=d))["tier"] for d in (365, 366)] == [1, 0]


def test_a_tier_can_follow_qualifying_points() -> None:
    tier = {"measure": "points", "levels": {"silver": 60, "gold": 500}}
    loyalty = Loyalty.model_validate(_loyalty().model_dump() | {"tier": tier})
    found = card(happened((MONDAY, "purchase", 25.0), (MONDAY, "survey", 0.0)), loyalty=loyalty)
    assert [found[name] for name in ("points_qualifying", "tier", "to_next_tier")] == [70, 1, 430]
    assert "tier_spend" not in found


def test_points_that_never_expire_are_not_told_to_and_a_card_needs_no_tiers() -> None:
    plain = Loyalty.model_validate({"points": {"per_currency": 1, "expire_after": None}})
    assert card(happened((MONDAY, "purchase", 9.0)), MONDAY + timedelta(days=4000), plain) == {"points_spendable": 9}


def test_the_catalogue_brings_its_features_behind_those_that_models_read() -> None:
    features = COMPILED.catalogue.feature_set(STANDARD)
    assert features.names == COMPILED.vocabulary.features
    assert features.names[: COMPILED.scored] == STANDARD.names
    assert features.families["loyalty"][:2] == ("points_spendable", "points_expiring_30d")
    plain = Catalogue.model_validate(COMPILED.catalogue.model_dump() | {"loyalty": None})
    assert plain.feature_set(STANDARD) is STANDARD


def test_compiling_again_for_the_same_vocabulary_changes_nothing() -> None:
    again = CompiledCatalogue(COMPILED.catalogue, COMPILED.vocabulary)
    assert (again.vocabulary, again.scored, again.version) == (COMPILED.vocabulary, COMPILED.scored, COMPILED.version)


def test_conditions_amounts_and_texts_read_points_and_tiers_while_models_do_not() -> None:
    program = compile_features(COMPILED.catalogue.feature_set(STANDARD))

    def outcome(paid: float) -> tuple[str, str]:
        values = build_one(happened((SATURDAY, "purchase", paid)), MONDAY, program)
        snapshot = Snapshot("c", MONDAY, tuple(values.tolist()), (), consents={("email", "marketing"): True})
        decision = decide([Request("d", snapshot)], COMPILED, GREEDY, RuleOfThumb())[0]
        assert decision.choice is not None
        reader = Reader(snapshot, COMPILED.catalogue, COMPILED.vocabulary.features)
        rule = next(rule for rule in COMPILED.rules if rule.action.id == decision.outcome)
        return decision.outcome, COMPILED.text(rule).render(reader.values(rule.message, None), reader.now).body

    assert outcome(600.0) == ("level/gold/email", "You have 2400 points.")
    assert outcome(450.5) == ("level/silver/email", "50 more to gold.")


@pytest.mark.parametrize(
    ("fragment", "replacement", "said"),
    [
        ("on: review, points: 50", "on: revue, points: 50", "unknown 'revue'"),
        ("channels: in_app", "channels: fax", "unknown 'fax'"),
        ("on: review, points: 50", "on: review", "either multiplier or points"),
        ("on: review, points: 50", "on: review, points: 50, multiplier: 2", "either multiplier or points"),
        ("on: review, points: 50", "on: review, multiplier: 2", "a multiplier of what is not paid"),
        ("weekdays: [saturday, sunday]", "weekdays: caturday", "caturday"),
        ("{silver: 100, gold: 500}", "{silver: 500, gold: 100}", "levels that do not ascend"),
        ("{silver: 100, gold: 500}", "{silver: 0, gold: 100}", "levels that do not ascend"),
        ("per_currency: 2", "per_currency: 0", "greater than 0"),
        ("expire_after: 365d", "expire_after: 0d", "greater than"),
        ("expire_after: 365d", "expire_after: 40000d", "too long a duration"),
        ("features.tier >= 2.0", "features.teer >= 2.0", "undeclared reference to 'features.teer'"),
        (CARD, "", "undeclared reference to 'features.tier'"),
    ],
)
def test_a_mistake_has_its_line(fragment: str, replacement: str, said: str) -> None:
    assert fragment in CATALOGUE
    with pytest.raises(CatalogueError) as caught:
        parse_catalogue(CATALOGUE.replace(fragment, replacement, 1), VOCABULARY)
    found = [finding for finding in caught.value.findings if said in finding.message]
    assert found
    assert all(finding.line > 1 for finding in found)
