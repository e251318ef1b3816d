"""Generated customers: profiles and histories of a shop that does not exist.

Nobody real stands behind a row, and nothing was estimated from anybody: the histories are plausible and no more. They
show whether a catalogue works and how fast it is decided, never what a message achieves. Every id begins with
`generated`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.features.array_types import Floats
from tactful.features.events.history import Events
from tactful.features.events.schema import encode
from tactful.features.timestamps import DAY, EARLIEST, microseconds

END = datetime(2026, 7, 1, tzinfo=UTC)
"""Where histories end unless told otherwise."""
ZONE = "Europe/London"
CONTRACT = timedelta(days=365)
DEPARTMENTS = (
    "books", "garden", "kitchen", "lighting", "outdoor", "paper", "pets", "sport", "tea", "textiles", "toys", "wool",
)  # fmt: skip

_NAMES = (
    "Ada",
    "Ben",
    "Chloe",
    "Dev",
    "Elif",
    "Femi",
    "Grace",
    "Hugo",
    "Imani",
    "Jonas",
    "Kaya",
    "Leo",
    "Mina",
    "Noor",
)
_HOUR, _MINUTE = DAY // 24, DAY // 1440

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Style:
    """A way to shop; pairs are a least and a most.

    Attributes:
        share: Share of customers.
        known: Days since signing up.
        silent: Days without a visit before the end.
        pace: Visits in proportion to those of a regular customer.
        buys: Probability that a visit ends in a purchase.
        basket: Median basket, in currency.
        discounted: Probability that a purchase has a discount.
    """

    share: float
    known: tuple[int, int]
    silent: tuple[int, int]
    pace: float
    buys: float
    basket: float
    discounted: float


STYLES = {
    "regular": Style(0.26, (400, 730), (0, 20), 1.0, 0.35, 40.0, 0.2),
    "loyal": Style(0.14, (500, 730), (0, 10), 1.6, 0.5, 65.0, 0.1),
    "bargain hunter": Style(0.12, (300, 730), (0, 30), 0.9, 0.35, 25.0, 0.8),
    "newcomer": Style(0.12, (1, 45), (0, 3), 0.12, 0.3, 35.0, 0.3),
    "window shopper": Style(0.1, (30, 500), (0, 10), 0.7, 0.03, 30.0, 0.3),
    "lapsing": Style(0.16, (400, 730), (20, 75), 1.0, 0.4, 50.0, 0.3),
    "lapsed": Style(0.1, (400, 730), (80, 300), 0.7, 0.4, 45.0, 0.3),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """The shop's knowledge of a customer besides the history.

    Attributes:
        customer: Id.
        style: Key of `STYLES`.
        attributes: `first_name`, `birthday`, `favourite_department`, `plan` and `auto_renews`; some are missing.
        consents: By channel and purpose.
        zone: IANA zone, None where unknown.
        joined: When the customer signed up.
    """

    customer: str
    style: str
    attributes: Mapping[str, Any]
    consents: Mapping[tuple[str, str], bool]
    zone: str | None
    joined: datetime


@dataclass(frozen=True, eq=False)
class Customers:
    """Generated customers.

    Attributes:
        profiles: One for each customer.
        table: Their events as a canonical frame, in the order of customers and time.
    """

    profiles: tuple[Profile, ...]
    table: pd.DataFrame

    @cached_property
    def events(self) -> Events:
        """Their histories as arrays."""
        return encode(self.table, ZONE, {p.customer: p.zone for p in self.profiles if p.zone})


def generate(customers: int, seed: int = 0, *, events: int = 100, end: datetime = END) -> Customers:
    """Make up customers; more of them leave the first ones as they are.

    Args:
        customers: How many.
        seed: Another seed makes others.
        events: About how many events a regular customer of two years has.
        end: No event lies at or after this moment.

    Example:
        >>> made = generate(3, seed=7)
        >>> [profile.customer for profile in made.profiles]
        ['generated-7-0', 'generated-7-1', 'generated-7-2']
        >>> made.table["time"].max() < pd.Timestamp(END)
        True
    """
    told = [_customer(f"generated-{seed}-{i}", np.random.default_rng([seed, i]), events, end) for i in range(customers)]
    return Customers(tuple(profile for profile, _ in told), _table([log for _, log in told]))


class _Log:
    """The events of one customer, as columns."""

    def __init__(self, customer: str, end: int) -> None:
        self.customer = customer
        self._end = end
        self._parts: list[dict[str, Any]] = []

    def add(self, kind: str, time: Times, **columns: Any) -> None:
        """Events of one type; a column that is not given is neutral."""
        kept = time < self._end
        n = int(kept.sum())
        neutral = {"amount": 0.0, "discount": 0.0, "quantity": 0.0, "categories": 0, "channel": "", "subject": ""}
        part = {name: np.broadcast_to(columns.get(name, value), time.shape)[kept] for name, value in neutral.items()}
        self._parts.append({"time": time[kept], "type": np.full(n, kind), **part})

    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns, by time."""
        joined = {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}
        order = np.argsort(joined["time"], kind="stable")
        return {name: column[order] for name, column in joined.items()}


def _table(logs: list[_Log]) -> pd.DataFrame:
    columns = [log.columns() for log in logs]
    counts = [len(part["time"]) for part in columns]
    table = pd.DataFrame({name: np.concatenate([part[name] for part in columns]) for name in columns[0]})
    ids = np.repeat([log.customer for log in logs], counts)
    numbers = np.concatenate([np.arange(count) for count in counts])
    return table.assign(
        customer_id=ids,
        event_id=[f"{customer}-{number}" for customer, number in zip(ids, numbers, strict=True)],
        time=pd.to_datetime(table["time"], unit="us", utc=True).dt.as_unit("us"),
        categories=table["categories"].astype("uint64"),
    )


def _customer(customer: str, rng: np.random.Generator, events: int, end: datetime) -> tuple[Profile, _Log]:
    name = str(rng.choice(list(STYLES), p=[style.share for style in STYLES.values()]))
    style, last = STYLES[name], microseconds(end)
    joined = last - int(rng.uniform(*style.known) * DAY)
    profile = _profile(customer, name, joined, rng)
    log = _Log(customer, last)
    log.add("signup", np.array([joined]))
    visits = _visits(style, joined, last, events, rng)
    _shop(log, visits, style, profile, rng)
    _contact(log, joined, last, len(visits) // 4, rng)
    _subscribe(log, joined, rng)
    return profile, log


def _profile(customer: str, style: str, joined: int, rng: np.random.Generator) -> Profile:
    attributes: dict[str, Any] = {
        "first_name": str(rng.choice(_NAMES)),
        "birthday": date(1945, 1, 1) + timedelta(days=int(rng.integers(0, 60 * 365))),
        "favourite_department": str(rng.choice(DEPARTMENTS)),
        "plan": "plus" if rng.random() < 0.3 else "basic",
        "auto_renews": bool(rng.random() < 0.4),
    }
    missing = {name for name in ("first_name", "birthday") if rng.random() < 0.08}
    allowed = {"email": 0.9, "sms": 0.5, "push": 0.55, "mail": 0.8, "in_app": 0.95, "web": 0.95}
    consents = {(channel, "marketing"): bool(rng.random() < share) for channel, share in allowed.items()}
    consents |= {(channel, "service"): True for channel in allowed}
    return Profile(
        customer=customer,
        style=style,
        attributes={name: value for name, value in attributes.items() if name not in missing},
        consents=consents,
        zone=(ZONE, "Europe/Dublin", "Europe/Paris", None)[rng.choice(4, p=[0.86, 0.06, 0.06, 0.02])],
        joined=EARLIEST + timedelta(microseconds=joined),
    )


def _visits(style: Style, joined: int, end: int, events: int, rng: np.random.Generator) -> Times:
    """Moments of visits: a rhythm with some play from signing up to the last visit, mostly in the evening."""
    silent = min(rng.uniform(*style.silent) * DAY, 0.5 * (end - joined))
    n = 1 + rng.poisson(events * style.pace / 5)
    gaps = rng.gamma(2.0, size=n)
    days = (joined + np.cumsum(gaps) / gaps.sum() * (end - silent - joined)) // DAY
    times = (days * DAY + rng.normal(17.0, 3.0, n).clip(7, 22) * _HOUR).astype(np.int64)
    return np.sort(np.maximum(times, joined + 2 * _MINUTE))


def _shop(log: _Log, visits: Times, style: Style, profile: Profile, rng: np.random.Generator) -> None:
    """Views, searches, carts and purchases, and their outcomes."""
    n = len(visits)
    favourite = DEPARTMENTS.index(profile.attributes["favourite_department"])
    looked = np.where(rng.random(n) < 0.5, favourite, rng.integers(0, len(DEPARTMENTS), n))
    product = np.array([f"{DEPARTMENTS[d]}-{rng.integers(1, 40)}" for d in looked], dtype=object)
    views = np.repeat(np.arange(n), 1 + rng.poisson(1.5, n))
    log.add("view", visits[views] + rng.integers(0, 20 * _MINUTE, len(views)), subject=product[views])
    searched = visits[rng.random(n) < 0.3]
    log.add("search", searched + 3 * _MINUTE)
    buys = rng.random(n) < style.buys
    carted = buys | (rng.random(n) < 0.12)
    amount = np.round(style.basket * rng.lognormal(0.0, 0.6, n), 2)
    log.add("cart", visits[carted] + 21 * _MINUTE, subject=product[carted])
    log.add("checkout", visits[buys] + 25 * _MINUTE)
    discounted = np.where(rng.random(n) < style.discounted, rng.uniform(0.1, 0.3, n), 0.0)
    bits = np.uint64(1) << looked.astype(np.uint64)
    bits |= np.uint64(1) << rng.integers(0, len(DEPARTMENTS), n).astype(np.uint64)
    purchased = visits[buys] + 30 * _MINUTE
    log.add(
        "purchase",
        purchased,
        amount=amount[buys],
        discount=np.round(amount * discounted, 2)[buys],
        quantity=rng.integers(1, 6, n)[buys].astype(float),
        categories=bits[buys],
        channel=np.where(rng.random(n) < 0.25, "store", "web")[buys],
        subject=product[buys],
    )
    _afterwards(log, purchased, amount[buys], product[buys], rng)


def _afterwards(log: _Log, purchased: Times, amount: Floats, product: NDArray[Any], rng: np.random.Generator) -> None:
    """Some purchases are sent back, reviewed, rated, complained about, or paid with points."""

    def some(share: float, days: float) -> tuple[NDArray[np.bool_], Times]:
        chosen = rng.random(len(purchased)) < share
        return chosen, purchased[chosen] + (rng.uniform(0.1, days, int(chosen.sum())) * DAY).astype(np.int64)

    refunded, when = some(0.04, 14)
    log.add("refund", when, amount=-amount[refunded], subject=product[refunded])
    reviewed, when = some(0.1, 12)
    log.add("review", when, subject=product[reviewed])
    _, when = some(0.15, 6)
    log.add("survey", when, subject=rng.choice(["promoter", "passive", "detractor"], len(when), p=[0.6, 0.25, 0.15]))
    troubled, when = some(0.03, 4)
    log.add("complained", when, subject=product[troubled], channel="email")
    paid = rng.random(len(purchased)) < 0.05
    log.add("spent", purchased[paid] - 2 * _MINUTE, quantity=100.0)
    goodwill = rng.random(len(purchased)) < 0.02
    log.add("earned", purchased[goodwill] + DAY, quantity=50.0)


def _contact(log: _Log, joined: int, end: int, n: int, rng: np.random.Generator) -> None:
    """Past contacts with what came of them."""
    sent = np.sort(rng.integers(joined, end, n))
    channel = rng.choice(["email", "push", "sms", "mail"], n, p=[0.75, 0.15, 0.05, 0.05])
    log.add("contact", sent, channel=channel, subject="newsletter")
    digital = channel != "mail"
    opened = digital & (rng.random(n) < 0.35)
    clicked = opened & (rng.random(n) < 0.3)
    redeemed = clicked & (rng.random(n) < 0.2)
    for kind, chosen, delay in (
        ("delivered", digital, 1), ("opened", opened, 90), ("clicked", clicked, 95), ("redeemed", redeemed, 120),
    ):  # fmt: skip
        log.add(kind, sent[chosen] + delay * _MINUTE, channel=channel[chosen], subject="newsletter")
    left = rng.random() < 0.04
    log.add("unsubscribed", sent[-1:] + 100 * _MINUTE if left else sent[:0], channel="email", subject="newsletter")


def _subscribe(log: _Log, joined: int, rng: np.random.Generator) -> None:
    """Half of the customers take a contract of a year; most renew it, for some a payment fails, some cancel."""
    if rng.random() < 0.5:
        return
    begun = joined + int(rng.uniform(0, 60) * DAY)
    year = int(CONTRACT / timedelta(microseconds=1))
    for number in range(2):
        start = np.array([begun + number * year])
        log.add("contract", start, subject="renewed" if number else "started", amount=60.0)
        if rng.random() < 0.4:
            failed = start + int(rng.uniform(20, 340) * DAY)
            log.add("contract", failed, subject="payment_failed")
            log.add("purchase", failed + int(rng.uniform(0.5, 12) * DAY), amount=60.0, subject="contract")
        if rng.random() < 0.2:
            log.add("contract", start + int(rng.uniform(60, 360) * DAY), subject="cancelled")
            return
