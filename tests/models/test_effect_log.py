"""Single probabilities: what cannot be true is refused, what is true is not."""

import numpy as np
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.effects.log import Log

ACTIONS = np.array(["no contact", "coupon", "news"])
LOGS = 400


def log(seed: int, chances: np.ndarray, rows: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Actions drawn by a row's probabilities, an outcome, and the probability of what was drawn."""
    rng = np.random.default_rng(seed)
    table = np.broadcast_to(chances, (rows, 3))
    drawn = np.minimum((rng.random(rows)[:, None] > table.cumsum(axis=1)).sum(axis=1), 2)
    return ACTIONS[drawn], rng.random(rows), table[np.arange(rows), drawn]


def policies(seed: int) -> np.ndarray:
    """Probabilities of rows: even, greedy with a share of exploration that may be tiny, or with an action gated."""
    rng = np.random.default_rng(1000 + seed)
    best, explored = rng.integers(0, 3, 500), 10 ** rng.uniform(-3, -0.2, 500)
    table = np.eye(3)[best] * (1 - explored)[:, None] + explored[:, None] / 3
    table[rng.random(500) < rng.random(), rng.integers(0, 3)] = 0.0
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def test_true_probabilities_are_not_refused() -> None:
    """Once in 100,000 logs at most, says the check; here are 1,200."""
    for seed in range(LOGS):
        for chances in (policies(seed), np.full(3, 1 / 3), np.array([0.96, 0.03, 0.01])):
            action, outcome, propensity = log(seed, chances)
            Log.of(action, outcome, propensity, baseline="no contact")


@pytest.mark.parametrize("said", [0.55, 0.7, 0.95])
@pytest.mark.parametrize("share", [1.0, 0.7])
def test_probabilities_that_are_too_large_are_refused(said: float, share: float) -> None:
    """Two actions drawn evenly, of which rows say more than a half; a share of them, and the others say 1/2."""
    for seed in range(30):
        action, outcome, propensity = log(seed, np.array([0.5, 0.5, 0.0]))
        large = np.where(np.arange(500) < share * 500, said, propensity)
        with pytest.raises(ModelError, match=r"contradict the actions: got '\d+% above 1/2'; wanted what is likely"):
            Log.of(action, outcome, large, baseline="no contact")
