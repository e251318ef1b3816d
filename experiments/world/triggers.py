"""The shop's view of the simulated world on a morning: triggers, re-entry and the cap, for everybody at once.

The same rules as the catalogue of the simulation states, which `decide` reads; a test holds them side by side.
"""

import numpy as np

from tactful.experiments.world.parameters import ARMS, DESIGN
from tactful.experiments.world.world import World
from tactful.features.array_types import Bools, Floats

_WAITS = np.array(
    [
        0,
        DESIGN.newsletter_wait,
        DESIGN.promotion_wait,
        DESIGN.promotion_wait,
        DESIGN.sale_wait,
        0,
        DESIGN.replenishment_wait,
        DESIGN.win_back_wait,
    ]
)
"""Days between two contacts of an arm, by arm; a cart is answered once instead."""


def rhythm(world: World) -> Floats:
    """Days since the last purchase in mean gaps between days of purchase, NaN before the second one; shape (n,)."""
    gaps = (world.last_purchase - world.first_purchase) / np.maximum(world.purchases - 1, 1)
    since = world.day - world.last_purchase - (DESIGN.purchase_hour - DESIGN.contact_hour) / 24
    return np.where(world.purchases >= 2, since / np.where(gaps > 0, gaps, np.nan), np.nan)


def open_arms(world: World) -> Bools:
    """The arms that a marketer's triggers and re-entry allow, silence always, shape (n, arms); caps left out."""
    away = world.day - world.last_purchase
    opened = np.zeros((len(world), len(ARMS)), dtype=bool)
    opened[:, 1:4] = True
    opened[:, 4] = world.on_sale
    opened[:, 5] = world.cart_left & (world.last_contact[:, 5] <= world.last_cart)
    gaps = rhythm(world)
    with np.errstate(invalid="ignore"):
        due = (gaps >= DESIGN.due_from) & (gaps <= DESIGN.due_until)
    opened[:, 6] = (world.purchases >= DESIGN.known_from) & due
    opened[:, 7] = (away > DESIGN.away_from) & (away <= DESIGN.away_until)
    opened &= world.day - world.last_contact >= _WAITS
    opened &= world.subscribed[:, None]
    opened[:, 0] = True
    return opened


def allowed(world: World, cap: int) -> Bools:
    """The open arms of who had fewer contacts than a cap in the rolling seven days that a contact now would end."""
    found = open_arms(world)
    found[:, 1:] &= (world.contacted[:, :6].sum(axis=1) < cap)[:, None]
    return found
