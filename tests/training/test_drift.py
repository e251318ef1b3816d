"""What cannot be compared is told, not given a number."""

from typing import Any

import numpy as np
import pytest

from tactful.training.data.errors import TrainingError
from tactful.training.fit.drift import drifts, psi, rate_drifts


@pytest.mark.parametrize("values", [[np.inf] * 3, [1.0, -np.inf, 2.0]])
def test_infinite_values_are_refused(values: list[float]) -> None:
    finite = [1.0, 2.0, np.nan]
    for call in (
        lambda: psi(values, finite),
        lambda: psi(finite, values),
        lambda: drifts({"a": finite}, {"a": values}),
    ):
        with pytest.raises(TrainingError, match=r"infinite values: got [13]; wanted numbers, or NaN for missing"):
            call()


@pytest.mark.parametrize("level", [95, 1.5, 1.0, 0.0, -1, np.nan])
def test_a_level_that_is_no_coverage_is_refused(level: Any) -> None:
    with pytest.raises(TrainingError, match=r"an impossible coverage: got .*; wanted between 0 and 1; at level"):
        rate_drifts({"yes": ([0, 1], [0, 1])}, level)
