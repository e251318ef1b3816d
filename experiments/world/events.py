"""The events of the simulated world, and the shop's view of them: events, and histories for the kernel."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tactful.experiments.world.parameters import DESIGN
from tactful.features.array_types import Bools, Floats, Ints
from tactful.features.events.history import Events
from tactful.features.timestamps import DAY, local_days
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

_HOURS = {
    "contact": DESIGN.contact_hour,
    "opened": DESIGN.opened_hour,
    "clicked": DESIGN.clicked_hour,
    "unsubscribed": DESIGN.unsubscribed_hour,
    "purchase": DESIGN.purchase_hour,
    "cart": DESIGN.cart_hour,
}


class Sale(NamedTuple):
    """The buyers, the price of each basket, its discount, its category, and the expected margin of the day."""

    bought: Bools
    basket: Floats
    given: Floats
    category: Ints
    expected: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """The events of a day, by customer, arrays of shape (n,).

    Attributes:
        arms: The contact, 0 for none.
        bought: Whether they bought.
        margin: Of the purchase after discounts, less the cost of the contact.
        unsubscribed: Whether they unsubscribed on this day.
    """

    arms: Ints
    bought: Bools
    margin: Floats
    unsubscribed: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Events of one type on one day, arrays of shape (k,).

    Attributes:
        type: A word of the event vocabulary.
        time: Microseconds since the epoch, the same for all.
        customers: Numbers of the customers.
        amount: The amount paid.
        discount: The discount.
        detail: The arm of a contact or an answer, the category of a purchase; -1 for a cart.
    """

    type: str
    time: int
    customers: Ints
    amount: Floats
    discount: Floats
    detail: Ints


class EventLog:
    """Every event of a world, in time order.

    Attributes:
        told: The events.
    """

    def __init__(self) -> None:
        self.told: list[Told] = []

    def add(
        self,
        type_: str,
        midnight: int,
        customers: Ints,
        *,
        amount: Floats | float = 0.0,
        discount: Floats | float = 0.0,
        detail: Ints | int = -1,
    ) -> None:
        """Events of one type on a day that begins at a midnight, in microseconds."""
        if not len(customers):
            return
        shape = customers.shape
        columns = (np.broadcast_to(amount, shape), np.broadcast_to(discount, shape), np.broadcast_to(detail, shape))
        self.told.append(Told(type_, midnight + int(_HOURS[type_] * DAY / 24), customers, *columns))

    def histories(self, ids: NDArray[np.object_]) -> Events:
        """The histories of customers, for the feature kernel.

        Args:
            ids: Their ids, by number.
        """
        sizes = [len(part.customers) for part in self.told]
        customer = np.concatenate([part.customers for part in self.told])
        time = np.repeat([part.time for part in self.told], sizes)
        order = np.argsort(customer, kind="stable")
        types = np.repeat([EVENT_TYPES.index(part.type) for part in self.told], sizes)[order].astype(np.uint8)
        amount, discount, detail = (
            np.concatenate([getattr(part, name) for part in self.told])[order]
            for name in ("amount", "discount", "detail")
        )
        bought = types == EVENT_TYPES.index("purchase")
        return Events(
            customers=ids,
            zones=("UTC",),
            zone_of=np.zeros(len(ids), dtype=np.int32),
            starts=np.searchsorted(customer[order], np.arange(len(ids) + 1)),
            time=time[order],
            day=local_days(time[order], "UTC"),
            type=types,
            channel=np.where(bought, CHANNELS.index("web"), CHANNELS.index("email")).astype(np.uint8),
            amount=amount,
            discount=discount,
            quantity=np.zeros(len(order)),
            origin=time[order],
            categories=np.where(bought, 1 << np.maximum(detail, 0), 0).astype(np.uint64),
        )
