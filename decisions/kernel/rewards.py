"""The expected gain of a decision over silence, by component of the objective, and when each is known.

A component is a term of the priority that comes true: margin, discount, cost, leaving, retention. Prices that only
ration contacts never do, and are no reward.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tactful.decisions.base import canonical_json as canonical
from tactful.decisions.kernel.arbitration import Factors

MARGIN = "margin"
LEAVING = "unsubscribing"
LEAVING_WINDOW = timedelta(days=7)
"""How long after a contact who unsubscribes or complains does so because of it; the model of pressure learns by it."""

_TEMPLATE = '{"component":%s,"expected":%s,"matures":%s}'


@dataclass(frozen=True, slots=True)
class RewardComponent:
    """A part of what a decision brings.

    Args:
        component: The term of the priority, as `Factors.terms` names it.
        expected: The expected gain over silence, in currency.
        matures: When it is known, an aware moment. None for `retention`: the horizon of lapse is the model's, and a
            decision knows no more of a score than its number.
    """

    component: str
    expected: float
    matures: datetime | None

    def as_json(self) -> str:
        """The component as canonical JSON."""
        expected, matures = canonical.number(self.expected), canonical.moment(self.matures)
        return _TEMPLATE % (canonical.text(self.component), expected, matures)


def of_contact(factors: Factors, moment: datetime, window: timedelta) -> tuple[RewardComponent, ...]:
    """The expected gain of a contact: its margin, and every other component that is not 0.

    Args:
        factors: Of its priority.
        moment: Of the decision.
        window: The attribution window of its message.

    Example:
        >>> from datetime import UTC
        >>> coupon = Factors(effect=0.1, baseline=0.1, value=20.0, discount=2.0, cost=0.5)
        >>> for part in of_contact(coupon, datetime(2026, 5, 1, tzinfo=UTC), timedelta(days=14)):
        ...     print(part.component, part.expected, f"{part.matures:%d %B}")
        margin 2.0 15 May
        discount -0.4 15 May
        cost -0.5 01 May
    """
    terms, answered = factors.terms, moment + window
    known = (
        (MARGIN, answered),
        ("retention", None),
        ("discount", answered),
        ("cost", moment),
        (LEAVING, moment + LEAVING_WINDOW),
    )
    return tuple([RewardComponent(name, terms[name], when) for name, when in known if terms[name] or name == MARGIN])


def of_silence(moment: datetime, window: timedelta) -> tuple[RewardComponent, ...]:
    """The expected gain of silence: nothing over itself, and as a margin that contacts are compared with.

    Args:
        moment: Of the decision.
        window: How long silence is watched: the longest attribution window of the catalogue's messages.
    """
    return (RewardComponent(MARGIN, 0.0, moment + window),)
