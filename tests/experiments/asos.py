"""The ASOS data set: running sums of 99 comparisons in 78 online experiments (Liu and others 2021)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tactful.experiments.readout.sequential import always_valid, tuned_to

FILE = Path(__file__).parents[2] / "../shared/data/asos_ab/asos_digital_experiments_dataset.parquet"
COMPARISON = ["experiment_id", "variant_id"]


class Crossing(NamedTuple):
    """Whether a comparison crossed its bound: that of one look at the end, at some look, and the always-valid one."""

    at_the_end: bool
    ever: bool
    ever_valid: bool


def comparisons(metric: int = 1) -> pd.DataFrame:
    """The rows of a metric, in the order of time."""
    rows = pd.read_parquet(FILE)
    return rows[rows["metric_id"] == metric].sort_values([*COMPARISON, "time_since_start"], kind="stable")


def crossings(rows: pd.DataFrame) -> list[Crossing]:
    """One for each comparison; the always-valid test is tuned to the size at the end, which was planned."""
    return [_crossing(looks) for _, looks in rows.groupby(COMPARISON)]


def _crossing(looks: pd.DataFrame) -> Crossing:
    difference = (looks["mean_t"] - looks["mean_c"]).to_numpy()
    error = np.sqrt(looks["variance_t"] / looks["count_t"] + looks["variance_c"] / looks["count_c"]).to_numpy()
    known = error > 0
    difference, error = difference[known], error[known]
    fixed = np.abs(difference / error) > 1.96
    valid = always_valid(difference, error, tuned_to(float(error[-1])))
    return Crossing(bool(fixed[-1]), bool(fixed.any()), bool(valid.pvalue[-1] < 0.05))
