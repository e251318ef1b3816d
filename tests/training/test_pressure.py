"""Contact pressure learnt from generated contacts: labels, calibration out of time, refusals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tactful.decisions.catalogue.objective import Fatigue
from tactful.features.timestamps import DAY
from tactful.models.scores.frequency import PressureModel
from tactful.training.data.attribution import delivered_contacts
from tactful.training.data.errors import TrainingError
from tactful.training.jobs import frequency as pressure
from tactful.training.jobs.frequency import Pressed, from_events, from_log, train
from tests.training.decided import FEATURES, LATER, after, logged, made
from tests.training.shops import rows, write

STATED = Fatigue(risk=0.004, growth=0.5)


def pressed(seed: int = 0, count: int = 30_000, growth: float = 0.4, later: float = 1.0) -> Pressed:
    """Contacts in time order; who leaves, and how much likelier it became in the latest part."""
    rng = np.random.default_rng(seed)
    week = rng.poisson(1.5, count).astype(float)
    moments = np.sort(rng.integers(0, 300 * DAY, count))
    risk = 0.01 * np.exp(growth * week) * np.where(moments > 200 * DAY, later, 1.0)
    contacts = np.column_stack([week, week + rng.poisson(3, count)])
    customers = np.array([f"c{i}" for i in rng.integers(0, 5000, count)], dtype=object)
    return Pressed(customers, moments, moments + 7 * DAY, contacts, rng.random(count) < risk, "digest")


def test_risks_that_hold_are_let_through_with_their_figures() -> None:
    told: list[str] = []
    found = train(pressed(2), STATED, progress=lambda step, *_: told.append(step))
    assert told == ["fit", "evaluation"]
    assert found.refusals == ()
    assert found.metrics["by_action_p"] > 0.01
    assert found.metrics["slope"]["low"] < 1 < found.metrics["slope"]["high"]
    assert found.metrics["baselines"]["constant"]["log_loss_gain"]["low"] > 0
    assert found.metrics["by_action"][0]["arm"] == "1 in 7 days"
    assert list(found.figures()) == ["calibration"]
    assert isinstance(found.model, PressureModel)
    assert found.metrics["slopes"]["contacts_7d"] == pytest.approx(0.4, abs=0.1)


def test_risks_that_changed_are_refused() -> None:
    found = train(pressed(later=3.0), STATED)
    assert any("risks did not hold on later contacts" in reason for reason in found.refusals)


def test_contacts_of_events_are_labelled_by_what_followed(tmp_path: Path) -> None:
    events = pd.concat(
        [
            rows("ada", "purchase", [0.0, 60.0]),
            rows("ada", "contact", [1.0, 3.0, 20.0]),
            rows("ada", "unsubscribed", [9.0]),
            rows("ben", "contact", [2.0, 58.0]),
            rows("cem", "unsubscribed", [2.5]),
        ]
    )
    found = from_events(write(events, tmp_path / "events"))
    told = {(str(c), bool(left)) for c, left in zip(found.customers, found.left, strict=True)}
    assert told == {("ada", True), ("ada", False), ("ben", False)}
    assert (len(found.left), int(found.left.sum())) == (4, 1)
    third = found.contacts[(found.customers == "ada") & (found.moments == found.moments.max())]
    assert third.tolist() == [[0.0, 2.0]]


def test_a_leaving_counts_once_for_the_last_contact_before_it(tmp_path: Path) -> None:
    events = pd.concat(
        [
            rows("ada", "purchase", [0.0, 90.0]),
            rows("ada", "contact", [1.0, 3.0, 5.0, 20.0, 30.0, 37.0, 50.0, 60.0]),
            rows("ada", "unsubscribed", [6.0, 37.0, 50.0, 67.0]),
            rows("ben", "contact", [5.5]),
        ]
    )
    found = from_events(write(events, tmp_path / "events"))
    at = {"ada": found.moments[found.customers == "ada"], "ben": found.moments[found.customers == "ben"]}
    opened = (at["ada"].min() - DAY) // DAY
    left = found.moments[found.left] / DAY - opened
    assert left.tolist() == [5.0, 37.0, 50.0]


@pytest.mark.parametrize("every", [2, 9])
def test_the_risk_of_one_contact_is_found_however_often_customers_are_contacted(tmp_path: Path, every: int) -> None:
    rng = np.random.default_rng(every)
    risk, leavings, parts = 0.004, 0, [rows("open", "purchase", [0.0, 200.0])]
    for number in range(300):
        days = rng.uniform(0, every) + np.arange(0.0, 180.0, every)
        left = rng.random(len(days)) < risk
        last = int(left.argmax()) if left.any() else len(days)
        parts.append(rows(f"c{number}", "contact", days[: last + 1]))
        if left.any():
            leavings += 1
            parts.append(rows(f"c{number}", "unsubscribed", [days[last] + rng.uniform(0, 6.9)]))
    pressed = from_events(write(pd.concat(parts), tmp_path / "events"))
    assert pressed.left.sum() == leavings
    told = PressureModel.fit(pressed.contacts, pressed.left, pressure.COLUMNS, risk=0.001, growth=0.0)
    error = np.sqrt(risk / len(pressed.left))
    assert abs(told.score(pressed.contacts).mean() - risk) < 3 * error


def test_a_log_in_which_nobody_leaves_is_refused(tmp_path: Path) -> None:
    events = pd.concat([rows("ada", "purchase", [0.0, 60.0]), rows("ada", "contact", [1.0])])
    with pytest.raises(TrainingError, match="a log that cannot show who leaves: got '1 contacts, 0 unsub"):
        from_events(write(events, tmp_path / "events"))


def test_contacts_of_decisions_serve_too() -> None:
    contact = next(decision for decision in made(40) if decision.choice)
    left = logged(contact, [after(1, "unsubscribed")])
    rows = delivered_contacts([left], pressure.GOAL, LATER, feature_names=FEATURES)
    assert rows.outcomes.tolist() == [1.0]
    with pytest.raises(TrainingError, match="features that were not logged"):
        from_log(rows)


@pytest.mark.parametrize(("count", "risk"), [(2000, 0.002), (2000, 0.01)])
def test_honest_risks_of_few_leavings_are_rarely_refused(count: int, risk: float) -> None:
    refused = sum(_honest(seed, count, risk) < 0.05 for seed in range(40))
    assert refused <= 5


def _honest(seed: int, count: int, risk: float) -> float:
    """The joint probability where nothing changes but a fit of few leavings is unsure; 5 % should be below 0.05."""
    rng = np.random.default_rng(seed)
    week = rng.poisson(1.5, count).astype(float)
    moments = np.sort(rng.integers(0, 300 * DAY, count))
    customers = np.array([f"c{i}" for i in rng.integers(0, count // 6, count)], dtype=object)
    left = rng.random(count) < risk * np.exp(0.4 * week)
    contacts = np.column_stack([week, week + rng.poisson(3, count)])
    drawn = Pressed(customers, moments, moments + 7 * DAY, contacts, left, "digest")
    return float(train(drawn, STATED).metrics["by_action_p"])


def test_bands_expect_as_many_leavings_as_a_normal_test_asks_for() -> None:
    found = train(pressed(2, count=3000), STATED).metrics["by_action"]
    assert sum(band["rows"] for band in found) == train(pressed(2, count=3000), STATED).metrics["n"]
    assert all(band["predicted"] * band["rows"] >= 4.9 for band in found)
