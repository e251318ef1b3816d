"""Customers made to order: each action of a catalogue with everything in it has one."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest

from tactful.decisions.catalogue.compiled import Rule
from tactful.decisions.catalogue.selection import Greedy
from tactful.decisions.conformance.kit import FixedScorer
from tactful.decisions.conformance.personas import Persona, personas
from tactful.decisions.kernel.decide import Request, decide
from tests.conformance.shop import SHOP

RULES = {rule.action.id: rule for rule in SHOP.rules}


def open_to(persona: Persona, **changes: timedelta) -> set[str]:
    """The actions whose programmes, states and eligibility let a persona in, asked some time later."""
    snapshot = persona.at(persona.base.moment + changes.get("later", timedelta()))
    request = Request("d", snapshot)
    (decision,) = decide([request], SHOP, Greedy(kind="greedy"), FixedScorer(persona.scores))
    about = {"state", "eligibility", "consent", "holdout", "pair"}
    return {c.action.id for c in decision.candidates if not about & {e.gate for e in c.exclusions}}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_each_action_is_open_to_somebody(rule: Rule) -> None:
    assert any(rule.action.id in open_to(persona) for persona in islice(personas(SHOP, rule), 20))


@pytest.mark.parametrize("action", ["thanks/thank_you/email", "birthday/many_returns/email", "win_back/come_back/sms"])
def test_it_is_so_at_another_moment_too(action: str) -> None:
    persona = next(personas(SHOP, RULES[action]))
    assert action in open_to(persona, later=timedelta(days=90, hours=1))


def test_a_persona_may_belong_to_a_segment() -> None:
    persona = next(personas(SHOP, RULES["news/tuesday_news/email"], "rich"))
    spend = persona.base.features[SHOP.vocabulary.features.index("spend")]
    assert spend > 2000
    assert int(spend) % 1000 >= 500
    assert persona.base.moment.weekday() == 1


def test_for_an_action_that_cannot_be_sent_there_is_nobody() -> None:
    birthday = RULES["birthday/many_returns/email"]
    never = birthday.message.model_copy(update={"state": "scores.lapse > 1.0 && scores.lapse < 0.0"})
    assert list(personas(SHOP, replace(birthday, message=never))) == []
