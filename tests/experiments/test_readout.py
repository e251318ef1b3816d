"""The whole readout: a failed sample ratio claims nothing, verdicts follow intervals, guard-rails hold."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan

import pytest

from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.base.metrics import METRICS
from tactful.experiments.design.declaration import Experiment
from tactful.experiments.readout.effects import SampleRatio
from tactful.experiments.readout.readout import Readout, readout
from tactful.experiments.readout.report import report
from tactful.experiments.readout.timeline import novelty, weekly
from tests.experiments.trials import START, Trial, trial

EXPERIMENT = Experiment.model_validate(
    {
        "id": "coupons",
        "salt": "coupons-1",
        "start": START,
        "arms": [
            {"id": "control", "kind": "current", "share": 0.5},
            {"id": "treatment", "kind": "random", "share": 0.5},
        ],
        "primary": {"metric": "revenue_per_customer", "minimum_effect": 0.2},
        "guard_rails": [{"metric": "orders_per_customer", "margin": 0.3}, {"metric": "unsubscribes", "margin": 0.01}],
    }
)

SILENT = EXPERIMENT.model_validate(
    {
        **EXPERIMENT.model_dump(),
        "arms": [
            {"id": "control", "kind": "current", "share": 0.5},
            {"id": "treatment", "kind": "silence", "share": 0.5},
        ],
    }
)


def read(made: Trial, **changes: object) -> Readout:
    return readout(
        EXPERIMENT.model_copy(update=changes), made.events, made.enrolled, made.until, cuts=["style"], currency="GBP"
    )


@pytest.fixture(scope="module")
def found() -> Readout:
    return read(trial(5, 3_000, lift=0.4))


def test_a_large_effect_is_claimed(found: Readout) -> None:
    (arm,) = found.arms
    assert found.sample_ratio.passed
    assert found.verdict(arm) == "better"
    assert 0 < arm.low < arm.primary.difference < arm.high
    assert arm.low < arm.primary.low
    assert arm.pvalue < 0.05
    assert len(arm.looks.moments) == 4
    assert [rail.verdict for rail in arm.guard_rails] == ["kept", "kept"]
    assert found.decision(arm).startswith("Switch to treatment")
    strict = (replace(arm.guard_rails[1], margin=0.0001),)
    assert found.decision(replace(arm, guard_rails=strict)).startswith(
        "Wait: treatment is better, but harm is not excluded yet: unsub"
    )
    assert arm.tail is not None
    assert arm.tail.low < arm.tail.difference < arm.tail.high
    assert set(arm.discoveries) == set(arm.others)
    assert [segments.cut for segments in arm.segments] == ["style"]


def test_a_failed_sample_ratio_claims_nothing(found: Readout) -> None:
    (arm,) = found.arms
    failed = replace(found, sample_ratio=SampleRatio({"control": 1, "treatment": 9}, {}, 1e-9))
    assert failed.verdict(arm) == "untold"
    assert failed.decision(arm).startswith("Do not decide on this")


def test_arms_that_were_treated_alike_claim_nothing(found: Readout) -> None:
    made = trial(5, 600, lift=2.0)
    same = read(replace(made, events=made.events.replace({"subject": {"coupon": "newsletter"}})), arms=SILENT.arms)
    assert same.sample_ratio.passed
    assert same.arms[0].low > 0
    assert same.verdict(same.arms[0]) == "untold"
    assert re.match(
        r"Do not decide on this: find out first why arm treatment got 1\.00 contacts a customer that it excludes",
        same.decision(same.arms[0]),
    )
    assert read(made).faults == ()


def test_too_few_orders_are_not_judged() -> None:
    made = trial(5, 600, lift=0.4)
    bought = made.events["type"] == "purchase"
    few = replace(made, events=made.events[~bought | (made.events.index % 400 == 0)])
    goal = EXPERIMENT.primary.model_copy(update={"metric": "average_order_value"})
    (arm,) = (poor := read(few, primary=goal)).arms
    assert poor.verdict(arm) == "untold"
    assert poor.decision(arm).startswith("Do not decide yet: too few customers with orders: got ")
    assert isnan(arm.low)
    assert isnan(arm.pvalue)
    assert arm.looks.moments == ()
    page = report(poor)
    assert "Do not decide yet" in page
    assert "nan" not in page.lower().replace("finance", "")


def test_lost_customers_are_noticed() -> None:
    made = trial(6, 3_000, lift=0.4)
    lost = made.enrolled[(made.enrolled["arm"] == "control") | (made.enrolled.index % 5 > 0)]
    assert not read(replace(made, enrolled=lost)).sample_ratio.passed


def test_no_effect_is_left_open_and_a_harm_is_called_one() -> None:
    nothing = read(trial(7, 1_000))
    assert nothing.verdict(nothing.arms[0]) == "open"
    assert nothing.decision(nothing.arms[0]).startswith("Keep control for now")
    worse = read(trial(8, 3_000, lift=-0.5))
    assert worse.verdict(worse.arms[0]) == "worse"
    assert worse.decision(worse.arms[0]) == "Keep control: treatment is worse."
    assert worse.arms[0].guard_rails[0].verdict == "harmed"


def test_it_stops_at_its_stop() -> None:
    made = trial(5, 400, lift=0.4)
    stop = START + timedelta(weeks=2)
    assert read(made, stop=stop).until == stop


def test_whoever_enters_later_does_not_count() -> None:
    made = trial(5, 400, lift=0.4)
    late = made.enrolled["customer"].isin(made.enrolled["customer"][:100])
    entered = made.enrolled["entered"].where(~late, made.enrolled["entered"] + timedelta(weeks=3))
    found = read(replace(made, enrolled=made.enrolled.assign(entered=entered), until=START + timedelta(weeks=2)))
    assert found.customers == sum(found.sample_ratio.counts.values()) == 300
    assert found.arms[0].primary.customers == tuple(found.sample_ratio.counts.values())


def test_what_cannot_be_read_is_refused() -> None:
    made = trial(9, 100)
    with pytest.raises(ReadoutError, match="has not started"):
        read(made, start=None)
    with pytest.raises(ReadoutError, match="got '2100-01-01T00:00:00"):
        read(made, start=datetime(2100, 1, 1, tzinfo=UTC))
    alone = made.enrolled[made.enrolled["arm"] == "control"]
    with pytest.raises(ReadoutError, match="an arm without customers"):
        read(replace(made, enrolled=alone))


def test_an_effect_that_wears_off_is_told_from_one_that_lasts() -> None:
    arms = ("control", "treatment")
    metric = METRICS["revenue_per_customer"]
    fading, lasting = trial(10, 8_000, lift=1.0, fades=0.6), trial(11, 8_000, lift=0.3)
    gone = novelty(fading.events, fading.enrolled, arms, metric, fading.until)
    stays = novelty(lasting.events, lasting.enrolled, arms, metric, lasting.until)
    assert gone.wears_off is True
    assert stays.wears_off is False
    assert [week for week, _ in gone.weeks] == [1, 2, 3, 4]
    early = novelty(fading.events, fading.enrolled, arms, metric, START + timedelta(days=8))
    assert early.wears_off is None


def test_looks_are_weekly_and_at_the_end() -> None:
    assert weekly(START, START + timedelta(days=10)) == [START + timedelta(days=7), START + timedelta(days=10)]
    assert len(weekly(START, START + timedelta(days=14))) == 2
