"""Strata: drawn from the id alone, logged, and what each of them does to a choice."""

from collections import Counter
from datetime import date

import numpy as np
import pytest

from tactful.decisions.analysis.remedies import remedies
from tactful.decisions.catalogue.objective import Exploration, Holdout
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.kernel.exploration import held_out, stratum
from tactful.decisions.kernel.slate import slate
from tests.decisions.retailer import CATALOGUE, LAPSING, KnownScorer, compiled, having

N = 10_000
STATED = "exploration: {holdout: 0, uniform: 0}\n"


def exploring(stated: str = "", more: str = "") -> str:
    assert STATED in CATALOGUE
    return CATALOGUE.replace(STATED, f"exploration: {stated}\n{more}" if stated else more)


def decided_for(customer: str, text: str, run_context: RunContext | None = None) -> Decision:
    shop = compiled(text)
    request = Request(f"d-{customer}", having(LAPSING, customer=customer))
    return decide([request], shop, shop.catalogue.policy, KnownScorer(), run_context)[0]


def test_a_catalogue_explores_unless_it_says_otherwise() -> None:
    silent = compiled(exploring()).catalogue
    drawn = Counter(stratum(silent, f"c{i}") for i in range(N))
    for name in ("holdout", "uniform"):
        assert drawn[name] / N == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / N))
    assert {stratum(compiled().catalogue, f"c{i}") for i in range(1000)} == {"policy"}


def test_a_salt_draws_other_customers_and_a_share_that_grows_keeps_those_it_had() -> None:
    def drawn(stated: str) -> set[str]:
        shop = compiled(exploring(stated)).catalogue
        return {f"c{i}" for i in range(1000) if stratum(shop, f"c{i}") == "holdout"}

    few, more, others = (drawn(s) for s in ("{holdout: 0.1}", "{holdout: 0.2}", "{holdout: 0.1, salt: x}"))
    assert few < more
    assert few != others


def test_a_holdout_stated_by_itself_is_drawn_as_ever_and_takes_the_place_of_the_explorations() -> None:
    shop = compiled(exploring("{uniform: 0.1}", "holdout: {share: 0.1, salt: all}\n")).catalogue
    alone = {f"c{i}" for i in range(1000) if stratum(shop, f"c{i}") == "holdout"}
    assert alone == {f"c{i}" for i in range(1000) if held_out(Holdout(share=0.1, salt="all"), f"c{i}")}


def test_in_the_uniform_stratum_survivors_and_silence_are_all_alike() -> None:
    decision = decided_for("c1", exploring("{holdout: 0, uniform: 1}"))
    survivors = list(decision.survivors)
    assert decision.stratum == "uniform"
    assert decision.as_dict()["stratum"] == "uniform"
    assert {c.probability for c in survivors} | {decision.silence_probability} == {1 / (len(survivors) + 1)}


def test_who_is_held_out_gets_nothing() -> None:
    decision = decided_for("c1", exploring("{holdout: 1, uniform: 0}"))
    assert decision.outcome == "silence"
    assert {e.gate for c in decision.candidates for e in c.exclusions} >= {"holdout"}


def test_mandatory_messages_compete_alone_in_every_stratum() -> None:
    text = exploring("{holdout: 1, uniform: 0}").replace("value: 5\n", "value: 0\n        mandatory: true\n")
    shop = compiled(text)
    birthday = having(customer="c1", attributes={"birthday": date(1990, 5, 6)})
    (decision,) = decide([Request("d", birthday)], shop, shop.catalogue.policy, KnownScorer())
    assert decision.outcome == "birthday/happy_birthday/email"


def test_the_stratum_may_be_left_out_of_account() -> None:
    text = exploring("{holdout: 0, uniform: 1}")
    assert decided_for("c1", text, RunContext(explores=False)).probability == 1.0
    shop, request = compiled(text), Request("d", LAPSING)
    assert remedies(request, shop, KnownScorer()) == remedies(request, compiled(), KnownScorer())


def test_a_slate_explores_as_its_first_place_does() -> None:
    text = exploring("{holdout: 0, uniform: 1}")
    filled = next(
        places
        for i in range(100)
        for decision in [decided_for(f"c{i}", text)]
        for places in [slate(decision, compiled().catalogue.policy, places=2, per_programme=2)]
        if len(places) == 2
    )
    assert [place.probability for place in filled] == pytest.approx([1 / 5, 1 / 3])


def test_shares_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"add up to 1\.2: wanted at most 1"):
        Exploration(holdout=0.6, uniform=0.6)
