"""Churn and response on data others have published figures for; left out where the files are absent."""

import numpy as np
import pandas as pd
import pytest

from benchmarks._bank import FIRST, LAG, rolling
from benchmarks.learning import BANK, CDNOW, cdnow90


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
