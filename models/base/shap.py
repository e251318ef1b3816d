"""Why a row scores as it does: its log-odds as a sum over the columns, by Shapley values of the trees.

The values say what moved this model's score, not what would change the customer. Columns that tell much the same
share what they tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isnan

import numpy as np
from numpy.typing import NDArray

from tactful.models.base.gbm import TreeModel


@dataclass(frozen=True, slots=True)
class Reason:
    """One column's part in the score of a row.

    Attributes:
        column: Its name.
        value: The row's value there: a number, NaN where it is missing, or the name of a category.
        log_odds: How much it moved the uncalibrated log-odds away from those of the average row.
    """

    column: str
    value: float | str
    log_odds: float

    @property
    def odds(self) -> float:
        """By what it multiplied the odds: above 1 it raised the score, below 1 it lowered it."""
        return exp(self.log_odds)

    def in_words(self, descriptions: Mapping[str, str]) -> str:
        """One clause for people; a column without description is called by its name.

        Example:
            >>> reason = Reason("days_since_purchase", 41.25, 0.6931)
            >>> reason.in_words({"days_since_purchase": "days since the last purchase"})
            'days since the last purchase: 41.2, odds x 2.00'
        """
        return f"{self.finding(descriptions)}, odds x {self.odds:.2f}"

    def finding(self, descriptions: Mapping[str, str]) -> str:
        """The column and the row's value there, in words."""
        return f"{descriptions.get(self.column, self.column.replace('_', ' '))}: {self._value()}"

    def _value(self) -> str:
        if isinstance(self.value, str):
            return self.value
        return "unknown" if isnan(self.value) else f"{self.value:,.1f}".removesuffix(".0")


def reasons(trees: TreeModel, row: NDArray[np.float64], *, most: int = 4) -> list[Reason]:
    """The columns that moved a row's score furthest, up or down, furthest first.

    Args:
        trees: The model.
        row: Shape (k,).
        most: How many at most; columns that moved nothing are no reasons.
    """
    parts = trees.contributions(row[None, :])[0, :-1]
    furthest = np.argsort(-np.abs(parts), kind="stable")[:most]
    return [Reason(trees.columns[i], float(row[i]), float(parts[i])) for i in furthest if parts[i] != 0.0]


def by_family(
    parts: NDArray[np.float64], columns: Sequence[str], families: Mapping[str, Sequence[str]], *, other: str = "offer"
) -> dict[str, NDArray[np.float64]]:
    """Contributions summed over the columns of each family, since columns of a family tell much the same.

    Args:
        parts: From `TreeModel.contributions`, shape (n, k + 1).
        columns: Names of the first k.
        families: Columns by family; families without a column here are left out.
        other: The name of all columns without a family.

    Returns:
        Log-odds by family, each of shape (n,).

    Example:
        >>> by_family(np.array([[0.5, -0.25, -1.0]]), ["gap", "type"], {"rhythm": ["gap"], "value": ["spend"]})
        {'rhythm': array([0.5]), 'offer': array([-0.25])}
    """
    family_of = {column: family for family, members in families.items() for column in members}
    members: dict[str, list[int]] = {}
    for position, column in enumerate(columns):
        members.setdefault(family_of.get(column, other), []).append(position)
    return {family: parts[:, positions].sum(axis=1) for family, positions in members.items()}
