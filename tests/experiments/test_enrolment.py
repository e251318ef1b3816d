"""Who takes part: as the service assigned them, from when they are known on, less hold-out and those set apart."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from tactful.decisions.kernel.decide import Request
from tactful.experiments.assignment.arms import Arms, Exposure
from tactful.experiments.assignment.enrolment import enrolled, exposed, members
from tactful.experiments.assignment.treatments import Treatment
from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.design.declaration import Plan
from tests.decisions.retailer import CATALOGUE, NOON, RETAILER, KnownScorer, compiled, having
from tests.experiments.declared import experiment, plan

CUSTOMERS = [f"c{i}" for i in range(400)]
FIRST = pd.Series(pd.Timestamp("2025-01-01", tz="UTC"), index=CUSTOMERS)
CHANCE = plan().experiment("chance")


def test_the_readout_counts_whom_the_service_treated() -> None:
    arms = Arms(plan(), Treatment(RETAILER, RETAILER.catalogue.policy, KnownScorer()))
    made = arms.decide([Request(c, having(customer=c)) for c in CUSTOMERS])
    treated = {
        (one.decision.customer, place.arm.id) for one in made for place in one.places if place.experiment == "chance"
    }
    found = enrolled(plan(), CHANCE, RETAILER.catalogue, FIRST, NOON)
    at_noon = found[[not plan().holdout.holds(c, NOON) for c in found["customer"]]]  # type: ignore[union-attr]
    counted = set(zip(at_noon["customer"], at_noon["arm"], strict=True))
    held_at_start = {c for c in CUSTOMERS if plan().holdout.holds(c, CHANCE.start)}  # type: ignore[union-attr,arg-type]
    assert counted == {(customer, arm) for customer, arm in treated if customer not in held_at_start}


def test_customers_enter_when_they_are_known_and_the_ramp_lets_them_in() -> None:
    late = pd.Timestamp("2026-01-20", tz="UTC")
    tired = experiment("tired", population=None)
    found = enrolled(Plan(), tired, RETAILER.catalogue, FIRST.where(FIRST.index != "c7", late), NOON)
    assert len(found) == 400
    entered = found.set_index("customer")["entered"]
    assert entered["c7"] in (late, pd.Timestamp("2026-02-01", tz="UTC"))
    assert set(entered.drop("c7")) == {pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-02-01", tz="UTC")}
    soon = enrolled(Plan(), tired, RETAILER.catalogue, FIRST, datetime(2026, 1, 15, tzinfo=UTC))
    assert 40 < len(soon) < 120


def test_nobody_enters_after_the_stop_or_from_outside() -> None:
    short = experiment(stop=datetime(2026, 1, 2, tzinfo=UTC))
    newcomers = FIRST + timedelta(days=500)
    assert enrolled(Plan(), short, RETAILER.catalogue, newcomers, NOON).empty
    few = enrolled(Plan(), experiment("tired"), RETAILER.catalogue, FIRST, NOON, population={"c1", "c2"})
    assert set(few["customer"]) == {"c1", "c2"}
    apart = compiled(CATALOGUE.replace("{holdout: 0, uniform: 0}", "{holdout: 0.5, uniform: 0.5}")).catalogue
    assert enrolled(Plan(), CHANCE, apart, FIRST, NOON).empty


def test_the_first_exposure_counts() -> None:
    def told(customer: str, day: int, experiment_id: str = "chance") -> Exposure:
        return Exposure(experiment_id, customer, "random", f"d{day}", NOON + timedelta(days=day), {})

    found = exposed([told("ada", 0), told("ada", 3), told("ben", 2), told("cem", 1, "tired")], "chance")
    assert found["customer"].tolist() == ["ada", "ben"]
    assert found["entered"].tolist() == [pd.Timestamp(NOON), pd.Timestamp(NOON + timedelta(days=2))]


def test_members_of_a_segment() -> None:
    people = [having(customer="rich", features=(1.0, 200.0)), having(customer="poor", features=(1.0, 2.0))]
    assert members(people, RETAILER, "rich") == {"rich"}
    assert members(people, RETAILER, "at_risk", KnownScorer()) == set()
    with pytest.raises(ReadoutError, match="segment at_risk cannot be told"):
        members(people, RETAILER, "at_risk")
