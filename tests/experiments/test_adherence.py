"""Arms against their declaration: who was to be spared, what was promised, and arms that nothing sets apart."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tactful.decisions.loading import parse_catalogue
from tactful.experiments.assignment.arms import Exposure
from tactful.experiments.design.declaration import Experiment
from tactful.experiments.readout.adherence import Adherence, adherence
from tests.decisions.retailer import CATALOGUE, VOCABULARY
from tests.experiments.trials import START, moment

SHOP = parse_catalogue(
    CATALOGUE.replace("- id: thank_you", "- id: thank_you\n        mandatory: true"), VOCABULARY
).catalogue
UNTIL = START + timedelta(weeks=4)
N = 600
COUPON = {"kind": "message", "message": "come_back_coupon"}
Contacts = Mapping[str, Mapping[str, float]]
"""By arm: contacts a customer by message."""


def experiment(*arms: Mapping[str, object]) -> Experiment:
    named = [{"id": f"arm{i}", "share": 1 / len(arms), **arm} for i, arm in enumerate(arms)]
    goal = {"metric": "conversion", "minimum_effect": 0.1}
    return Experiment.model_validate({"id": "e", "salt": "e-1", "start": START, "arms": named, "primary": goal})


def checked(
    one: Experiment, contacts: Contacts, exposures: Sequence[Exposure] | None = None, day: float = 1.0
) -> Adherence:
    customers = [f"c{i}" for i in range(N)]
    arms = np.array([arm.id for arm in (one.arm(customer) for customer in customers) if arm])
    enrolled = pd.DataFrame({"customer": customers, "arm": arms, "entered": pd.Timestamp(START)})
    rng = np.random.default_rng(1)
    rows = [
        (customer, moment(day), "contact", message)
        for customer, arm in zip(customers, arms, strict=True)
        for message, rate in contacts.get(str(arm), {}).items()
        for _ in range(rng.poisson(rate))
    ]
    events = pd.DataFrame(rows or [("x", moment(day), "view", "")], columns=["customer_id", "time", "type", "subject"])
    return adherence(one, events, enrolled, UNTIL, SHOP, exposures)


def exposed(one: Experiment, customers: int, swapped: bool = False) -> list[Exposure]:
    names = [arm.id for arm in one.arms]
    arms = [arm.id for arm in (one.arm(f"c{i}") for i in range(customers)) if arm]
    told = [names[::-1][names.index(arm)] if swapped else arm for arm in arms]
    return [Exposure("e", f"c{i}", arm, f"d{i}", START + timedelta(days=1), {}) for i, arm in enumerate(told)]


CURRENT, RANDOM, SILENCE = {"kind": "current"}, {"kind": "random"}, {"kind": "silence"}
WITHOUT = {"kind": "without", "programmes": ["birthday"]}
USUAL = {"miss_you": 0.6, "happy_birthday": 0.4}


@pytest.mark.parametrize(
    ("arms", "contacts"),
    [
        ((CURRENT, SILENCE), {"arm0": USUAL}),
        ((CURRENT, SILENCE), {"arm0": USUAL, "arm1": {"miss_you": 0.1}}),
        ((CURRENT, SILENCE), {"arm0": {**USUAL, "thank_you": 1.0}, "arm1": {"thank_you": 1.0}}),
        ((SILENCE, CURRENT, COUPON), {"arm1": USUAL, "arm2": {"come_back_coupon": 0.5}}),
        ((CURRENT, WITHOUT), {"arm0": USUAL, "arm1": {"miss_you": 0.6}}),
        ((CURRENT, RANDOM), {"arm0": USUAL, "arm1": {"miss_you": 0.3, "happy_birthday": 0.9}}),
    ],
)
def test_arms_that_got_what_they_declare_pass(arms: tuple[Mapping[str, object], ...], contacts: Contacts) -> None:
    assert checked(experiment(*arms), contacts).faults == ()


@pytest.mark.parametrize(
    ("arms", "contacts", "fault"),
    [
        ((CURRENT, SILENCE), {"arm0": USUAL, "arm1": USUAL}, "arm arm1 got 0.95 contacts a customer that it excludes"),
        ((CURRENT, SILENCE), {"arm1": USUAL}, "another arm 0.00 of them"),
        ((CURRENT, SILENCE), {}, "nobody in any arm was contacted"),
        ((CURRENT, SILENCE), {"arm0": {"bought elsewhere": 1}, "arm1": {"bought elsewhere": 1}}, "arm arm1 got"),
        ((CURRENT, COUPON), {"arm0": USUAL, "arm1": USUAL}, "nobody in arm arm1 got come_back_coupon"),
        ((CURRENT, COUPON), {"arm0": {"come_back_coupon": 1}, "arm1": {"miss_you": 1}}, "arm arm1 got 1.0"),
        ((CURRENT, WITHOUT), {"arm0": USUAL, "arm1": USUAL}, "arm arm1 got 0.3. contacts|arm arm1 got 0.4. contacts"),
        ((CURRENT, WITHOUT), {"arm0": {"miss_you": 1}, "arm1": {"miss_you": 1}}, "got the same messages as often"),
        ((CURRENT, RANDOM), {"arm0": USUAL, "arm1": USUAL}, "arms arm0 and arm1 got the same messages as often"),
        ((CURRENT, CURRENT, SILENCE), {"arm0": USUAL, "arm1": USUAL}, "arms arm0 and arm1 got the same"),
    ],
)
def test_arms_that_did_not_are_at_fault(arms: tuple[Mapping[str, object], ...], contacts: Contacts, fault: str) -> None:
    assert re.search(fault, "; ".join(checked(experiment(*arms), contacts).faults))


def test_what_an_arm_got_is_counted_from_entering_on() -> None:
    one = experiment(CURRENT, SILENCE)
    found = checked(one, {"arm0": {"miss_you": 1.0}, "arm1": {"thank_you": 0.2}}, exposed(one, 100)).arms
    assert found["arm0"].contacts == pytest.approx(1.0, abs=0.15)
    assert found["arm0"].contacted == pytest.approx(1 - np.exp(-1), abs=0.08)
    assert (found["arm0"].excluded, found["arm1"].excluded) == (0.0, 0.0)
    assert (found["arm0"].exposed or 0) + (found["arm1"].exposed or 0) == 100
    for outside in (-1.0, 28.0):
        assert checked(one, {"arm0": USUAL, "arm1": USUAL}, day=outside).faults == ("nobody in any arm was contacted",)


def test_exposures_tell_what_contacts_cannot() -> None:
    one = experiment(CURRENT, RANDOM)
    alike = {"arm0": USUAL, "arm1": USUAL}
    assert checked(one, alike, exposed(one, N)).faults == ()
    assert checked(one, alike, []).faults == ("no decision would have come out otherwise in another arm",)
    late = [replace(seen, moment=UNTIL) for seen in exposed(one, N)]
    assert checked(one, alike, late).faults == ("no decision would have come out otherwise in another arm",)


def test_arms_that_were_swapped_or_lost_are_noticed_by_exposures() -> None:
    one = experiment(CURRENT, RANDOM)
    (fault,) = checked(one, {"arm0": USUAL, "arm1": USUAL}, exposed(one, N, swapped=True)).faults
    assert fault == "600 of 600 exposed customers were decided about in another arm than the file says"
    lost = [seen for i, seen in enumerate(exposed(one, N)) if seen.arm == "arm0" or i % 2]
    (fault,) = checked(one, {"arm0": USUAL, "arm1": USUAL}, lost).faults
    assert fault.startswith("the exposed customers are not split as declared (arm0 ")
    erased = [replace(seen, customer=f"erased-{i}") if i % 20 == 0 else seen for i, seen in enumerate(exposed(one, N))]
    assert checked(one, {"arm0": USUAL, "arm1": USUAL}, erased).faults == ()
