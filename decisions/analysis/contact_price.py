"""The price of a contact that keeps a weekly budget of them, from what logged decisions would have been at others.

A price is taken off every contact's priority alike. So with it the policy of each decision says how likely a contact
would have been, and the sum over the decisions of some weeks is how many a week there would have been.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.analysis.replay import policy_of
from tactful.decisions.base.errors import AllocationError
from tactful.decisions.catalogue.selection import Policy
from tactful.decisions.kernel.decision import Decision

_PENNY = 0.01
"""Prices are whole multiples of it."""


@dataclass(frozen=True, slots=True)
class ContactPrice:
    """A price that keeps a budget.

    Attributes:
        price: Of a contact, in currency.
        contacts: Contacts a week at that price, expected.
        before: Contacts a week at the prices of the log, expected.
        least: Contacts a week at any price: of a policy's floor, of the uniform stratum, of what is mandatory.
    """

    price: float
    contacts: float
    before: float
    least: float


def price_within(decisions: Iterable[Decision], weekly: float, weeks: float) -> ContactPrice:
    """The least price, in hundredths of the currency, at which decisions like these make no more contacts a week.

    A customer who gets fewer contacts has more room under caps later. Past decisions do not show that: price each week.

    Args:
        decisions: Those of some weeks.
        weekly: The budget.
        weeks: How many weeks they are of.

    Raises:
        AllocationError: No decision with a survivor, or a budget that no price keeps.

    Example:
        >>> price_within([], 10, 1)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        tactful.decisions.base.errors.AllocationError: no decision to price contacts by: got 0; ...
    """
    contested = [_of(decision) for decision in decisions if any(decision.survivors)]
    if not contested:
        raise AllocationError("no decision to price contacts by", got=0, wanted="some with a message to send")

    def contacts(price: float) -> float:
        return sum(one.contact(price) for one in contested) / weeks

    most = max(float(one.worths.max()) for one in contested)
    least = contacts(most + 1e9)
    if least > weekly:
        wanted = f"at least {least:,.0f}: floors, the uniform stratum and mandatory messages make as many at any price"
        raise AllocationError("a budget that no price keeps", got=f"{weekly:g} contacts a week", wanted=wanted)
    price = _least(lambda price: contacts(price) <= weekly)
    return ContactPrice(price, contacts(price), sum(one.before for one in contested) / weeks, least)


@dataclass(frozen=True, slots=True, eq=False)
class _Contested:
    """A decision with survivors: what each is worth without a price, and how it is chosen among them and silence.

    Attributes:
        worths: Priorities of the survivors before the price of a contact, shape (n,).
        policy: None where no price matters.
        before: Probability of a contact, as logged.
    """

    worths: NDArray[np.float64]
    policy: Policy | None
    before: float

    def contact(self, price: float) -> float:
        """Probability of a contact at a price."""
        if self.policy is None:
            return self.before
        n = len(self.worths)
        silence_first = np.append(np.arange(1, n + 1), 0)
        return 1.0 - float(self.policy.distribution(np.append(self.worths - price, 0.0), silence_first)[-1])


def _of(decision: Decision) -> _Contested:
    survivors = [(one, one.factors) for one in decision.survivors if one.factors is not None]
    worths = np.array([factors.priority + factors.contact_price for _, factors in survivors])
    priceless = decision.stratum != "policy" or any(one.mandatory for one, _ in survivors)
    return _Contested(worths, None if priceless else policy_of(decision), 1.0 - decision.silence_probability)


def _least(enough: Callable[[float], bool]) -> float:
    """The least multiple of a penny that is enough, where more is enough too."""
    if enough(0.0):
        return 0.0
    low, top = 0, 1
    while not enough(top * _PENNY):
        low, top = top, top * 2
    while top - low > 1:
        middle = (low + top) // 2
        low, top = (low, middle) if enough(middle * _PENNY) else (middle, top)
    return round(top * _PENNY, 2)
