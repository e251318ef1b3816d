"""Experiments in the service: everybody treated by the hash, alone or in a batch, and the record tells of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tactful.decisions.analysis.replay import replay
from tactful.decisions.catalogue.model import Catalogue
from tactful.experiments.assignment.arms import assigned
from tactful.experiments.design.declaration import Plan
from tactful.experiments.design.loading import parse_plan
from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.in_force.experiments import ActiveExperiments
from tactful.serving.engine.records.archive import Archive
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import StoreError
from tactful.serving.store.queries.experiments import exposed_to, publish, published
from tests.checked_text import CheckedText
from tests.serving.shop import NOW, furnish, service_of

PLAN = CheckedText("""\
holdbacks:
  - {programme: birthday, share: 0.000001, salt: nobody}
experiments:
  - id: silence
    salt: SALT
    start: 2020-01-01
    arms:
      - {id: contacted, kind: current, share: 0.5}
      - {id: alone, kind: silence, share: 0.5}
    primary: {metric: conversion, minimum_effect: 0.1}
""")
CUSTOMERS = ("regular", "leaver", "thankful", "complainer", "refuser", "celebrant")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[DecisionService]:
    settings = furnish(tmp_path / "shop")
    service = service_of(settings)
    service.trials = ActiveExperiments(lambda: published(service.store.database, service.tenant), settings.data)
    yield service
    service.store.close()


def plan_of(service: DecisionService, text: str) -> Plan:
    catalogue: Catalogue = service.champions.present().compiled.catalogue
    return parse_plan(text, catalogue)


def salted(service: DecisionService, arm: str, customer: str = "thankful") -> Plan:
    """A plan that puts a customer into an arm."""
    plans = (plan_of(service, PLAN.replace("SALT", f"s{n}")) for n in range(100))
    return next(p for p in plans if [place.arm.id for place in assigned(p, customer, NOW)] == [arm])


def test_a_customer_is_treated_by_the_arm_and_the_record_replays(service: DecisionService) -> None:
    publish(service.store.database, service.tenant, salted(service, "contacted"), NOW)
    spoken = service.decide("thankful", "d1")
    assert spoken.decision.choice is not None
    assert spoken.text is not None

    service.trials = ActiveExperiments(lambda: salted(service, "alone"))
    silent = service.decide("thankful", "d2")
    assert silent.decision.choice is None
    assert silent.decision.versions.catalogue != spoken.decision.versions.catalogue
    assert service.decision("d2").decision.as_bytes() == silent.decision.as_bytes()
    archive = Archive(service.store, service.tenant, service.champions.present())
    recorded = archive.decision("d2")
    assert archive.replay("d2").identical
    scorer = service.champions.present().bundle
    assert replay(recorded.record, recorded.request.snapshot, recorded.compiled, scorer).identical


def test_the_first_decision_that_arms_would_make_otherwise_exposes(service: DecisionService) -> None:
    plan = salted(service, "alone")
    publish(service.store.database, service.tenant, plan, NOW)
    for number, customer in enumerate(CUSTOMERS):
        service.decide(customer, f"a{number}")
        service.decide(customer, f"b{number}")
    found = {one.customer: one for one in exposed_to(service.store.database, service.tenant, "silence")}
    assert "thankful" in found
    assert "refuser" not in found
    assert found["thankful"].arm == "alone"
    assert all(one.decision.startswith("a") for one in found.values())


def test_a_batch_and_single_asks_assign_alike(service: DecisionService) -> None:
    publish(service.store.database, service.tenant, salted(service, "alone"), NOW)
    run = decide_all(service, "night", customers=list(CUSTOMERS))
    for decision in run.decisions:
        places = assigned(salted(service, "alone"), decision.customer, NOW)
        left_alone = any(e.gate == "holdout" for c in decision.candidates for e in c.exclusions)
        if decision.candidates:
            assert left_alone == ([place.arm.id for place in places] == ["alone"])


def test_without_experiments_nothing_changes(service: DecisionService) -> None:
    before = service.decide("thankful", "d1").decision
    assert before.versions.catalogue == service.champions.present().compiled.version


def test_experiments_that_cannot_be_made_ready_are_left_out(service: DecisionService, tmp_path: Path) -> None:
    text = PLAN.replace("kind: silence, share", "kind: bundle, bundle: missing, share")
    broken = ActiveExperiments(lambda: plan_of(service, text), tmp_path)
    assert broken.present(service.champions.present()) is None


def test_other_catalogues_and_bundles_are_found_in_the_folder(service: DecisionService, tmp_path: Path) -> None:
    champion = service.champions.present()
    folder = tmp_path / "shop"
    (folder / "winter.yaml").write_text((folder / "catalogue.yaml").read_text().replace("value: 3", "value: 33"))
    text = PLAN.replace("kind: silence, share", "kind: catalogue, catalogue: winter.yaml, share").replace(
        "kind: current, share", "kind: bundle, bundle: first, share"
    )
    arms = ActiveExperiments(lambda: plan_of(service, text), folder).present(champion)
    assert arms is not None
    bundle, catalogue = arms.plan.experiments[0].arms
    assert arms.treatment((bundle,)).scorer.version == champion.bundle.version
    assert arms.treatment((catalogue,)).compiled.version != champion.compiled.version


def test_a_store_that_fails_leaves_the_experiments_in_force(service: DecisionService) -> None:
    plan = salted(service, "alone")
    answers = iter([plan])

    def newest() -> Plan:
        try:
            return next(answers)
        except StopIteration:
            raise StoreError("the store fails") from None

    trials = ActiveExperiments(newest)
    champion = service.champions.present()
    first = trials.present(champion)
    trials._asked -= 10
    assert trials.present(champion) is first
    assert trials.present(replace(champion)) is not first
    assert assigned(plan, "thankful", NOW + timedelta(days=1))
