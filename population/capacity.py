"""Scarce channels: what a population's contacts are worth under limits, and what one more slot would bring.

A market is what each customer's best message by each channel is worth, as decisions without any limit recorded it.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.kernel.decision import Decision
from tactful.features.array_types import Floats
from tactful.models.base.metrics import Estimate
from tactful.population.allocation import SILENCE, allocate, bound, clearing_prices, demand, typical

Choice = NDArray[np.int64]
Rule = Callable[[Floats, Floats], Choice]
"""From a market and capacities to each customer's channel, or `SILENCE`."""


def market(decisions: Iterable[Decision], channels: Sequence[str]) -> Floats:
    """The worth over silence of each customer's best surviving message by each channel, in currency.

    Args:
        decisions: One a customer, made without capacities and prices.
        channels: The channels.

    Returns:
        Shape (n, channels); minus infinity where no message survives.
    """
    rows = []
    for decision in decisions:
        best = dict.fromkeys(channels, -np.inf)
        for candidate in decision.survivors:
            worth = candidate.priority
            if worth is not None and candidate.action.channel in best:
                best[candidate.action.channel] = max(best[candidate.action.channel], worth)
        rows.append([best[channel] for channel in channels])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(channels))


def by_prices(values: Floats, capacity: Floats) -> Choice:
    """Each customer takes what is worth most to it net of clearing prices."""
    return allocate(values, np.eye(values.shape[1]), capacity).choice


def first_come(values: Floats, capacity: Floats) -> Choice:
    """Customers in their order each take the best that is left."""
    return _in_turn(values, capacity, np.arange(len(values)))


def best_first(values: Floats, capacity: Floats) -> Choice:
    """Those to whom a contact is worth most go first, and each takes the best that is left."""
    return _in_turn(values, capacity, np.argsort(-values.max(axis=1, initial=-np.inf), kind="stable"))


def worth(values: Floats, choice: Choice) -> Floats:
    """The value of each customer's contact, shape (n,); 0 for silence."""
    own = values[np.arange(len(values)), np.maximum(choice, 0)]
    return np.where(choice == SILENCE, 0.0, own)


def kept_of_bound(values: Floats, capacity: Floats, rule: Rule, *, draws: int = 100, seed: int = 0) -> Estimate:
    """The share of the best conceivable value that a rule keeps, with a 95 % bootstrap interval over customers.

    Args:
        values: A market.
        capacity: By channel, shape (channels,).
        rule: The rule.
        draws: Bootstrap draws.
        seed: Of the draws.
    """
    return _bootstrapped(values, lambda v: _share(v, capacity, rule), draws, seed)


def price_curve(
    values: Floats, capacity: Floats, channel: int, levels: Sequence[int], *, draws: int = 100, seed: int = 0
) -> dict[int, Estimate]:
    """The value of one more slot of a channel, by the number of slots, in currency.

    Args:
        values: A market.
        capacity: By channel; that of the channel is replaced by each level.
        channel: Position of the channel.
        levels: Slots of the channel to try.
        draws: Bootstrap draws over customers.
        seed: Of the draws.

    Returns:
        By level the clearing price with a 95 % interval.
    """
    found = {}
    for level in levels:
        limits = capacity.astype(np.float64).copy()
        limits[channel] = level
        found[level] = _bootstrapped(values, partial(_price, capacity=limits, channel=channel), draws, seed)
    return found


def _price(values: Floats, capacity: Floats, channel: int) -> float:
    uses = np.eye(values.shape[1])
    prices = clearing_prices(lambda p, t: demand(values, uses, p, t), capacity, typical(values))
    return float(prices[channel])


def _share(values: Floats, capacity: Floats, rule: Rule) -> float:
    uses = np.eye(values.shape[1])
    prices = clearing_prices(lambda p, t: demand(values, uses, p, t), capacity, typical(values))
    return float(worth(values, rule(values, capacity)).sum() / bound(values, uses, prices, capacity))


def _bootstrapped(values: Floats, statistic: Callable[[Floats], float], draws: int, seed: int) -> Estimate:
    chance, n = np.random.default_rng(seed), len(values)
    drawn = [statistic(values[chance.integers(0, n, n)]) for _ in range(draws)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(statistic(values)), float(low), float(high))


def _in_turn(values: Floats, capacity: Floats, order: NDArray[np.int64]) -> Choice:
    left, choice = capacity.astype(np.float64).copy(), np.full(len(values), SILENCE)
    for customer in order:
        net = np.where(left >= 1, values[customer], -np.inf)
        if net.size and net.max() > 0:
            choice[customer] = net.argmax()
            left[choice[customer]] -= 1
    return choice
