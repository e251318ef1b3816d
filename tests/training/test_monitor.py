"""Drift is told where it is, and hardly ever where it is not."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from tactful.training.data.attribution import Goal, LoggedDecision
from tactful.training.data.errors import TrainingError
from tactful.training.fit.drift import UNLIKELY, Drift, drifts, false_discovery, psi, rate_drifts
from tactful.training.gate.evidence import Reward
from tactful.training.monitor import Watch, watch_decisions, watch_events
from tests.training.decided import FEATURES, LATER, log, windowed
from tests.training.shops import frame, rows, write
from tests.training.test_effects import spread_out

REWARD = Reward(Goal())


def watched(entries: list[LoggedDecision]) -> Watch:
    return watch_decisions(
        entries, REWARD, entries[-1].decision.moment + timedelta(days=8), period=timedelta(days=40),
        feature_set=windowed(*FEATURES),
    )  # fmt: skip


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_the_stability_index_is_never_negative_and_zero_for_the_same(then: list[float], now: list[float]) -> None:
    assert psi(then, then) == pytest.approx(0.0)
    assert psi(then, now) >= 0


def test_a_shift_of_values_and_a_shift_to_missing_are_told() -> None:
    rng = np.random.default_rng(0)
    then = {name: rng.normal(size=2000) for name in ("same", "moved", "gone", "half", "back")}
    now = {name: rng.normal(size=2000) for name in then}
    now["moved"] += 0.8
    now["half"][rng.random(2000) < 0.5] = np.nan
    now["gone"][:] = np.nan
    then["back"][:] = np.nan
    found = {drift.name: drift for drift in drifts(then, now)}
    assert found["moved"].alert
    assert [found[name].alert for name in ("half", "gone", "back", "same")] == [True, True, True, False]
    assert (found["gone"].missing_before, found["gone"].missing_after) == (0.0, 1.0)


def test_of_many_numbers_that_stayed_hardly_one_is_called_changed() -> None:
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(20):
        then = {f"x{i}": rng.normal(size=300) for i in range(40)}
        called += sum(drift.alert for drift in drifts(then, {name: rng.normal(size=300) for name in then}))
    assert called == 0


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
@pytest.mark.parametrize(("then", "now"), [(5000, 30), (200, 60), (5000, 400)])
def test_a_rate_that_stayed_alerts_no_more_often_than_stated(then: int, now: int, share: float) -> None:
    rng = np.random.default_rng(now)
    called = sum(
        found.alert
        for _ in range(400)
        for found in rate_drifts({"yes": (rng.random(then) < share, rng.random(now) < share)})
    )
    assert called <= binom.isf(0.001, 400, UNLIKELY)


def test_customers_of_many_answers_and_of_few_alert_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(400):
        before, after = rng.beta(1, 19, 2000), rng.beta(1, 19, 60)
        (found,) = rate_drifts({"yes": (rng.binomial(20, before) / 20, rng.binomial(3, after) / 3)})
        called += found.alert
    assert called <= binom.isf(0.001, 400, UNLIKELY)


def test_a_rate_without_variance_is_compared_all_the_same() -> None:
    none, all_ = rate_drifts({"none": (np.zeros(500), np.zeros(40)), "all": (np.zeros(500), np.ones(40))})
    assert (none.alert, all_.alert) == (False, True)
    assert none.low < 0 < none.high
    assert 0.8 < all_.low < all_.high == pytest.approx(1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_corrected_probabilities_keep_order_and_are_no_smaller(given_p: list[float]) -> None:
    found = false_discovery(given_p)
    assert all(q >= p - 1e-12 and q <= 1 for q, p in zip(found, given_p, strict=True))
    order = np.argsort(given_p, kind="stable")
    assert (np.diff(np.array(found)[order]) >= -1e-12).all()
    assert false_discovery([]) == []


def test_a_change_of_rates_has_an_interval_that_holds_it() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        (found,) = rate_drifts({"yes": (rng.random(800) < 0.1, rng.random(800) < 0.15)})
        held += found.low <= 0.05 <= found.high
    assert 0.9 <= held / 200 <= 0.99


def test_a_steady_log_raises_no_alert() -> None:
    watch = watched(spread_out(log(3000)))
    assert [alert for alert in watch.alerts if "predictions" not in alert] == []
    assert min(watch.rows) > 900
    assert "score lapse" in {drift.name for drift in watch.features}
    told = {"decisions that contact", "outcomes of all decisions", "outcomes of silence"}
    assert {rate.name for rate in watch.rates} >= told
    assert (watch.new, watch.vanished) == ((), ())


def test_contacts_that_stop_are_told_and_so_are_programmes_that_vanish_and_come() -> None:
    entries = spread_out(log(3000))
    recent = entries[-1].decision.moment - timedelta(days=32)
    silent = [
        replace(e, decision=replace(e.decision, choice=None)) if e.decision.moment >= recent else e for e in entries
    ]
    watch = watched(silent)
    assert any(alert.startswith("decisions that contact went from") for alert in watch.alerts)
    assert watch.vanished == ("win_back",)
    silent_before = [
        replace(e, decision=replace(e.decision, choice=None)) if e.decision.moment < recent else e for e in entries
    ]
    assert watched(silent_before).as_dict()["programmes"] == {"new": ["win_back"], "vanished": []}


def test_tired_customers_and_other_features_are_told() -> None:
    entries = spread_out(log(3000))
    recent = entries[-1].decision.moment - timedelta(days=32)
    changed = [replace(e, outcomes=(), features=(30.0, 500.0)) if e.decision.moment > recent else e for e in entries]
    alerts = watched(changed).alerts
    assert any(alert.startswith("spend shifted: stability index") for alert in alerts)
    assert any(alert.startswith("response to win_back went from") for alert in alerts)
    assert any(alert.startswith("predictions no longer hold") for alert in alerts)


def test_a_log_of_events_is_compared_by_its_customers(tmp_path: Path) -> None:
    watch = watch_events(write(frame(0), tmp_path / "events"), period=timedelta(days=84))
    assert [rate.name for rate in watch.rates] == ["lapse", "responses"]
    assert len(watch.features) > 40
    told = watch.as_dict()
    assert set(told) == {
        "alerts",
        "features",
        "rates",
        "calibration",
        "calibration_p",
        "slope",
        "rows",
        "times",
        "programmes",
    }


def test_contacts_without_purchases_are_compared_by_their_answers(tmp_path: Path) -> None:
    calls = [(f"c{i}", 0.5 * i, 0.05 if i < 200 else 0.6) for i in range(400)]
    rng = np.random.default_rng(0)
    parts = [rows(name, "contact", [day], "loan") for name, day, _ in calls]
    parts += [rows(name, "converted", [day + 3], "loan") for name, day, rate in calls if rng.random() < rate]
    parts += [rows(name, "converted", [day + 2, day + 3], "other") for name, day, _ in calls[::9]]
    watch = watch_events(write(pd.concat(parts), tmp_path / "events"), period=timedelta(days=70))
    (found,) = watch.rates
    assert (found.name, watch.features, found.alert) == ("responses", (), True)
    assert found.before < 0.3 < 0.5 < found.after < 0.7
    assert watch.rows[1] == 140
    with pytest.raises(TrainingError, match=r"got \['contact', 'converted'\]; wanted purchases, or"):
        watch_events(write(pd.concat(parts[:20] + parts[-9:]), tmp_path / "few"), period=timedelta(days=70))


def test_what_cannot_be_compared_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to compare: got '0 decisions before"):
        watch_decisions([], REWARD, LATER, period=timedelta(days=28))
    with pytest.raises(TrainingError, match="other numbers now than then"):
        drifts({"a": [1.0]}, {"b": [1.0]})
    with pytest.raises(TrainingError, match="no values to compare"):
        psi([], [1.0])
    short = frame(0, customers=20, days=100)
    with pytest.raises(TrainingError, match="nothing to compare"):
        watch_events(write(short, tmp_path / "events"), period=timedelta(days=84))
    assert Drift("x", 0.5, 0.4, 0.0, 0.0, 0.2, 0.4).alert is False
    with pytest.raises(TrainingError, match=r"no shares: got \[0.0, 2.0\]; wanted '?\[0, 1\]'?; at spend"):
        rate_drifts({"spend": ([0.0, 2.0], [1.0])})
