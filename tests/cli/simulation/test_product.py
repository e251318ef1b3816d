"""The product in the simulated shop decides as the rules of the world do, where it is told the same."""

import numpy as np
import pytest

from tactful.cli.simulation.past import past_rows
from tactful.cli.simulation.product import Product
from tactful.cli.simulation.shop import CATALOGUE, NAMES, Shop, ShopScorer
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.selection import PriorityList as FirstOfList
from tactful.decisions.kernel.decide import RunContext, decide
from tactful.decisions.loading import parse_catalogue
from tactful.experiments.world.parameters import ARMS, preset
from tactful.experiments.world.policies import PriorityList, RandomArm
from tactful.experiments.world.triggers import allowed, rhythm
from tactful.experiments.world.world import World

EXPLORATION = "exploration: {holdout: 0.05, uniform: 0.05, salt: world}"
DEAF = '    eligible: "!segment.deaf"\n'


def as_listed(cap: int) -> CompiledCatalogue:
    """The shop's catalogue as a plain list: nobody set apart, everything worth sending."""
    text = CATALOGUE.read_text("utf-8")
    for old, new in {
        EXPLORATION: "exploration: {holdout: 0, uniform: 0}",
        DEAF: "",
        "contact_price: 0.5": "contact_price: 0",
        "risk: 0.001": "risk: 0",
        "cost: 0.01": "cost: 0",
        "max: 2": f"max: {cap}",
    }.items():
        assert old in text
        text = text.replace(old, new)
    lines = [line for line in text.splitlines() if not line.strip().startswith(("discount:", "context:"))]
    return parse_catalogue("\n".join(lines), Vocabulary(NAMES, scores=("lapse", "clv")))


@pytest.mark.parametrize("cap", [1, 2])
def test_the_list_of_the_world_is_what_decide_makes_of_it(cap: int) -> None:
    world, compiled, rule = World(preset("realistic"), 80, 4, keep_events=True), as_listed(cap), PriorityList(cap)
    shop = Shop(world)
    told = Product(compiled, learns=False)
    for _ in range(30):
        requests = shop.requests(np.arange(80))
        decisions = decide(requests, compiled, FirstOfList(kind="priority_list"), ShopScorer(), RunContext())
        made = [ARMS.index(d.choice.action.message) if d.choice else 0 for d in decisions]
        assert made == rule.choose(world).tolist(), world.day
        for i, decision in enumerate(decisions):
            told.write_down(shop, i, decision)
        world.step(np.array(made))


def test_what_the_kernel_counts_is_what_the_world_keeps() -> None:
    world = World(preset("realistic"), 100, 5, keep_events=True)
    shop = Shop(world)
    for _ in range(30):
        world.step(RandomArm().choose(world))
    features = dict(zip(NAMES, shop.features(np.arange(100)).T, strict=True))
    assert features["purchases_total"].tolist() == world.purchases.tolist()
    assert features["contacts_7d"].tolist() == world.recent.tolist()
    assert features["recency_over_gap"] == pytest.approx(rhythm(world), nan_ok=True)
    assert 0 < features["opened_total"].sum() < features["contacts_total"].sum()


def test_the_past_is_a_log_of_what_was_drawn() -> None:
    world = World(preset("realistic"), 400, 5, keep_events=True)
    rows = past_rows(Shop(world))
    shares = np.bincount(rows.taken, minlength=len(ARMS)) / len(rows)
    assert shares[:4] == pytest.approx(rows.probabilities[0, :4], abs=0.02)
    assert not shares[4:].any()
    assert rows.probabilities.sum(axis=1) == pytest.approx(1.0)
    assert rows.outcomes.mean() == pytest.approx(3 * world.hazard().mean(), rel=0.25)


def test_the_product_keeps_its_cap_and_its_hold_out_and_asks_the_gate() -> None:
    world, product = World(preset("realistic"), 200, 6, keep_events=True), Product()
    while world.day < 61:
        arms = product.choose(world)
        assert allowed(world, 2)[np.arange(200), arms].all()
        world.step(arms)
    held_out = product.stratum_of("holdout")
    assert 2 < held_out.sum() < 20
    assert not world.contacted[held_out].any()
    assert set(product.releases) == {0, 8}
    assert set(product.releases.values()) <= {"ship", "experiment", "no"}
