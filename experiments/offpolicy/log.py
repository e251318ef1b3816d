"""Logged decisions as arrays: what could be chosen, how likely it was, what was chosen, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tactful.experiments.base.errors import LogError
from tactful.features.array_types import Floats

ROUNDING = 1e-6
"""By how much probabilities may miss what they should add up to."""


@dataclass(frozen=True, eq=False)
class Log:
    """n logged decisions among k options, beside the policy to judge on them.

    The options of a decision are its survivors and silence; what a gate excluded had no probability, and a policy to
    judge may not give it any.

    Attributes:
        choices: Column of the option chosen, shape (n,).
        logged: Probability of each option when it was chosen, shape (n, k), each row summing to one.
        target: Probability of each option under the policy to judge, shape (n, k), each row summing to one.
        rewards: The reward of each decision, in currency or any other unit, shape (n,).
        customers: Id of each decision's customer, shape (n,).
        options: Whether each column is an option of the decision, shape (n, k); all are where None.
        actions: Name of each column, of length k or empty.

    Raises:
        LogError: If shapes differ, a number is not finite, probabilities are none, or the choice was impossible.

    Example:
        >>> log = Log(
        ...     choices=[0, 1], logged=[[0.5, 0.5], [0.8, 0.2]], target=[[1, 0], [0.5, 0.5]], rewards=[3, 1],
        ...     customers=["ada", "ben"],
        ... )
        >>> log.weights.tolist()
        [2.0, 2.5]
    """

    choices: NDArray[np.int64]
    logged: Floats
    target: Floats
    rewards: Floats
    customers: NDArray[Any]
    options: NDArray[np.bool_]
    actions: tuple[str, ...]

    def __init__(
        self,
        choices: ArrayLike,
        logged: ArrayLike,
        target: ArrayLike,
        rewards: ArrayLike,
        customers: ArrayLike,
        options: ArrayLike | None = None,
        actions: Sequence[str] = (),
    ) -> None:
        given = np.asarray(logged, dtype=np.float64)
        arrays = {
            "choices": np.asarray(choices),
            "logged": given,
            "target": np.asarray(target, dtype=np.float64),
            "rewards": np.asarray(rewards, dtype=np.float64),
            "customers": np.asarray(customers),
            "options": np.ones(given.shape, dtype=bool) if options is None else np.asarray(options, dtype=bool),
            "actions": tuple(actions),
        }
        for name, array in arrays.items():
            object.__setattr__(self, name, array)
        _refuse_shapes(self)
        _refuse_probabilities(self, "logged")
        _refuse_probabilities(self, "target")
        _refuse_outcomes(self)

    def __len__(self) -> int:
        return len(self.choices)

    @cached_property
    def weights(self) -> Floats:
        """How much likelier each choice is under the policy to judge than it was, at least 0, shape (n,)."""
        rows = np.arange(len(self))
        weights: Floats = self.target[rows, self.choices] / self.logged[rows, self.choices]
        return weights

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """Number of each decision's customer, from 0, shape (n,)."""
        return np.asarray(pd.factorize(self.customers, use_na_sentinel=False)[0], dtype=np.int64)

    @cached_property
    def customer_count(self) -> int:
        """How many customers there are."""
        return int(self.clusters.max()) + 1

    def by_customer(self, values: Floats) -> Floats:
        """The sum of values of shape (n,) over the decisions of each customer."""
        return np.asarray(np.bincount(self.clusters, values, self.customer_count), dtype=np.float64)


def _refuse_shapes(log: Log) -> None:
    if log.logged.ndim != 2 or 0 in log.logged.shape:
        raise LogError("a log without decisions or options", got=log.logged.shape, wanted="shape (n, k)")
    n, k = log.logged.shape
    wanted = {"choices": (n,), "target": (n, k), "rewards": (n,), "customers": (n,), "options": (n, k)}
    for name, shape in wanted.items():
        if getattr(log, name).shape != shape:
            raise LogError("arrays of different lengths", got=getattr(log, name).shape, wanted=shape, where=name)
    if log.actions and len(log.actions) != k:
        raise LogError("columns and names differ", got=len(log.actions), wanted=k, where="actions")


def _refuse_probabilities(log: Log, name: str) -> None:
    probabilities: Floats = getattr(log, name)
    least: Floats = probabilities.min(axis=1)
    sums: Floats = probabilities.sum(axis=1)
    excluded: Floats = np.where(log.options, 0.0, probabilities).max(axis=1)
    _refuse(~(least >= 0), "a probability below 0 or unknown", least, "at least 0", name)
    _refuse(~(np.abs(sums - 1) <= ROUNDING), "probabilities that do not add up", sums, "1", name)
    _refuse(excluded > 0, "a probability of what was excluded", excluded, "0", name)


def _refuse_outcomes(log: Log) -> None:
    n, k = log.logged.shape
    if log.choices.dtype.kind not in "iu":
        raise LogError("choices that are no columns", got=str(log.choices.dtype), wanted="integers", where="choices")
    _refuse((log.choices < 0) | (log.choices >= k), "an unknown option", log.choices, f"0 to {k - 1}", "choices")
    likely = log.logged[np.arange(n), log.choices]
    _refuse(likely == 0, "a choice that could not happen", likely, "above 0", "logged")
    _refuse(~np.isfinite(log.rewards), "a reward unknown", log.rewards, "a number", "rewards")


def _refuse(wrong: NDArray[np.bool_], message: str, found: NDArray[Any], wanted: str, where: str) -> None:
    """An error about the first row that is wrong."""
    if wrong.any():
        row = int(wrong.argmax())
        raise LogError(message, got=found[row].item(), wanted=wanted, where=f"{where}, row {row}")
