"""`tactful experiment`: from the log's variance to the page, on a trial whose truth is known."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tactful.decisions.base.assignment import hash_v2
from tactful.features.errors import TactfulError
from tactful.features.events.dataset import write_events
from tactful.features.events.schema import validate
from tactful.serving.bootstrap import open_store
from tactful.serving.store.queries.experiments import published
from tests.checked_text import CheckedText
from tests.cli.shopfront import tactful, words
from tests.experiments.trials import START, trial
from tests.serving.shop import CATALOGUE

PLAN = CheckedText("""\
experiments:
  - id: coupons  # agreed with the shop
    question: Do coupons pay?
    salt: coupons-1
    arms:
      - {id: control, kind: current, share: 0.5}
      - {id: treatment, kind: random, share: 0.5}
    primary: {metric: revenue_per_customer, minimum_effect: 0.4}
    guard_rails: [{metric: unsubscribes, margin: 0.01}]
  - id: later
    salt: later-1
    arms:
      - {id: control, kind: current, share: 0.5}
      - {id: treatment, kind: silence, share: 0.5}
    primary: {metric: conversion, minimum_effect: 0.001}
""")
MONTH = (START + timedelta(weeks=4)).isoformat()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "experiments.yaml"
    file.write_text(PLAN, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose customers in the treatment of `coupons` get a coupon and buy twice as much from the start on."""
    folder = tmp_path_factory.mktemp("trial")
    made = trial(1, 3_000, lift=1.0, share=1.0)
    numbers = made.events["customer_id"].map({c: hash_v2("coupons-1", c) for c in made.enrolled["customer"]})
    contact, control = made.events["type"] == "contact", numbers < 0.5
    events = made.events.assign(subject=made.events["subject"].mask(contact & control, "newsletter"))
    kept = events[(events["time"] < START) | (events.index % 2 == 0) | contact | ~control]
    write_events(validate(kept).events, folder / "events", zone="UTC", buckets=1)
    catalogue = CATALOGUE.replace("segments:", "segments:\n  frequent: features.purchases_28d >= 2.0", 1)
    (folder / "catalogue.yaml").write_text(catalogue, encoding="utf-8")
    return folder


def run(folder: Path, file: Path, command: str, *arguments: str, log: bool = True):  # type: ignore[no-untyped-def]
    where = ["--file", str(file), "--data", str(folder)]
    events = ["--events", str(folder / "events"), "--until", MONTH] if log else []
    return tactful("experiment", command, *arguments, *where, *events)


def test_from_plan_to_page(folder: Path, file: Path, tmp_path: Path) -> None:
    planned = json.loads(run(folder, file, "plan", "coupons", "--weeks", "4", "--json").stdout)
    assert [week["weeks"] for week in planned["weeks"]] == [1, 2, 3, 4]
    assert planned["enough"] in (1, 2, 3, 4)

    begun = run(folder, file, "start", "coupons", "--at", START.isoformat(), log=False)
    assert begun.exit_code == 0, begun.output
    assert "# agreed with the shop" in file.read_text(encoding="utf-8")

    states = json.loads(run(folder, file, "status", "--json").stdout)["experiments"]
    assert [(one["id"], one["state"], one["ratio"], one["treatment"]) for one in states] == [
        ("coupons", "running", "as declared", "as declared"),
        ("later", "declared", "–", "–"),
    ]
    shown = run(folder, file, "status")
    assert shown.exit_code == 0
    assert "as declared" in words(shown.output)

    page = tmp_path / "page.html"
    told = run(folder, file, "report", "coupons", "--out", str(page), "--by", "frequent", "--simulated")
    assert told.exit_code == 0, told.output
    assert "Switch to treatment" in told.output
    assert "by frequent" in page.read_text(encoding="utf-8")
    found = json.loads(run(folder, file, "report", "coupons", "--out", str(page), "--json").stdout)
    arm = found["arms"]["treatment"]
    assert arm["verdict"] == "better"
    assert arm["always_valid"]["low"] < arm["treatment"] / 2 < arm["always_valid"]["high"]
    assert run(folder, file, "stop", "coupons", "--at", MONTH, log=False).exit_code == 0


def test_a_plan_that_is_too_short_says_so(folder: Path, file: Path) -> None:
    result = run(folder, file, "plan", "later", "--weeks", "2")
    assert result.exit_code == 1
    assert "2 weeks do not find an effect of 0.1% with power 80%" in words(result.output)
    enough = run(folder, file, "plan", "coupons")
    assert enough.exit_code == 0
    assert "weeks find an effect of 40.0%" in words(enough.output)


def test_what_cannot_be_is_refused(folder: Path, file: Path) -> None:
    def error(*arguments: str, log: bool = True) -> str:
        result = run(folder, file, *arguments, log=log)
        assert isinstance(result.exception, TactfulError), result.output
        return str(result.exception)

    assert "unknown experiment: got 'none'; wanted coupons, later" in error("plan", "none")
    assert "has not started" in error("report", "coupons")
    assert "not a moment" in error("start", "coupons", "--at", "soon", log=False)
    run(folder, file, "start", "coupons", "--at", START.isoformat(), log=False)
    assert "coupons has its start" in error("start", "coupons", log=False)
    assert "before it starts" in error("stop", "coupons", "--at", "2020-01-01", log=False)


def test_starting_puts_the_experiments_in_force(folder: Path, file: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    result = run(folder, file, "start", "coupons", "--at", START.isoformat(), "--store", url, log=False)
    assert result.exit_code == 0, result.output
    assert "2 experiments in force" in result.output
    store = open_store(url)
    plan = published(store.database, "default")
    store.close()
    assert plan is not None
    assert plan.experiment("coupons").start == START
    alone = run(folder, file, "report", "coupons", "--exposed")
    assert "a folder of events knows no exposures" in str(alone.exception)


def test_customers_lost_in_one_arm_stop_the_report(folder: Path, file: Path, tmp_path: Path) -> None:
    text = PLAN.replace("id: control, kind: current, share: 0.5", "id: control, kind: current, share: 0.6", 1)
    text = text.replace("kind: random, share: 0.5", "kind: random, share: 0.4")
    file.write_text(text, encoding="utf-8")
    run(folder, file, "start", "coupons", "--at", START.isoformat(), log=False)
    from tactful.features.events.dataset import read_events

    log = read_events(folder / "events")
    kept = log[[hash_v2("coupons-1", c) < 0.6 or hash_v2("lost", c) < 0.7 for c in log["customer_id"]]]
    write_events(kept, tmp_path / "events", zone="UTC", buckets=1)
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE, encoding="utf-8")
    page = tmp_path / "page.html"
    result = run(tmp_path, file, "report", "coupons", "--out", str(page))
    assert result.exit_code == 1
    assert "FAILS" in result.output
    assert "Do not decide on this" in page.read_text(encoding="utf-8")
    assert run(tmp_path, file, "status").exit_code == 1


def test_an_experiment_that_never_ran_stops_the_report(folder: Path, file: Path, tmp_path: Path) -> None:
    file.write_text(PLAN.replace("kind: random", "kind: silence", 1), encoding="utf-8")
    run(folder, file, "start", "coupons", "--at", START.isoformat(), log=False)
    page = tmp_path / "page.html"
    result = run(folder, file, "report", "coupons", "--out", str(page))
    assert result.exit_code == 1
    assert "sample ratio as declared" in result.output
    assert "treatment FAILS" in result.output
    assert "at every look" not in result.output
    reason = "arm treatment got 1.00 contacts a customer that it excludes"
    assert reason in words(result.output)
    assert reason in page.read_text(encoding="utf-8")
    told = json.loads(run(folder, file, "report", "coupons", "--out", str(page), "--json").stdout)
    assert told["arms"]["treatment"]["verdict"] == "untold"
    assert told["treatment"]["passed"] is False
    assert told["treatment"]["faults"][0].startswith(reason)
    status = run(folder, file, "status")
    assert status.exit_code == 1
    assert f"coupons: {reason}" in words(status.output)
    rows = json.loads(run(folder, file, "status", "--json").stdout)["experiments"]
    assert [(row["ratio"], row["treatment"]) for row in rows] == [("as declared", "fails"), ("–", "–")]
    assert rows[0]["faults"] == told["treatment"]["faults"]
