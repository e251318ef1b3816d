"""The past of the simulated shop as settled decisions: contacts that were drawn at random with known probabilities."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactful.cli.simulation.shop import FEATURES, NAMES, WINDOW, Shop, shares
from tactful.experiments.world.parameters import ARMS, CATEGORIES
from tactful.experiments.world.world import PAST, START, World
from tactful.features.build import build_pairs
from tactful.features.timestamps import DAY, microseconds
from tactful.training.data.rows import DecisionRows

WARM = 56
"""First days that are left out: nobody has a history yet."""
_DRAWN = 3
"""Arms that were drawn besides silence: the first ones."""


def past_rows(shop: Shop) -> DecisionRows:
    """Each weekly draw of the time before day 0, from when customers have a history until its outcome is known."""
    n = len(shop.ids)
    days = np.arange(-PAST + WARM, -WINDOW)
    day, customer = (part.ravel() for part in np.meshgrid(days, np.arange(n), indexing="ij"))
    due = (customer % 7 == day % 7) & _subscribed(shop, day, customer)
    day, customer = day[due], customer[due]
    taken, bought, margin, counts = lived(shop.world)
    place = day + PAST
    moments = microseconds(START) + day * DAY
    frame = build_pairs(shop.histories(), shop.ids[customer].tolist(), moments.tolist(), FEATURES)
    chance = shop.world.parameters.past_contacts
    return DecisionRows(
        ids=np.array([f"past-{i}-{d}" for i, d in zip(customer, day, strict=True)], dtype=object),
        customers=shop.ids[customer],
        moments=moments,
        settled=moments + WINDOW * DAY,
        features=np.hstack([frame.values, shares(counts[place, customer])]),
        feature_names=NAMES,
        arms=ARMS,
        taken=taken[place, customer],
        probabilities=np.tile(
            [1 - chance, *[chance / _DRAWN] * _DRAWN, *[0.0] * (len(ARMS) - 1 - _DRAWN)], (len(day), 1)
        ),
        outcomes=np.minimum(sum(bought[place + k, customer] for k in range(WINDOW)), 1.0),
        values=sum(margin[place + k, customer] for k in range(WINDOW)),
    )


def reach_lost(shop: Shop, rows: DecisionRows) -> NDArray[np.bool_]:
    """Whether the customer unsubscribed within the window of each decision, shape (n,)."""
    place = {customer: i for i, customer in enumerate(shop.ids)}
    left = np.full(len(shop.ids), np.iinfo(np.int64).max)
    for told in shop.log.told:
        if told.type == "unsubscribed":
            left[told.customers] = told.time
    then = left[[place[customer] for customer in rows.customers]]
    return np.asarray((rows.moments <= then) & (then < rows.settled))


def in_arms(rows: DecisionRows) -> DecisionRows:
    """The same rows with the world's arms, in their order."""
    places = np.array([ARMS.index(arm) for arm in rows.arms])
    probabilities = np.zeros((len(rows), len(ARMS)))
    probabilities[:, places] = rows.probabilities
    return replace(rows, arms=ARMS, taken=places[rows.taken], probabilities=probabilities)


def together(first: DecisionRows, second: DecisionRows) -> DecisionRows:
    """The rows of both, which have the same arms and features."""
    columns = {f.name: [getattr(rows, f.name) for rows in (first, second)] for f in fields(DecisionRows)}
    arrays = {name: parts for name, parts in columns.items() if isinstance(parts[0], np.ndarray)}
    joined: dict[str, Any] = {name: np.concatenate(parts) for name, parts in arrays.items()}
    return replace(first, **joined)


def _subscribed(shop: Shop, day: NDArray[np.int64], customer: NDArray[np.int64]) -> NDArray[np.bool_]:
    left = np.full(len(shop.ids), 10_000)
    for told in shop.log.told:
        if told.type == "unsubscribed":
            left[told.customers] = _day(told.time)
    return day <= left[customer]


def lived(world: World) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """By day of the past and customer: the arm, whether they bought, its margin, and purchases by category before.

    Args:
        world: A world that keeps its events.
    """
    assert world.log is not None
    shape, share = (PAST, len(world)), world.parameters.margin_share
    taken, bought, margin = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)
    counts = np.zeros((PAST + 1, len(world), len(CATEGORIES)))
    for told in world.log.told:
        at = _day(told.time) + PAST
        if at >= PAST:
            break
        if told.type == "contact":
            taken[at, told.customers] = told.detail
        elif told.type == "purchase":
            bought[at, told.customers] = 1.0
            margin[at, told.customers] = share * (told.amount + told.discount) - told.discount
            counts[at + 1, told.customers, told.detail] += 1
    return taken, bought, margin, np.cumsum(counts, axis=0)


def _day(time: int) -> int:
    return (time - microseconds(START) + 8 * DAY // 24) // DAY
