"""Policies: from priorities to an explicit distribution over the surviving actions and silence.

Every policy is a pure function of the priorities; the draw is made elsewhere, with a seed of the decision's own. So
the probability that is logged is the probability that was used.
"""

from abc import abstractmethod
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from tactful.decisions.base.values import Value
from tactful.features.array_types import Floats

Order = NDArray[np.int64]


class Policy(Value):
    """A way to choose.

    Args:
        floor: Least probability of each option, as far as `floor_total` goes round.
        floor_total: Most that the floors of all options take together; with n of them each has at most its n-th part,
            so that a choice among many is still made by worth.
        max_weight: Largest importance weight, 1 / probability, that a log of its decisions may have, however many
            options there are; no limit where None. With more options than it allows, all are alike.
    """

    floor: float = Field(default=0.0, ge=0, lt=1)
    floor_total: float = Field(default=0.2, ge=0)
    max_weight: float | None = Field(default=None, gt=1)

    @model_validator(mode="after")
    def _goes_round(self) -> Self:
        if 2 * self.floor > self.floor_total:
            got = f"floor {self.floor:g} and floor_total {self.floor_total:g}"
            raise ValueError(
                f"a floor that not even two options can have: got {got}; wanted twice the first in the second"
            )
        return self

    def distribution(self, priorities: Floats, order: Order) -> Floats:
        """Probabilities of the options; silence is the last one.

        Args:
            priorities: Shape (n,), in currency; silence's is 0.
            order: Shape (n,), a permutation: options with equal priority are ranked by it, the lowest first.

        Returns:
            Shape (n,), each at least `least(n)`, summing to one.
        """
        n = len(priorities)
        least = self.least(n)
        return (1 - n * least) * self.shares(priorities, order) + least

    def least(self, n: int) -> float:
        """The least probability of each of so many options.

        Example:
            >>> [InverseGap(kind="inverse_gap").least(n) for n in (2, 6, 20)]
            [0.03, 0.03, 0.01]
        """
        by_weight = 1 / self.max_weight if self.max_weight else 0.0
        return min(max(min(self.floor, self.floor_total / n), by_weight), 1 / n)

    @abstractmethod
    def shares(self, priorities: Floats, order: Order) -> Floats:
        """The same before the floor is seen to."""


def best(priorities: Floats, order: Order) -> int:
    """The option with the highest priority, and the lowest in order among equals.

    Example:
        >>> best(np.array([1.0, 3.0, 3.0]), np.array([0, 2, 1]))
        2
    """
    return int(np.lexsort((order, -priorities))[0])


def _certain(index: int, n: int) -> Floats:
    probabilities = np.zeros(n)
    probabilities[index] = 1.0
    return probabilities


class Greedy(Policy):
    """Always the best."""

    kind: Literal["greedy"]

    def shares(self, priorities: Floats, order: Order) -> Floats:
        """One for the best, nothing for the others."""
        return _certain(best(priorities, order), len(priorities))


class EpsilonGreedy(Policy):
    """The best, but with a small probability any option, all alike.

    Args:
        epsilon: The probability of a random choice.
    """

    kind: Literal["epsilon"]
    epsilon: float = Field(ge=0, le=1)

    def shares(self, priorities: Floats, order: Order) -> Floats:
        """`1 − ε` for the best, and `ε / n` for each."""
        n = len(priorities)
        return (1 - self.epsilon) * _certain(best(priorities, order), n) + self.epsilon / n


class Softmax(Policy):
    """Probabilities in proportion to `exp(priority / temperature)`.

    Args:
        temperature: In currency; the lower, the greedier.
    """

    kind: Literal["softmax"]
    temperature: float = Field(gt=0)

    def shares(self, priorities: Floats, order: Order) -> Floats:  # noqa: ARG002
        """The softmax of the priorities."""
        with np.errstate(over="ignore"):
            weights = np.exp((priorities - priorities.max()) / self.temperature)
        shares: Floats = weights / weights.sum()
        return shares


class InverseGap(Policy):
    """Inverse-gap weighting: the farther behind the best, the less often.

    Source: Foster and Rakhlin (2020), Beyond UCB: Optimal and Efficient Contextual Bandits with Regression Oracles
    (SquareCB).

    An option that is behind by a gap is taken with probability `1 / (n + γ · gap)` and costs the gap when it is, so
    learning from it costs less than `1 / γ` a decision, however far behind it is.

    Args:
        gamma: In 1 / currency; the higher, the greedier. The default, 100, spends at most 0.01 of the currency on each
            option behind the best.
        floor: Least probability of each option, as far as `floor_total` goes round; it comes on top of that cost.
    """

    kind: Literal["inverse_gap"]
    gamma: float = Field(default=100.0, gt=0)
    floor: float = Field(default=0.03, ge=0, lt=1)

    def shares(self, priorities: Floats, order: Order) -> Floats:
        """`1 / (n + γ · gap)` for each but the best, which has the rest."""
        n = len(priorities)
        winner = best(priorities, order)
        weights: Floats = 1.0 / (n + self.gamma * (priorities[winner] - priorities))
        weights[winner] = 0.0
        weights[winner] = 1.0 - weights.sum()
        return weights


class PriorityList(Policy):
    """The first survivor in the marketer's order that is worth more than silence."""

    kind: Literal["priority_list"]

    def shares(self, priorities: Floats, order: Order) -> Floats:  # noqa: ARG002
        """One for the first option with a priority above silence's, or for silence."""
        worthwhile = np.flatnonzero(priorities > 0)
        return _certain(int(worthwhile[0]) if len(worthwhile) else len(priorities) - 1, len(priorities))


class RandomEligible(Policy):
    """Any survivor or silence, all alike: the log that can judge every other policy."""

    kind: Literal["random"]

    def shares(self, priorities: Floats, order: Order) -> Floats:  # noqa: ARG002
        """`1 / n` for each."""
        return np.full(len(priorities), 1.0 / len(priorities))


AnyPolicy = Annotated[
    Greedy | EpsilonGreedy | Softmax | InverseGap | PriorityList | RandomEligible, Field(discriminator="kind")
]
