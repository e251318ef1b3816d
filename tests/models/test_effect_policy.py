import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.models.effects.policy import assign


def test_the_scarce_action_goes_where_the_alternative_is_worst() -> None:
    worth = np.array([[5.0, 4.9], [4.0, 0.0], [4.0, 0.0]])
    assert assign(worth, np.array([2, 3])).tolist() == [1, 0, 0]


def test_rows_that_tie_fill_a_capacity_exactly() -> None:
    chosen = assign(np.ones((3000, 3)), np.array([700, 0, 1100]))
    assert np.bincount(chosen + 1, minlength=4).tolist() == [1200, 700, 0, 1100]


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 4), st.integers(0, 5))
def test_assignments_keep_capacities_and_are_best(seed: int, rows: int, actions: int, most: int) -> None:
    generator = np.random.default_rng(seed)
    worth = generator.normal(size=(rows, actions)).round(1)
    capacity = generator.integers(0, most + 1, actions)
    chosen = assign(worth, capacity)
    some = chosen >= 0
    assert (np.bincount(chosen[some], minlength=actions) <= capacity).all()
    assert (worth[some, chosen[some]] > 0).all()
    assert worth[some, chosen[some]].sum() == pytest.approx(best_total(worth, tuple(capacity)))


def best_total(worth: np.ndarray, capacity: tuple[int, ...]) -> float:
    """By exhaustion over the capacities that are left."""
    totals = {capacity: 0.0}
    for row in worth:
        following: dict[tuple[int, ...], float] = {}
        for left, total in totals.items():
            following[left] = max(following.get(left, -np.inf), total)
            for j in np.flatnonzero(left):
                after = (*left[:j], left[j] - 1, *left[j + 1 :])
                following[after] = max(following.get(after, -np.inf), total + row[j])
        totals = following
    return max(totals.values())
