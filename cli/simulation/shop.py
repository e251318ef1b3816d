"""The simulated shop's knowledge of its customers, as requests for decisions: features from the one kernel."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.kernel.decide import Request
from tactful.decisions.loading import load_catalogue
from tactful.experiments.world.parameters import ARMS
from tactful.experiments.world.world import World
from tactful.features.array_types import Floats
from tactful.features.build import build_pairs
from tactful.features.definitions.definitions import Aggregation, Feature, FeatureSet, Ratio, Where
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.history import Events
from tactful.models.effects.scorer import EffectScorer

CATALOGUE = Path(__file__).with_name("world.yaml")
CHANNEL = "email"
SHARES = ("garden_share", "kitchen_share")
"""Share of a customer's purchases in the department of each promotion, with half a purchase of each to begin with."""
WINDOW = 3
"""Days over which the outcome of a decision counts."""
MEMORY = timedelta(days=61)
"""How far back the catalogue looks at contacts: over the longest re-entry."""

_TAKEN = ("days_since_purchase", "purchases_182d", "gap_mean_365d", "recency_over_gap", "contacts_7d")
_PURCHASE, _CONTACT, _OPENED = (Where(types=(name,)) for name in ("purchase", "contact", "opened"))


def _count(name: str, where: Where) -> Feature:
    return Feature(name=name, family="world", description=f"{name}, ever", aggregation=Aggregation.COUNT, where=where)


FEATURES = FeatureSet(
    (
        *(feature for feature in STANDARD.features if feature.name in _TAKEN),
        _count("purchases_total", _PURCHASE),
        _count("contacts_total", _CONTACT),
        _count("opened_total", _OPENED),
        Ratio(
            name="opened_share",
            family="world",
            description="opened contacts, of all",
            numerator="opened_total",
            denominator="contacts_total",
        ),
        Feature(
            name="basket",
            family="world",
            description="mean price of a basket",
            aggregation=Aggregation.MEAN,
            where=_PURCHASE,
            column="amount",
            default=40.0,
        ),
    )
)
NAMES = (*FEATURES.names, *SHARES)


class ShopScorer:
    """Scores of the simulated shop: rules of thumb for lapse and value, and effects as they were learnt.

    Args:
        effects: A fitted model, or None: then the catalogue's beliefs count.
    """

    fingerprint = FEATURES.fingerprint

    def __init__(self, effects: EffectScorer | None = None) -> None:
        self.effects = effects
        self.version = "beliefs" if effects is None else effects.data_digest[:12]
        self._columns = [] if effects is None else [NAMES.index(name) for name in effects.customer_columns]

    def score_customers(self, features: Floats) -> Mapping[str, Floats]:
        """Risk of lapse from the customer's own rhythm, and the margin of half a year like the last one."""
        away, bought, basket = (features[:, NAMES.index(n)] for n in ("recency_over_gap", "purchases_182d", "basket"))
        lapse = 1 / (1 + np.exp(2.0 - np.nan_to_num(away, nan=2.0)))
        return {"lapse": lapse, "clv": 0.35 * basket * bought}

    def score_actions(self, features: Floats, offers: Sequence[Mapping[str, float | str]]) -> Floats:  # noqa: ARG002
        """Unknown: no message makes an offer."""
        return np.full(len(offers), np.nan)

    def score_effects(self, features: Floats, messages: Sequence[str]) -> Floats:
        """As learnt; before, the effect is unknown and the baseline is what half a year like the last one brings."""
        if self.effects is not None:
            return self.effects.score(np.ascontiguousarray(features[:, self._columns]), messages)
        found = np.full((len(messages), 3), np.nan)
        rate = (features[:, NAMES.index("purchases_182d")] + 0.5) / 190
        found[:, 1] = -np.expm1(-WINDOW * rate * (1 - self.score_customers(features)["lapse"]))
        return found


def shares(bought_of: Floats) -> Floats:
    """The shares named by `SHARES`, from purchases by category of shape (n, categories): shape (n, 2)."""
    return np.asarray((bought_of[:, :2] + 0.5) / (bought_of.sum(axis=1) + 2.0)[:, None])


def load() -> CompiledCatalogue:
    """The shop's catalogue."""
    return load_catalogue(CATALOGUE, Vocabulary(NAMES, scores=("lapse", "clv")))


class Shop:
    """The shop's knowledge of the customers of a world.

    Args:
        world: A world that keeps its events.
    """

    def __init__(self, world: World) -> None:
        assert world.log is not None
        self.world, self.log = world, world.log
        self.ids: NDArray[np.object_] = np.array([f"c{i:05}" for i in range(len(world))], dtype=object)
        self._contacts: list[list[Contact]] = [[] for _ in range(len(world))]
        for arm, name in enumerate(ARMS[1:], start=1):
            for i in np.flatnonzero(world.last_contact[:, arm] >= -MEMORY.days).tolist():
                time = world.moment + timedelta(days=int(world.last_contact[i, arm]) - world.day)
                self.contacted(i, Contact(time, CHANNEL, name, name, id=f"past-{name}-{i}"))

    def histories(self) -> Events:
        """Everything that happened, for the kernel."""
        return self.log.histories(self.ids)

    def features(self, customers: NDArray[np.int64], histories: Events | None = None) -> Floats:
        """Features of customers as of this morning, shape (len(customers), len(NAMES))."""
        moment = self.world.moment
        frame = build_pairs(
            histories or self.histories(), self.ids[customers].tolist(), [moment] * len(customers), FEATURES
        )
        return np.hstack([frame.values, shares(self.world.bought_of[customers])])

    def requests(self, customers: NDArray[np.int64]) -> list[Request]:
        """What to decide this morning about some customers."""
        world, moment = self.world, self.world.moment
        rows = self.features(customers).tolist()
        return [
            Request(
                f"{self.ids[i]}@{world.day}",
                Snapshot(
                    customer=self.ids[i],
                    moment=moment,
                    features=tuple(row),
                    contacts=tuple(self._contacts[i]),
                    events=self._events(int(i)),
                    consents={(CHANNEL, "marketing"): bool(world.subscribed[i])},
                    zone="UTC",
                ),
            )
            for i, row in zip(customers.tolist(), rows, strict=True)
        ]

    def contacted(self, customer: int, contact: Contact) -> None:
        """Writes a contact into the ledger; what no rule looks at any more is forgotten."""
        kept = self._contacts[customer]
        kept.append(contact)
        while kept[0].time < contact.time - MEMORY:
            kept.pop(0)

    def _events(self, i: int) -> tuple[Event, ...]:
        """The last purchase and the last cart, where they are of the days that triggers look at."""
        world = self.world
        found = []
        for name, day, hour in (("purchase", world.last_purchase[i], 12), ("cart", world.last_cart[i], 18)):
            if world.day - day <= 4:
                time = world.moment + timedelta(days=int(day) - world.day, hours=hour - 8)
                found.append(Event(name, time, f"{name}-{day}"))
        return tuple(sorted(found, key=lambda event: event.time))
