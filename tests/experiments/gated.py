"""A shop whose every policy has a known value: three segments, gates that open by chance, four actions and silence.

Customers come back, and what one of them spends depends on the customer, so that decisions are not independent.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from tactful.experiments.offpolicy.log import Log
from tactful.features.array_types import Floats

SEGMENTS = np.array([0.5, 0.3, 0.2])
OPEN = np.array([1.0, 0.8, 0.6, 0.7, 0.4])
"""Probability that an option passes the gates; silence, the first, always does."""
REWARDS = np.array([[1.0, 1.4, 0.6, 1.9, 1.2], [0.5, 0.2, 1.6, 0.4, 0.9], [2.0, 2.2, 1.7, 3.1, 1.0]])
MARKETER = np.array([[0.0, 1.0, 0.5, 0.2, 0.8]] * 3)
LEARNED = np.array([[0.1, 0.6, 0.2, 1.5, 0.4], [0.3, 0.1, 1.4, 0.2, 0.7], [0.5, 0.9, 0.3, 1.6, 0.1]])
FITTED = 0.3 + 0.7 * REWARDS
"""What a fair model predicts: shrunk, and 0.3 too high."""
MISTAKEN = 2.5 - REWARDS
"""What a model predicts that has it the wrong way round."""


def among(options: NDArray[np.bool_], scores: Floats, floor: float = 0.25, sharpness: float = 2.0) -> Floats:
    """Probabilities by a softmax of the scores over the survivors, mixed with the uniform over them by a floor."""
    weights = np.where(options, np.exp(sharpness * scores), 0.0)
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    uniform: Floats = options / options.sum(axis=1, keepdims=True)
    return (1 - floor) * shares + floor * uniform


def simulated(
    seed: int, customers: int = 400, floor: float = 0.25, sharpness: float = 2.0
) -> tuple[Log, NDArray[np.int64]]:
    """A log by the marketer's scores, with the learned policy to judge, and the segment of each decision."""
    rng = np.random.default_rng(seed)
    visits = rng.integers(1, 8, customers)
    customer = np.repeat(np.arange(customers), visits)
    n = len(customer)
    segment = rng.choice(3, customers, p=SEGMENTS)[customer]
    options = rng.random((n, 5)) < OPEN
    logged = among(options, MARKETER[segment], floor, sharpness)
    choices = (logged.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=4)
    taste = rng.normal(0.0, 0.7, customers)[customer]
    rewards = REWARDS[segment, choices] + taste + rng.normal(0.0, 1.0, n)
    return Log(choices, logged, among(options, LEARNED[segment]), rewards, customer, options), segment


def truth() -> float:
    """The learned policy's value, over all segments and gates."""
    options = np.array([(True, *gates) for gates in product((False, True), repeat=4)])
    likely = np.where(options, OPEN, 1 - OPEN).prod(axis=1)
    values = [likely @ among(options, np.tile(LEARNED[segment], (16, 1))) @ REWARDS[segment] for segment in range(3)]
    return float(SEGMENTS @ values)
