"""The best action for each row when some actions are scarce."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from tactful.features.array_types import Floats, Ints
from tactful.models.base.errors import ModelError

Amounts: TypeAlias = float | ArrayLike | Mapping[str, float | ArrayLike]


def assign(worth: Floats, capacity: Ints) -> Ints:
    """Chooses at most one action per row so that their total worth is greatest.

    Where the best action of each row exceeds no capacity, that is the answer. Otherwise it is the vertex of a
    transport problem, whose solutions are whole numbers (Hoffman and Kruskal 1956, Integral boundary points of
    convex polyhedra), found by the dual simplex of HiGHS.

    Args:
        worth: Above doing nothing, shape (n, k).
        capacity: Rows that may get each action at most, shape (k,).

    Returns:
        Position of the action, -1 for none, shape (n,). An action worth nothing or less is never chosen.

    Example:
        >>> assign(np.array([[3.0, 2.0], [3.0, 1.0], [-1.0, -2.0]]), np.array([1, 1])).tolist()
        [1, 0, -1]
    """
    if not worth.size:
        return np.full(len(worth), -1)
    best = np.where(worth.max(axis=1) > 0, worth.argmax(axis=1), -1)
    if np.all(np.bincount(best[best >= 0], minlength=len(capacity)) <= capacity):
        return best
    row, action = np.nonzero((worth > 0) & (capacity > 0))
    if not len(row):
        return np.full(len(worth), -1)
    pair = np.arange(len(row))
    once = csr_array((np.ones(len(row)), (row, pair)), shape=(len(worth), len(row)))
    scarce = csr_array((np.ones(len(row)), (action, pair)), shape=(len(capacity), len(row)))
    limits = np.concatenate([np.ones(len(worth)), np.minimum(capacity, len(worth))])
    found = linprog(-worth[row, action], A_ub=vstack([once, scarce]), b_ub=limits, bounds=(0, 1), method="highs-ds")
    chosen = np.full(len(worth), -1)
    taken = found.x > 0.5
    chosen[row[taken]] = action[taken]
    return chosen


def capacities(capacity: Mapping[str, int] | None, actions: Sequence[str], rows: int) -> Ints:
    """A limit for each action; the number of rows for those without.

    Raises:
        ModelError: An unknown action, or no whole number of at least 0.
    """
    limits = dict(capacity or {})
    unknown = sorted(set(limits) - set(actions))
    if unknown:
        raise ModelError("capacity of unknown actions", got=unknown, wanted=list(actions), where="capacity")
    for action, limit in limits.items():
        if not float(limit).is_integer() or limit < 0:
            raise ModelError("unfit capacity", got=limit, wanted="a whole number, at least 0", where=action)
    return np.array([int(limits.get(action, rows)) for action in actions], dtype=np.int64)


def amounts(name: str, given: Amounts, actions: Sequence[str], baseline: str, rows: int) -> Floats:
    """Money for each row and action, shape (n, k), from a number, a value for each row, or either by action.

    The baseline may be named with 0.

    Raises:
        ModelError: An action is missing or unknown, or amounts are not finite or of another shape.
    """
    if not isinstance(given, Mapping):
        return np.repeat(_amount(name, given, rows)[:, None], len(actions), axis=1)
    named = {action for action, amount in given.items() if action != baseline or np.any(np.asarray(amount) != 0)}
    if named != set(actions):
        raise ModelError("amounts of other actions", got=sorted(named), wanted=list(actions), where=name)
    return np.column_stack([np.empty((rows, 0)), *(_amount(name, given[action], rows) for action in actions)])


def _amount(name: str, given: ArrayLike, rows: int) -> Floats:
    amount = np.asarray(given, dtype=np.float64)
    if amount.shape not in ((), (rows,)) or not np.isfinite(amount).all():
        raise ModelError("unfit amounts", got=amount.shape, wanted=f"a finite number or {rows} of them", where=name)
    return np.broadcast_to(amount, (rows,))
