"""Published figures of 78 online experiments: sample ratios that fail, tests that cross 1.96 because somebody peeks."""

import numpy as np
import pandas as pd
import pytest

from tactful.experiments.readout.effects import sample_ratio
from tests.experiments.asos import COMPARISON, FILE, comparisons, crossings

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"the ASOS data are not at {FILE}")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return comparisons()


def test_twelve_of_ninety_nine_sample_ratios_fail(rows: pd.DataFrame) -> None:
    last = rows.groupby(COMPARISON).tail(1)
    ratios = [
        sample_ratio({"control": int(c), "treatment": int(t)}, {"control": 0.5, "treatment": 0.5})
        for c, t in zip(last["count_c"], last["count_t"], strict=True)
    ]
    assert len(ratios) == 99
    assert sum(not ratio.passed for ratio in ratios) == 12


def test_peeking_crosses_in_twenty_more(rows: pd.DataFrame) -> None:
    found = crossings(rows)
    assert sum(one.at_the_end for one in found) == 26
    assert sum(one.ever for one in found) == 46


def test_an_always_valid_test_claims_no_more_than_the_end_supports(rows: pd.DataFrame) -> None:
    found = crossings(rows)
    claimed = [one for one in found if one.ever_valid]
    assert len(claimed) < sum(one.ever for one in found)
    assert np.mean([one.at_the_end for one in claimed]) > 0.9
