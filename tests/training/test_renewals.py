"""Contractual churn, on customers generated with a known hazard."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import DAY, microseconds
from tactful.models.base.gbm import Parameters
from tactful.models.base.metrics import Outcomes
from tactful.training.data.errors import TrainingError
from tactful.training.jobs.renewals import renewals, train
from tests.training.shops import OPENED, rows, write

SMALL = Parameters(rounds=150, leaf_rows=50, leaves=7)
CONTRACT = 180


def contracts(*spans: tuple[str, float, float]) -> pd.DataFrame:
    """Contracts by customer, first day and last."""
    table = pd.DataFrame(spans, columns=["customer_id", "start", "end"])
    for name in ("start", "end"):
        table[name] = OPENED + pd.to_timedelta(table[name], unit="D")
    return table


def renewed(customer: str, *days: float) -> pd.DataFrame:
    return rows(customer, "contract", list(days), "renewed")


@pytest.fixture
def dataset(tmp_path: Path) -> EventDataset:
    events = [
        renewed("stays", 95),
        renewed("in grace", 113.9),
        renewed("too late", 114),
        renewed("early", 50),
        rows("leaves", "contract", [80], "cancelled"),
        rows("leaves", "view", [1, 150]),
    ]
    return write(pd.concat(events), tmp_path / "events")


def test_who_renews_by_the_end_and_a_grace_has_stayed(dataset: EventDataset) -> None:
    names = ("stays", "in grace", "too late", "early", "leaves")
    found = renewals(dataset, contracts(*((name, 0, 100) for name in names), ("stays", 100, 140)))
    assert dict(zip(found.customers, found.positive.tolist(), strict=True)) == {
        "stays": False,
        "in grace": False,
        "too late": True,
        "leaves": True,
    }
    assert found.left_out == {"grace beyond the end of the log": 1, "renewed before the notice": 1}
    assert (found.known > found.as_of).all()


@given(notice=st.integers(1, 60), grace=st.integers(0, 30))
@settings(max_examples=25, deadline=None)
def test_no_label_reaches_past_the_log(notice: int, grace: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    dataset = write(renewed("a", 10, 100), tmp_path_factory.mktemp("log") / "events")
    spans = [("b", 0, 65), *(("a", 0, end) for end in (70, 85, 99, 100, 120))]
    found = renewals(dataset, contracts(*spans), notice_days=notice, grace_days=grace)
    assert (found.known <= microseconds(OPENED.to_pydatetime()) + 100 * DAY + 1).all()


def generated(
    folder: Path, seed: int = 0, customers: int = 4000
) -> tuple[EventDataset, pd.DataFrame, dict[str, float]]:
    """The subscribers' events as a data set, their contracts, and their chance of leaving."""
    events, table, hazard = subscribers(seed, customers)
    return write(events, folder / "events"), table, hazard


def subscribers(seed: int, customers: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Customers who use a service at their own rate, and leave the likelier the less they use it."""
    rng = np.random.default_rng(seed)
    names = np.array([f"s{number}" for number in range(customers)])
    rate, start = rng.gamma(1.5, 0.15, customers), rng.uniform(0, 400, customers)
    leaves = 1 / (1 + np.exp(2.2 + 1.2 * np.log(rate + 0.01)))
    uses = rng.poisson(rate * CONTRACT)
    views = pd.DataFrame({"customer_id": np.repeat(names, uses), "type": "view", "subject": ""})
    views["day"] = np.repeat(start, uses) + rng.uniform(0, CONTRACT, len(views))
    stays = rng.random(customers) >= leaves
    again = pd.DataFrame({"customer_id": names[stays], "type": "contract", "subject": "renewed"})
    again["day"] = start[stays] + CONTRACT - rng.uniform(0, 20, len(again))
    bought = pd.DataFrame({"customer_id": names, "type": "purchase", "subject": "", "day": start})
    events = pd.concat([views, again, bought], ignore_index=True)
    events = events.assign(
        time=OPENED + pd.to_timedelta((events.pop("day") * 86_400).astype("int64"), unit="s"),
        event_id=np.arange(len(events)).astype(str),
        channel="web",
        amount=np.where(events["type"] == "purchase", 20.0, 0.0),
    )
    return events, contracts(*zip(names, start, start + CONTRACT, strict=True)), dict(zip(names, leaves, strict=True))


def test_the_model_comes_near_the_hazard_that_made_the_customers(tmp_path: Path) -> None:
    dataset, table, hazard = generated(tmp_path)
    result = train(dataset, table, parameters=SMALL)
    outcomes, metrics = result.test.outcomes, result.metrics
    assert metrics["split"]["pool"]["settled"] <= metrics["split"]["test"]["from"]
    assert metrics["left_out"]["renewed before the notice"] == 0
    found = renewals(dataset, table)
    truth = np.array([hazard[name] for name in found.customers])
    latest = found.as_of >= np.sort(found.as_of)[-len(outcomes.positive)]
    oracle = Outcomes.of(found.positive[latest], found.customers[latest].astype(str))
    best = oracle.value(oracle.log_loss(truth[latest]))
    assert best < metrics["log_loss"]["value"] < best + 0.06
    assert metrics["baselines"]["rfm"]["log_loss_gain"]["low"] > 0
    assert metrics["ece"]["value"] < 0.06


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (contracts(("a", 0, 5)).drop(columns="end"), "missing columns of contracts.*wanted end"),
        (contracts(("a", 0, 5)).assign(end="soon"), "unfit moments of contracts.*at end"),
        (contracts(("a", 0, 500)), "no contract with a label: got '1 contracts'"),
    ],
)
def test_unfit_contracts_are_told(dataset: EventDataset, table: pd.DataFrame, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        renewals(dataset, table)


def test_a_log_without_renewals_is_told(tmp_path: Path) -> None:
    dataset = write(rows("a", "contract", [3], "cancelled"), tmp_path / "events")
    with pytest.raises(TrainingError, match=r"a log without renewals: got \['cancelled'\]"):
        renewals(dataset, contracts(("a", 0, 2)), grace_days=0)
