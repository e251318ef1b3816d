"""Churn and response on data others have published figures for; left out where the files are absent."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks._bank import FIRST, LAG, as_events, rolling
from benchmarks.learning import BANK, CDNOW, cdnow90
from tactful.features.events.dataset import write_events
from tactful.features.events.schema import validate
from tactful.training.monitor import watch_events


@pytest.mark.soak
@pytest.mark.skipif(not CDNOW.is_file(), reason=f"no {CDNOW}")
def test_customers_of_cdnow_are_foretold_better_than_by_bgnbd_and_rfm() -> None:
    found = cdnow90()
    assert (found["n"], found["split"]["pool"]["moments"]) == (23_570, 3)
    assert found["split"]["pool"]["settled"] <= found["split"]["test"]["from"] == "1998-04-01"
    assert found["auc"]["value"] >= 0.837
    assert found["log_loss"]["value"] <= 0.298
    assert found["baselines"]["bgnbd"]["log_loss"]["value"] == pytest.approx(0.305, abs=0.003)
    assert all(baseline["log_loss_gain"]["low"] > 0 for baseline in found["baselines"].values())


@pytest.mark.skipif(not BANK.is_file(), reason=f"no {BANK}")
def test_no_answer_reaches_back_to_an_earlier_call() -> None:
    calls = pd.read_csv(BANK, sep=";", nrows=FIRST + 1500)
    changed = calls.copy()
    changed.loc[FIRST:, "y"] = np.where(calls.loc[FIRST:, "y"] == "yes", "no", "yes")
    before, after = rolling(calls), rolling(changed)
    for model in ("trees", "logit", "logit_recent"):
        same = getattr(before, model) == getattr(after, model)
        assert same[: LAG + 1].all()
        assert not same[LAG + 1 :].all()


def test_calls_keep_their_order_and_lie_in_their_months() -> None:
    calls = pd.DataFrame(
        {"month": ["may", "may", "jun", "dec", "mar", "mar"], "y": ["no", "yes", "no", "no", "yes", "no"]}
    )
    events = as_events(calls)
    contacts, answers = events[events["type"] == "contact"], events[events["type"] == "converted"]
    assert contacts["time"].dt.strftime("%Y-%m").tolist() == ["2008-05"] * 2 + ["2008-06", "2008-12"] + ["2009-03"] * 2
    assert contacts["time"].is_monotonic_increasing
    assert answers["time"].tolist() == contacts["time"].iloc[[1, 4]].tolist()
    assert validate(events).rejected.empty


@pytest.mark.skipif(not BANK.is_file(), reason=f"no {BANK}")
def test_monitor_tells_the_drift_of_the_banks_base_rate(tmp_path: Path) -> None:
    calls = validate(as_events(pd.read_csv(BANK, sep=";")))
    watch = watch_events(write_events(calls.events, tmp_path / "bank", zone="UTC"), period=timedelta(weeks=26))
    (found,) = watch.rates
    assert (len(calls.events), len(calls.rejected)) == (41_188 + 4_640, 0)
    assert f"{watch.times[0]:%Y-%m} to {watch.times[1]:%Y-%m}" == "2010-05 to 2010-11"
    assert (round(found.before, 3), round(found.after, 3), found.alert) == (0.097, 0.515, True)
