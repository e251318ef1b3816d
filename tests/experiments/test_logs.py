"""Logs that contradict themselves are refused."""

from typing import Any

import numpy as np
import pytest

from tactful.experiments.base.errors import LogError
from tactful.experiments.offpolicy.log import Log

SOUND: dict[str, Any] = {
    "choices": [0, 1],
    "logged": [[0.5, 0.5], [0.8, 0.2]],
    "target": [[1, 0], [0.5, 0.5]],
    "rewards": [3, 1],
    "customers": ["ada", "ben"],
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"choices": [0]}, r"arrays of different lengths: got \(1,\); wanted \(2,\); at choices"),
        ({"choices": [0.0, 1.0]}, "choices that are no columns: got 'float64'; wanted integers"),
        ({"choices": [0, 2]}, "an unknown option: got 2; wanted 0 to 1; at choices, row 1"),
        ({"choices": [-1, 0]}, "an unknown option: got -1"),
        ({"logged": [[0.5, 0.5], [1.0, 0.0]]}, "a choice that could not happen: got 0.0; .* at logged, row 1"),
        ({"logged": [[0.5, 0.5], [0.5, 0.2]]}, "probabilities that do not add up: got 0.7; wanted 1; at logged, row 1"),
        ({"logged": np.zeros((0, 2))}, "a log without decisions or options"),
        ({"logged": [0.5, 0.5]}, "a log without decisions or options"),
        ({"target": [[1.5, -0.5], [1, 0]]}, "a probability below 0 or unknown: got -0.5; .* at target, row 0"),
        ({"target": [[1, 0], [np.nan, 1]]}, "a probability below 0 or unknown: got nan; .* at target, row 1"),
        ({"rewards": [1, np.nan]}, "a reward unknown: got nan; wanted a number; at rewards, row 1"),
        ({"actions": ["silence"]}, "columns and names differ: got 1; wanted 2"),
        ({"options": [[True, True], [True, False]]}, "a probability of what was excluded: got 0.2; .* logged, row 1"),
    ],
)
def test_a_log_that_contradicts_itself_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(LogError, match=message):
        Log(**{**SOUND, **wrong})
