"""Rules to compare with in the simulated world: what needs no model, and the oracle, who knows the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tactful.experiments.world.parameters import ARMS, CATEGORIES, DESIGN
from tactful.experiments.world.people import HORIZON
from tactful.experiments.world.triggers import allowed
from tactful.experiments.world.world import PAST, World
from tactful.features.array_types import Floats, Ints

TRIGGERS = (5, 6, 7)
"""The arms that answer something a customer did: cart, replenishment, win-back."""
IN_ORDER = (*TRIGGERS, 4, 2, 3, 1)
"""The marketer's order: what was triggered, the sale, promotions, the newsletter."""
CAP = DESIGN.cap
"""Contacts in seven days that every rule but the strictest list keeps to."""


class Rule(Protocol):
    """A way to choose an arm for everybody each morning."""

    def choose(self, world: World) -> Ints:
        """The arm of each customer, 0 for silence, shape (n,)."""


class Silence(Rule):
    """Contacts nobody."""

    def choose(self, world: World) -> Ints:
        """Zeros."""
        return np.zeros(len(world), dtype=np.int64)


class RandomArm(Rule):
    """Any open arm or silence, all alike, within the cap; its draws are its own."""

    def choose(self, world: World) -> Ints:
        """A draw for everybody."""
        luck = np.random.default_rng([world.seed, 4, world.day]).random((len(world), len(ARMS)))
        return np.asarray(np.where(allowed(world, CAP), luck, -1.0).argmax(axis=1))


@dataclass(frozen=True, slots=True)
class PriorityList(Rule):
    """The first open arm in the marketer's order, within a cap of contacts in seven days.

    Args:
        cap: The most contacts in seven days.
        order: Arms, the most urgent first.
    """

    cap: int = CAP
    order: Sequence[int] = IN_ORDER

    def choose(self, world: World) -> Ints:
        """The first that is allowed."""
        possible = allowed(world, self.cap)[:, list(self.order)]
        return np.where(possible.any(axis=1), np.array(self.order)[possible.argmax(axis=1)], 0)


@dataclass(frozen=True, slots=True)
class GreedyResponse(Rule):
    """The open arm that is most often followed by a purchase, whether because of it or not; contacts whenever it may.

    The response of an arm is what the customer's own rate brings while an effect lasts, and the arm's mean effect.
    """

    cap: int = CAP

    def choose(self, world: World) -> Ints:
        """The arm of the highest expected margin of a response, less its discount and cost."""
        p = world.parameters
        own = len(p.spread) * world.purchases / (world.day + PAST + 1)
        promotion = p.promotion / len(CATEGORIES)
        added = np.array([0, p.newsletter, promotion, promotion, p.sale, p.cart, p.replenishment, p.win_back])
        kept = p.margin_share - world.discount_shares()
        worth = (own[:, None] + added) * kept * p.basket - p.contact_cost
        return _best(np.where(allowed(world, self.cap), worth, -np.inf))


@dataclass(frozen=True, slots=True)
class Oracle(Rule):
    """The open arm of the highest true expected net value, if that is above a price; silence else.

    It knows each customer's traits, the effects as they are today and both risks, but not the luck to come. Net value
    is the margin that the contact adds over three days, less

    - the discounts it gives away, also on purchases that would have come anyway, and its cost;
    - the chance to leave for good, times what the customer would bring until the end and in the 26 weeks after;
    - the chance to unsubscribe, times what answering carts and due purchases brings until the end;
    - what it takes from the answers of the next seven days, by fading and by the growth of both risks.

    Args:
        weeks: How long the simulation lasts.
        cap: The most contacts in seven days.
    """

    weeks: int
    cap: int = CAP

    def choose(self, world: World) -> Ints:
        """The best for everybody."""
        return _best(np.where(allowed(world, self.cap), self.net(world), -np.inf), above=0.0)

    def net(self, world: World) -> Floats:
        """True expected net value of each arm over silence, shape (n, arms)."""
        p, who = world.parameters, world.people
        lifts, margin = world.lifts(), who.margin(p)[:, None]
        own = len(p.spread) * world.hazard()[:, None]
        responses = np.maximum(own + lifts, 0.0)
        responses[:, 2:4] = own * who.taste[:, :2] + np.maximum(lifts[:, 2:4], 0.0)
        given = responses * world.discount_shares() * who.mean_basket(p)[:, None]
        days = max(7 * self.weeks - world.day, 0)
        ahead, answers = who.remaining(p, days + HORIZON), self._answers(world)
        unsubscribes, leaves = world.risks()
        lost = leaves * ahead + unsubscribes * np.maximum(answers, 0.0) * days / 7
        next_risk = (np.exp(p.tiring) - 1) * DESIGN.oracle_answers * lost
        fades = (1 - p.fading) * np.maximum(answers, 0.0) * np.minimum(days / 7, 1.0)
        net = lifts * margin - given - p.contact_cost - (lost + next_risk + fades)[:, None]
        net[:, 7] += world.returns() * ahead
        net[:, 0] = 0.0
        return np.asarray(net)

    @staticmethod
    def _answers(world: World) -> Floats:
        """The weekly gain from answering a rested customer's carts and due purchases, shape (n,)."""
        p, who = world.parameters, world.people
        chances = who.rate * 7 * (p.carts * p.cart + DESIGN.oracle_due * p.replenishment)
        scale = (who.rate / p.rate) ** p.responsiveness * np.where(who.sleeping, 0.0, 1.0) * world.alive
        return np.asarray(chances * scale * who.margin(p))


def _best(worth: Floats, above: float = -np.inf) -> Ints:
    """The arm of the highest worth, silence where none is above a bound."""
    worth = worth.copy()
    worth[:, 0] = above
    return np.asarray(worth.argmax(axis=1))
