"""Allocation: scarce capacity shared among all customers by prices, one for each resource.

Each customer takes the action that is worth most to it under the prices; the prices rise until nobody's capacity is
passed. Customers never meet: a round asks every bucket of customers for its `Demand`, a few numbers that add up, and
moves the prices. The dual of the linear programme is smoothed by an entropy, so that it has a gradient and a curvature,
and the smoothing is taken away step by step.

Sources: Dantzig and Wolfe (1960), Decomposition Principle for Linear Programs; Nesterov (2005), Smooth Minimization of
Non-Smooth Functions; Basu, Ghoting, Mazumder and Pan (2020), ECLIPSE: An Extreme Scale Linear Program Solver.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.base.errors import AllocationError
from tactful.features.array_types import Floats

SILENCE = -1
"""The choice of a customer who is left alone."""
STEPS, COOLINGS, COOLER = 60, 12, 0.4
"""Newton steps at each temperature, how often it is lowered, and by which factor."""
SHORTEST = 1e-9
"""Share of a Newton step below which the dual falls no more (Armijo's rule)."""
ROUNDING = 1e-9
"""By how much a capacity may seem to be passed."""
ENOUGH = 1e-3
"""Share of a capacity by which usage may be off before the temperature is lowered."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The demand of some customers under prices and a temperature; of two buckets, the sum.

    Args:
        surplus: Their gain over silence net of prices, softened by the temperature, in currency.
        usage: Their use of each resource, shape (k,).
        curvature: How usage falls with the prices, shape (k, k): minus the matrix of derivatives.
    """

    surplus: float
    usage: Floats
    curvature: Floats

    def __add__(self, other: "Demand") -> "Demand":
        return Demand(self.surplus + other.surplus, self.usage + other.usage, self.curvature + other.curvature)


Ask = Callable[[Floats, float], Demand]
"""Demand under prices and a temperature; of many buckets, their sum."""


def demand(values: Floats, uses: Floats, prices: Floats, temperature: float) -> Demand:
    """The demand of customers when each action is chosen in proportion to `exp(net value / temperature)`.

    Args:
        values: Worth over silence of each action to each customer, in currency, before prices, shape (n, a);
            minus infinity where an action is excluded.
        uses: The use of each resource by a contact of each action, shape (a, k).
        prices: Price of a unit of each resource, in currency, shape (k,).
        temperature: In currency, above 0.
    """
    net = np.column_stack([values - uses @ prices, np.zeros(len(values))]) / temperature
    top = net.max(axis=1, keepdims=True)
    weights = np.exp(net - top)
    total = weights.sum(axis=1, keepdims=True)
    shares = (weights / total)[:, :-1]
    usage = shares @ uses
    second = uses.T @ (shares.sum(axis=0)[:, None] * uses) - usage.T @ usage
    surplus = temperature * float((np.log(total) + top).sum())
    return Demand(surplus, usage.sum(axis=0), second / temperature)


def best(values: Floats, uses: Floats, prices: Floats) -> NDArray[np.int64]:
    """The action that is worth most to each customer under prices, or `SILENCE`: shape (n,).

    Example:
        >>> mail_or_sms = np.array([[5.0, 3.0], [1.0, 2.0], [-1.0, -2.0]])
        >>> best(mail_or_sms, np.eye(2), np.array([2.5, 0.0])).tolist()
        [1, 1, -1]
    """
    if not values.shape[1]:
        return np.full(len(values), SILENCE)
    net = values - uses @ prices
    winner = net.argmax(axis=1)
    return np.where(net[np.arange(len(net)), winner] > 0, winner, SILENCE)


def clearing_prices(ask: Ask, capacity: Floats, scale: float) -> Floats:
    """The prices under which demand keeps to capacity.

    Minimises the smoothed dual, `surplus + prices · capacity`, over prices of at least 0 by projected Newton steps.

    Args:
        ask: Tells the demand.
        capacity: Of each resource, shape (k,).
        scale: Size of a typical value, in currency: where the temperature begins.

    Returns:
        Price of a unit of each resource, in currency, shape (k,).
    """
    prices, temperature = np.zeros(len(capacity)), scale
    for _ in range(COOLINGS):
        prices = _cleared(ask, prices, capacity, temperature)
        temperature *= COOLER
    return prices


def _cleared(ask: Ask, prices: Floats, capacity: Floats, temperature: float) -> Floats:
    """The prices that clear the market at one temperature."""
    wanted = ask(prices, temperature)
    for _ in range(STEPS):
        slope = capacity - wanted.usage
        free = (prices > 0) | (slope < 0)
        if np.all(np.abs(slope[free]) <= ENOUGH * np.maximum(capacity[free], 1.0)):
            break
        curvature = wanted.curvature[np.ix_(free, free)]
        ridge = 1e-9 * (1.0 + np.trace(curvature)) * np.eye(int(free.sum()))
        direction = np.zeros(len(prices))
        direction[free] = -np.linalg.solve(curvature + ridge, slope[free])
        before, length = wanted.surplus + prices @ capacity, 1.0
        while length > SHORTEST:
            moved = np.maximum(prices + length * direction, 0.0)
            asked = ask(moved, temperature)
            if asked.surplus + moved @ capacity <= before + 1e-4 * slope @ (moved - prices):
                prices, wanted = moved, asked
                break
            length /= 2
    return prices


@dataclass(frozen=True, slots=True)
class Allocation:
    """The assignment of actions to customers.

    Args:
        prices: Price of a unit of each resource, in currency, shape (k,).
        choice: Each customer's action, or `SILENCE`, shape (n,).
        usage: Of each resource, at most its capacity, shape (k,).
        value: Of all choices, in currency.
        bound: No allocation that keeps to the capacities is worth more.
    """

    prices: Floats
    choice: NDArray[np.int64]
    usage: Floats
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """Share of the bound that this allocation may be short of the best one."""
        return 0.0 if self.bound <= 0 else 1.0 - self.value / self.bound


def allocate(values: Floats, uses: Floats, capacity: Floats) -> Allocation:
    """The allocation by clearing prices, whose ties are broken so that every capacity is kept.

    Args:
        values: As for `demand`.
        uses: As for `demand`, at least 0.
        capacity: Of each resource, at least 0, shape (k,).

    Raises:
        AllocationError: The shapes do not fit, or a number is not one.

    Example:
        >>> worth = np.array([[5.0, 3.0], [4.0, 3.5], [3.0, 0.5]])  # three customers: a call, a mail
        >>> found = allocate(worth, np.eye(2), np.array([1.0, 1.0]))  # one call, one mail
        >>> found.choice.tolist(), round(found.value, 2)
        ([0, 1, -1], 8.5)
    """
    _check(values, uses, capacity)
    prices = clearing_prices(lambda p, t: demand(values, uses, p, t), capacity, typical(values))
    choice = _kept(best(values, uses, prices), values, uses, prices, capacity)
    chosen = np.flatnonzero(choice != SILENCE)
    return Allocation(
        prices,
        choice,
        uses[choice[chosen]].sum(axis=0),
        float(values[chosen, choice[chosen]].sum()),
        bound(values, uses, prices, capacity),
    )


def bound(values: Floats, uses: Floats, prices: Floats, capacity: Floats) -> float:
    """The upper bound of every allocation within the capacities, by weak duality, at any prices, in currency."""
    surplus = (values - uses @ prices).max(axis=1, initial=0.0)
    return float(surplus.sum() + prices @ capacity)


def typical(values: Floats) -> float:
    """The mean worth of what is worth sending, in currency; 1 where nothing is."""
    worth = values[np.isfinite(values) & (values > 0)]
    return float(worth.mean()) if len(worth) else 1.0


def _kept(
    choice: NDArray[np.int64], values: Floats, uses: Floats, prices: Floats, capacity: Floats
) -> NDArray[np.int64]:
    """The choices, those with the least surplus given up or changed where a capacity would be passed."""
    net = values - uses @ prices
    surplus = np.where(choice == SILENCE, -np.inf, net.max(axis=1, initial=-np.inf))
    ranked = np.argsort(-net, axis=1)
    left, kept = capacity.astype(np.float64).copy(), np.full(len(choice), SILENCE)
    for customer in np.argsort(-surplus)[: int((choice != SILENCE).sum())]:
        _take(customer, ranked[customer], kept, values, uses, left)
    return _filled(kept, values, uses, left)


def _filled(kept: NDArray[np.int64], values: Floats, uses: Floats, left: Floats) -> NDArray[np.int64]:
    """Gives the remaining capacity to the customers with the highest value among those left alone."""
    alone = np.flatnonzero(kept == SILENCE)
    ranked = np.argsort(-values[alone], axis=1)
    for position in np.argsort(-values[alone].max(axis=1, initial=-np.inf)):
        _take(alone[position], ranked[position], kept, values, uses, left)
    return kept


def _take(
    customer: int, ranked: NDArray[np.int64], kept: NDArray[np.int64], values: Floats, uses: Floats, left: Floats
) -> None:
    """The first of a customer's actions, as ranked, that is worth sending and that something is left for."""
    for action in ranked:
        if values[customer, action] > 0 and np.all(uses[action] <= left + ROUNDING):
            kept[customer] = action
            left -= uses[action]
            return


def _check(values: Floats, uses: Floats, capacity: Floats) -> None:
    if values.ndim != 2 or uses.ndim != 2 or uses.shape[0] != values.shape[1] or capacity.shape != (uses.shape[1],):
        got = f"values {values.shape}, uses {uses.shape}, capacity {capacity.shape}"
        raise AllocationError("shapes that do not fit", got=got, wanted="(n, a), (a, k) and (k,)")
    if np.isnan(values).any() or np.isposinf(values).any():
        raise AllocationError("a value that is no number", wanted="finite ones, or minus infinity for excluded actions")
    if not (np.isfinite(uses).all() and np.isfinite(capacity).all()) or (uses < 0).any() or (capacity < 0).any():
        raise AllocationError("uses and capacities that cannot be", wanted="finite numbers of at least 0")
