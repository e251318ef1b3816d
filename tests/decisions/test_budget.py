"""A price of contacts: decisions made again at it keep the budget, and a penny less would not."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactful.decisions.analysis.contact_price import price_within
from tactful.decisions.base.errors import AllocationError
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.selection import Greedy, InverseGap, Policy
from tactful.decisions.kernel.decide import Request, decide
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.loading import parse_catalogue
from tactful.experiments.samples.customers import END, generate
from tactful.experiments.samples.requests import requests
from tactful.experiments.samples.rule_of_thumb import RuleOfThumb
from tactful.features.definitions.standard import STANDARD

TEXT = Path("decisions/examples/retail.yaml").read_text(encoding="utf-8")
ASKED = END - timedelta(hours=8)
GREEDY, GAP = Greedy(kind="greedy"), InverseGap(kind="inverse_gap", gamma=20.0)


def retail(price: float = 0.0) -> CompiledCatalogue:
    text = f"{TEXT}\narbitration: {{contact_price: {price:g}}}\n"
    return parse_catalogue(text, Vocabulary(STANDARD.names, scores=("lapse",)), "retail.yaml")


def made(policy: Policy, price: float, asked: Sequence[Request]) -> list[Decision]:
    return decide(asked, retail(price), policy, RuleOfThumb())


def expected(decisions: Sequence[Decision]) -> float:
    return sum(1.0 - decision.silence_probability for decision in decisions)


@pytest.fixture(scope="module")
def asked() -> list[Request]:
    return requests(generate(120, seed=3), ASKED, retail())


@pytest.mark.parametrize("policy", [GREEDY, GAP])
@pytest.mark.parametrize("share", [0.9, 0.6])
def test_decisions_at_the_price_keep_the_budget(asked: list[Request], policy: Policy, share: float) -> None:
    log = made(policy, 0.0, asked)
    floor = price_within(log, expected(log), 1).least
    budget = floor + share * (expected(log) - floor)
    found = price_within(log, budget, weeks=1)
    assert found.price > 0
    assert found.before == pytest.approx(expected(log))
    assert found.contacts == pytest.approx(expected(made(policy, found.price, asked)))
    assert found.contacts <= budget < expected(made(policy, found.price - 0.01, asked))


def test_the_prices_of_the_log_do_not_matter(asked: list[Request]) -> None:
    dear, free = made(GREEDY, 0.5, asked), made(GREEDY, 0.0, asked)
    budget = 0.5 * expected(free)
    assert price_within(dear, budget, 1).price == price_within(free, budget, 1).price


def test_a_budget_that_is_kept_anyway_costs_nothing(asked: list[Request]) -> None:
    log = made(GREEDY, 0.0, asked)
    assert price_within(log, expected(log) / 2, weeks=2).price == 0.0


def test_a_budget_below_what_is_always_sent_is_refused(asked: list[Request]) -> None:
    with pytest.raises(AllocationError, match="a budget that no price keeps: got '1 contacts a week'; wanted at least"):
        price_within(made(GAP, 0.0, asked), 1, weeks=1)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 1.0), st.floats(0.3, 1.0))
def test_a_smaller_budget_is_never_cheaper(asked: list[Request], one: float, other: float) -> None:
    log = made(GREEDY, 0.0, asked[:40])
    low, high = sorted((one * expected(log), other * expected(log)))
    least = price_within(log, len(log), 1).least
    assert price_within(log, max(low, least), 1).price >= price_within(log, max(high, least), 1).price
