"""The world behind the real service: decisions, arms and exposures in its store, as the hash has them."""

from pathlib import Path

from tactful.cli.simulation.served import served
from tactful.decisions.kernel.record import parse
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.world import World
from tactful.serving.store.queries.experiments import exposed_to

PLAN = """\
experiments:
  - id: contacts
    salt: contacts-1
    start: 2026-01-05
    arms:
      - {id: silence, kind: silence, share: 0.5}
      - {id: everything, kind: current, share: 0.5}
    primary: {metric: revenue_per_customer, minimum_effect: 0.1}
"""


def test_the_store_tells_what_the_hash_says(tmp_path: Path) -> None:
    world = World(preset("easy"), 120, seed=1, keep_events=True)
    with served(world, tmp_path) as shop:
        experiment = shop.run(PLAN, days=5).experiment("contacts")
        store, tenant = shop.service.store, shop.service.tenant
        decisions = [parse(one.record) for one in store.decision_log(tenant)]
        exposures = list(exposed_to(store.database, tenant, "contacts"))
    spoken = {decision.customer for decision in decisions if decision.choice is not None}
    arms = {customer: experiment.arm(customer) for customer in {decision.customer for decision in decisions}}
    assert spoken
    assert {arms[customer].id for customer in spoken if arms[customer]} == {"everything"}  # type: ignore[union-attr]
    assert {one.customer: one.arm for one in exposures} == {c: arms[c].id for c in {o.customer for o in exposures}}  # type: ignore[union-attr]
    assert {one.arm for one in exposures} == {"silence", "everything"}
