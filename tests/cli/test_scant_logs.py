"""Logs of which little can be said: `plan`, `report`, `status` and `kpis` answer with a reason, never a traceback."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from tactful.decisions.base.assignment import hash_v2
from tactful.experiments.base.metrics import METRICS
from tactful.features.errors import TactfulError
from tactful.features.events.dataset import write_events
from tactful.features.events.schema import validate
from tests.cli.shopfront import tactful, words
from tests.cli.test_experiment import MONTH
from tests.experiments.trials import START, trial
from tests.serving.shop import CATALOGUE

EVENTS = trial(1, 100, lift=1.0, share=1.0).events
HOLDOUT = "holdout: {share: 0.3, salt: nobody, since: 2024-01-01, rotates: 520w}\nexperiments: []\n"


def of_few(customers: int) -> pd.DataFrame:
    return EVENTS[EVENTS["customer_id"].isin(sorted(EVENTS["customer_id"].unique())[:customers])]


def of_one_arm(treated: bool) -> pd.DataFrame:
    return EVENTS[[(hash_v2("scant", customer) >= 0.5) == treated for customer in EVENTS["customer_id"]]]


def alike() -> pd.DataFrame:
    """Everybody was contacted once and bought once, for the same amount, in each of two months."""
    firsts = EVENTS.assign(month=EVENTS["time"] >= START).drop_duplicates(["customer_id", "type", "month"])
    everybody = set(firsts["customer_id"])
    for kind, month in (("purchase", False), ("purchase", True), ("contact", True)):
        everybody &= set(firsts.loc[(firsts["type"] == kind) & (firsts["month"] == month), "customer_id"])
    assert len(everybody) > 20
    kept = firsts[firsts["customer_id"].isin(everybody)].drop(columns="month")
    return kept.assign(amount=kept["amount"].mask(kept["type"] == "purchase", 10.0))


LOGS: dict[str, Callable[[], pd.DataFrame]] = {
    "nobody contacted": lambda: EVENTS[EVENTS["type"] != "contact"],
    "nobody bought": lambda: EVENTS[EVENTS["type"] != "purchase"],
    "nothing since the start": lambda: EVENTS[EVENTS["time"] < START],
    "all alike": alike,
    "one customer": lambda: of_few(1),
    "two customers": lambda: of_few(2),
    "twelve customers": lambda: of_few(12),
    "the control alone": lambda: of_one_arm(False),
    "the treatment alone": lambda: of_one_arm(True),
    "no event": lambda: EVENTS[:0],
}


def shop(folder: Path, events: pd.DataFrame, metric: str = "conversion") -> Path:
    write_events(validate(events).events, folder / "events", zone="UTC", buckets=1)
    (folder / "catalogue.yaml").write_text(CATALOGUE, encoding="utf-8")
    (folder / "holdout.yaml").write_text(HOLDOUT, encoding="utf-8")
    (folder / "experiments.yaml").write_text(declared(metric), encoding="utf-8")
    return folder


def declared(metric: str) -> str:
    return f"""\
experiments:
  - id: scant
    salt: scant
    start: {START.isoformat()}
    arms:
      - {{id: control, kind: current, share: 0.5}}
      - {{id: treatment, kind: random, share: 0.5}}
    primary: {{metric: {metric}, minimum_effect: 0.4}}
"""


def run(folder: Path, *arguments: str) -> Result:
    """A command on a shop's log; it ends by itself or with an error that says what was wanted."""
    log = ["--data", str(folder), "--events", str(folder / "events"), "--until", MONTH]
    told = tactful(*arguments, *log)
    assert told.exit_code in (0, 1)
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        assert isinstance(told.exception, TactfulError), told.exc_info
        assert "wanted" in str(told.exception)
    return told


def experiment(folder: Path, command: str, *arguments: str) -> Result:
    id_ = [] if command == "status" else ["scant"]
    return run(folder, "experiment", command, *id_, "--file", str(folder / "experiments.yaml"), *arguments)


@pytest.mark.parametrize("name", LOGS)
def test_scant_logs_claim_nothing_and_say_why(name: str, tmp_path: Path) -> None:
    folder = shop(tmp_path, LOGS[name]())
    told = experiment(folder, "report", "--out", str(tmp_path / "page.html"), "--json")
    assert told.exit_code == 1
    if isinstance(told.exception, SystemExit):
        arm = json.loads(told.stdout)["arms"]["treatment"]
        assert arm["verdict"] == "untold"
        assert (arm["difference"] is None) == bool(arm["unknown"])
    assert experiment(folder, "status").exit_code == 1
    run(folder, "kpis", "--experiments", str(folder / "holdout.yaml"), "--by", "cohort", "--every", "7d", "--json")


@pytest.mark.parametrize("name", ["nobody contacted", "nobody bought", "nothing since the start", "all alike"])
@pytest.mark.parametrize("metric", METRICS)
def test_a_plan_where_nothing_varies_says_so(name: str, metric: str, tmp_path: Path) -> None:
    folder = shop(tmp_path, LOGS[name](), metric)
    told = experiment(folder, "plan", "--weeks", "4", "--json")
    if isinstance(told.exception, TactfulError):
        assert f"no plan by {metric}" in str(told.exception)
        assert "does not vary" in str(told.exception) or "too few" in str(told.exception)
    else:
        weeks = json.loads(told.stdout, parse_constant=pytest.fail)["weeks"]
        assert weeks
        assert all(week["one_look"] > 0 for week in weeks)


def test_key_figures_where_nobody_was_contacted(tmp_path: Path) -> None:
    folder = shop(tmp_path, LOGS["nobody contacted"]())
    told = run(folder, "kpis", "--experiments", str(folder / "holdout.yaml"), "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found["programmes"] == []
    assert "response_rate" not in found["figures"]
    assert found["figures"]["contacts_per_customer_week"]["value"] == 0
    assert "no contact to tell the value of" in found["incremental"]["unknown"]


def test_an_arm_that_nobody_is_in_is_named(tmp_path: Path) -> None:
    folder = shop(tmp_path, LOGS["the control alone"]())
    told = experiment(folder, "status")
    assert told.exit_code == 1
    assert "nobody is in arm treatment" in words(told.output)
    refused = experiment(folder, "report", "--out", str(tmp_path / "page.html"))
    assert "an arm without customers" in str(refused.exception)
