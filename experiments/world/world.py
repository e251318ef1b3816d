"""A world with known truth: customers who buy, tire and leave day by day, and what each contact does to them.

Every random number belongs to a seed, a day and a customer, and to one purpose: under two policies the same customer
meets the same luck, so that what differs between them is their doing.
"""

from datetime import UTC, datetime, timedelta

import numpy as np

from tactful.experiments.world.events import Day, EventLog, Sale
from tactful.experiments.world.parameters import ARMS, CATEGORIES, DESIGN, Parameters
from tactful.experiments.world.people import HORIZON, draw_people
from tactful.features.array_types import Bools, Floats, Ints
from tactful.features.timestamps import microseconds

START = datetime(2026, 1, 5, DESIGN.contact_hour, tzinfo=UTC)
"""Day 0, a Monday, at the hour of contacts."""
PAST = DESIGN.past
"""Days before day 0 that everybody has lived through, with contacts drawn at random."""

_NEVER = -10_000
"""A day before every past."""
_PURPOSES = 9
_BUYS, _WHAT, _LEAVES_CART, _LEAVES, _LEAVES_BY_CONTACT, _UNSUBSCRIBES, _OPENS, _CLICKS, _RETURNS = range(_PURPOSES)


class World:
    """Customers at a morning, before anybody is contacted.

    Args:
        parameters: The world's numbers.
        customers: How many.
        seed: Of everything random.

    Attributes:
        people: The truth about them.
        day: Number of the day, 0 for the first that counts.
        alive: Customers who have not left for good.
        subscribed: Customers who can be contacted.
        value: Margin so far since day 0, after discounts and costs of contacts.
        luck: How much of the value so far, and of what is left, is luck: what purchases, departures and returns
            brought beyond their chances. Its mean is 0, whatever is done.
        log: Every event so far, if it is kept.

    Example:
        >>> world = World(Parameters(), customers=100, seed=0)
        >>> today = world.step(np.zeros(100, dtype=np.int64))
        >>> world.day, int(today.unsubscribed.sum())
        (1, 0)
    """

    def __init__(self, parameters: Parameters, customers: int, seed: int, *, keep_events: bool = False) -> None:
        self.parameters = parameters
        self.people = draw_people(parameters, customers, seed)
        self.seed = seed
        self.day = -PAST
        n = customers
        self.alive, self.subscribed = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
        self.value, self.luck, self.left_on = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64)
        self.first_purchase, self.last_purchase = np.full(n, _NEVER), np.full(n, _NEVER)
        self.purchases, self.last_cart = np.zeros(n, dtype=np.int64), np.full(n, _NEVER)
        self.bought_of = np.zeros((n, len(CATEGORIES)))
        self.last_contact = np.full((n, len(ARMS)), _NEVER)
        self.contacted = np.zeros((n, 7), dtype=bool)
        self._pending = np.zeros((n, len(parameters.spread)))
        self._deal, self._deal_until = np.zeros(n, dtype=np.int64), np.full(n, _NEVER)
        self.log = EventLog() if keep_events else None
        while self.day < 0:
            self.step(self._past_contacts())

    def __len__(self) -> int:
        return len(self.people)

    @property
    def moment(self) -> datetime:
        """The morning, UTC."""
        return START + timedelta(days=self.day)

    @property
    def recent(self) -> Ints:
        """Contacts in the seven days before, shape (n,)."""
        return np.asarray(self.contacted.sum(axis=1))

    @property
    def on_sale(self) -> bool:
        """Whether it is a time of sale."""
        p = self.parameters
        return (self.moment.month - 1) % p.sale_every == 0 and self.moment.day <= p.sale_days

    @property
    def cart_left(self) -> Bools:
        """Customers who left a cart in the last few days, with no purchase since."""
        age = self.day - self.last_cart
        return np.asarray((age >= 1) & (age <= self.parameters.cart_days) & (self.last_purchase <= self.last_cart))

    def lifts(self) -> Floats:
        """Purchases that each arm would add over three days if it were sent now, shape (n, arms)."""
        p, who = self.parameters, self.people
        away = self.day - self.last_purchase
        due = (away * who.rate >= p.due_from) & (away * who.rate <= p.due_until)
        timely = [self.on_sale * np.ones(len(self)), self.cart_left, due, away > p.away]
        pricing = 1 - p.price_sensitivity + who.sensitivity
        base = np.zeros((len(self), len(ARMS)))
        base[:, 1] = p.newsletter
        base[:, 2:4] = p.promotion * who.taste[:, :2] * pricing[:, None]
        strengths = (p.sale * who.sensitivity / p.price_sensitivity, p.cart, p.replenishment, p.win_back)
        for arm, (strength, now) in enumerate(zip(strengths, timely, strict=True), start=4):
            base[:, arm] = strength * np.where(now, 1.0, p.untimely)
        near = np.abs((self._of_year() - who.birthday + 182) % 365 - 182) <= p.birthday_days
        scale = p.fading**self.recent * (who.rate / p.rate) ** p.responsiveness * self.alive
        scale = scale * np.where(near, p.birthday, 1.0) * np.where(who.sleeping, -p.backlash, 1.0)
        return np.asarray(base * scale[:, None])

    def risks(self) -> tuple[Floats, Floats]:
        """Chances that a contact now makes a customer unsubscribe, and leave for good, each of shape (n,)."""
        p, who = self.parameters, self.people
        tired = who.irritability * np.exp(p.tiring * self.recent)
        leaves = p.contact_attrition * tired * np.where(who.sleeping, p.sleeping_attrition, 1.0) * self.alive
        return np.minimum(p.unsubscribe * tired, 1.0), np.minimum(leaves, 1.0)

    def returns(self) -> Floats:
        """Chances that a win-back brings back who has left, shape (n,)."""
        p, since = self.parameters, np.maximum(self.day - self.left_on, 0)
        return np.asarray(np.where(self.alive, 0.0, p.revival * 0.5 ** (since / p.revival_halving)))

    def hazard(self) -> Floats:
        """Purchases a day without contact as of today, shape (n,)."""
        p = self.parameters
        wave = 1 + p.season * np.cos(2 * np.pi * (self._of_year() - p.season_peak) / 365)
        return np.asarray(self.people.rate * wave * self.alive)

    def left(self, days: int = HORIZON) -> Floats:
        """Expected margin of the days to come without contact, shape (n,)."""
        return np.asarray(self.people.remaining(self.parameters, days) * self.alive)

    def step(self, arms: Ints) -> Day:
        """Live through a day.

        Args:
            arms: The contact of each customer, 0 for none, shape (n,); one who is unsubscribed is never contacted.
        """
        luck, noise = self._luck()
        arms = np.where(self.subscribed, arms, 0)
        touched = arms > 0
        unsubscribed = self._contact(arms, touched, luck)
        sale = self._buy(luck, noise)
        margin = self.parameters.margin_share * sale.basket - sale.given
        self._count_luck(margin - sale.expected)
        margin = margin - self.parameters.contact_cost * touched
        self._leave(luck)
        carts = self.parameters.carts * self.hazard()
        left_cart = luck[_LEAVES_CART] < -np.expm1(-carts)
        self.last_cart[left_cart] = self.day
        if self.log is not None:
            self._tell(arms, unsubscribed, luck, sale, left_cart)
        if self.day >= 0:
            self.value += margin
        self.contacted[:, 1:] = self.contacted[:, :-1]
        self.contacted[:, 0] = touched
        self.day += 1
        return Day(arms, sale.bought, margin, unsubscribed)

    def _tell(self, arms: Ints, unsubscribed: Bools, luck: Floats, sale: Sale, left_cart: Bools) -> None:
        """Writes the day's events down."""
        assert self.log is not None
        midnight = microseconds(self.moment - timedelta(hours=START.hour))
        opened = (arms > 0) & (luck[_OPENS] < self._opening())
        clicked = opened & (luck[_CLICKS] < self.parameters.clicks)
        answers = {"contact": arms > 0, "opened": opened, "clicked": clicked, "unsubscribed": unsubscribed}
        for type_, who in answers.items():
            self.log.add(type_, midnight, np.flatnonzero(who), detail=arms[who])
        paid, given, category = ((sale.basket - sale.given), sale.given, sale.category)
        who = sale.bought
        columns = {"amount": paid[who], "discount": given[who]}
        self.log.add("purchase", midnight, np.flatnonzero(who), **columns, detail=category[who])
        self.log.add("cart", midnight, np.flatnonzero(left_cart))

    def discount_shares(self) -> Floats:
        """The share of a basket that each arm gives away, shape (arms,)."""
        p = self.parameters
        return np.array([0, 0, p.promotion_discount, p.promotion_discount, p.sale_discount, 0, 0, p.win_back_discount])

    def _contact(self, arms: Ints, touched: Bools, luck: Floats) -> Bools:
        """Effects and risks of today's contacts; who unsubscribes."""
        rows = np.arange(len(self))
        self._pending += self.lifts()[rows, arms][:, None] * self.parameters.spread
        unsubscribes, leaves = self.risks()
        unsubscribed = touched & (luck[_UNSUBSCRIBES] < unsubscribes)
        self._go(luck[_LEAVES_BY_CONTACT], leaves * touched)
        chances = self.returns() * (arms == ARMS.index("win_back"))
        back = luck[_RETURNS] < chances
        self.alive |= back
        self._count_luck((back - chances) * self._ahead())
        self.subscribed &= ~unsubscribed
        self.last_contact[rows[touched], arms[touched]] = self.day
        given = self.discount_shares()[arms] > 0
        self._deal[given], self._deal_until[given] = arms[given], self.day + len(self.parameters.spread)
        return np.asarray(unsubscribed)

    def _buy(self, luck: Floats, noise: Floats) -> Sale:
        """The sales of today."""
        own = self.hazard()
        total = np.maximum(own + self._pending[:, 0] * self.alive, 0.0)
        bought = luck[_BUYS] < -np.expm1(-total)
        deal = np.where(self._deal_until > self.day, self._deal, 0)
        brought = np.where(total > own, 1 - own / np.maximum(total, 1e-12), 0.0)
        category = self._category(luck[_WHAT], deal, brought)
        fits = np.isin(deal, (4, 7)) | (deal - 2 == category)
        noisy = np.exp(self.parameters.basket_noise * noise)
        basket = np.where(bought, self.people.basket * noisy, 0.0)
        shares = self.discount_shares()[deal]
        fitting = np.where(np.isin(deal, (2, 3)), brought + (1 - brought) * self._taste_for(deal), 1.0)
        kept = self.parameters.margin_share - shares * fitting
        expected = -np.expm1(-total) * self.people.mean_basket(self.parameters) * kept
        self._remember(bought, category)
        self._pending[:, :-1] = self._pending[:, 1:]
        self._pending[:, -1] = 0.0
        return Sale(bought, basket, basket * shares * fits, np.where(bought, category, -1), expected)

    def _taste_for(self, deal: Ints) -> Floats:
        """Probability of the category of a promotion."""
        return np.asarray(self.people.taste[np.arange(len(self)), np.clip(deal - 2, 0, 1)])

    def _category(self, luck: Floats, deal: Ints, brought: Floats) -> Ints:
        """A promotion's own category for the purchases it brings, else a draw by taste."""
        promoted = np.isin(deal, (2, 3)) & (luck < brought)
        rescaled = np.where(np.isin(deal, (2, 3)), (luck - brought) / np.maximum(1 - brought, 1e-12), luck)
        drawn = (np.cumsum(self.people.taste, axis=1) < rescaled[:, None]).sum(axis=1)
        return np.where(promoted, deal - 2, np.minimum(drawn, len(CATEGORIES) - 1))

    def _remember(self, bought: Bools, category: Ints) -> None:
        self.first_purchase[bought & (self.purchases == 0)] = self.day
        self.last_purchase[bought] = self.day
        self.purchases += bought
        np.add.at(self.bought_of, (np.flatnonzero(bought), category[bought]), 1.0)

    def _leave(self, luck: Floats) -> None:
        """Customers who leave by themselves: a little every day, and where a contract ends."""
        ends = (self.people.contract_end == self._of_year()) * self.parameters.contract_hazard
        self._go(luck[_LEAVES], 1 - np.exp(-self.people.attrition) * (1 - ends))

    def _go(self, luck: Floats, chances: Floats) -> None:
        """Customers who leave for good, by their chances."""
        leaving = self.alive & (luck < chances)
        self._count_luck((self.alive * chances - leaving) * self._ahead())
        self.alive &= ~leaving
        self.left_on[leaving] = self.day

    def _ahead(self) -> Floats:
        return self.people.remaining(self.parameters, max(DESIGN.longest - self.day, 0) + HORIZON)

    def _count_luck(self, more: Floats) -> None:
        if self.day >= 0:
            self.luck += more

    def _opening(self) -> Floats:
        p = self.parameters
        return np.where(self.people.sleeping, p.sleeping_opens, p.opens)

    def _luck(self) -> tuple[Floats, Floats]:
        """Today's luck by purpose and customer, whatever was done before."""
        rng = np.random.default_rng([self.seed, 2, self.day + PAST])
        return rng.random((_PURPOSES, len(self))), rng.standard_normal(len(self))

    def _past_contacts(self) -> Ints:
        """Before day 0 one of the untimed arms is sent at random, once a week at most."""
        rng = np.random.default_rng([self.seed, 3, self.day + PAST])
        turn = np.arange(len(self)) % 7 == self.day % 7
        drawn = rng.random(len(self)) < self.parameters.past_contacts
        return np.where(turn & drawn, rng.integers(1, 4, len(self)), 0)

    def _of_year(self) -> int:
        return self.moment.timetuple().tm_yday - 1
