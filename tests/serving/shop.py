"""A small shop: real models fitted to generated histories, a catalogue, and customers of known states."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tactful.decisions.kernel.decide import RunContext
from tactful.features.build import build
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset, write_events
from tactful.features.events.schema import encode, validate
from tactful.models.base.calibration import Identity
from tactful.models.base.gbm import Parameters, fit
from tactful.models.bundles.bundle import export
from tactful.models.scores.classifier import ActionFeature, FittedModel
from tactful.serving.bootstrap import open_store
from tactful.serving.engine.drafts import Maker
from tactful.serving.engine.in_force.champion import Champions
from tactful.serving.engine.in_force.pointer import point_to
from tactful.serving.engine.service import DecisionService
from tactful.serving.ingestion.loading.history import load_history
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile, Store
from tactful.serving.store.queries.catalogues import newest
from tests.checked_text import CheckedText

ZONE = "America/New_York"
NOW = datetime(2026, 5, 6, 16, tzinfo=UTC)
"""A Wednesday, noon in New York."""
LEARNT_UNTIL = NOW - timedelta(days=1)
"""Of the models."""
ALLOWED = {("email", "marketing"): True, ("mail", "marketing"): True, ("sms", "marketing"): True}

CATALOGUE = CheckedText("""
catalogue: shop
currency: USD
timezone: America/New_York
objective: propensity
policy: {kind: greedy}
exploration: {holdout: 0, uniform: 0}
attributes:
  first_name: {type: string}
  birthday: {type: date}
  goal: {type: number}
segments:
  leaving: scores.lapse >= 0.5
channels:
  email: {cost: 0.01, subject: true, html: true}
  mail: {cost: 0.5}
  sms: {cost: 0.05, max_length: 60}
contact_policies:
  - {id: weekly, kind: cap, max: 2, window: 7d}
  - {id: monthly_mail, kind: cap, max: 1, window: 28d, scope: {channel: mail}}
  - {id: night, kind: quiet_hours, start: "21:00", end: "08:00", scope: {channel: email}}
  - {id: complaint, kind: suppression, on: complained, lasts: 30d}
programmes:
  - id: win_back
    trigger: {kind: threshold, when: features.days_since_purchase > 28.0, expiry: 7d}
    reentry: 28d
    messages:
      - id: miss_you
        channels: [email, mail]
        state: segment.leaving
        value: 20
        offer: {kind: A, days: 30}
        content:
          subject: We miss you
          body: "Dear {{ customer.first_name | default: 'friend' }}, it has been
            {{ features.days_since_purchase | default: 0 | round }} days. Take this, good for {{ offer.days }} days."
  - id: thanks
    trigger: {kind: event, type: purchase, where: event.amount >= 50.0, expiry: 3d}
    messages:
      - id: thank_you
        channels: email
        value: 5
        response: {mean: 0.2}
        tags: [service]
        content: {subject: Thank you, body: "Thank you for {{ event.amount | default: 0 | round }} USD."}
      - id: thank_you_short
        channels: sms
        value: 4
        response: {mean: 0.2}
        content: {body: "Thank you, {{ customer.first_name | default: 'friend' }}!"}
  - id: birthday
    trigger: {kind: date, attribute: birthday, expiry: 2d}
    messages:
      - id: happy_birthday
        channels: email
        value: 3
        response: {mean: 0.3}
        content: {subject: Happy birthday, body: "All the best, {{ ${first_name} | default: 'friend' }}!"}
""")


def ago(days: float = 0, hours: float = 0) -> datetime:
    """A moment before `NOW`."""
    return NOW - timedelta(days=days, hours=hours)


def customers() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Events and profiles of customers whose name says their state."""
    events = [
        *(("regular", days, "purchase", 20.0) for days in range(2, 120, 7)),
        *(("leaver", days, "purchase", 30.0) for days in (45, 52, 60, 75, 100)),
        ("leaver", 50, "contact", 0.0),
        *(("thankful", days, "purchase", 80.0) for days in (1, 15, 40)),
        *(("complainer", days, "purchase", 80.0) for days in (1, 20)),
        ("complainer", 0.5, "complained", 0.0),
        *(("refuser", days, "purchase", 80.0) for days in (1, 20)),
    ]
    frame = pd.DataFrame(events, columns=["customer_id", "days", "type", "amount"])
    frame["time"] = NOW - pd.to_timedelta(frame.pop("days"), unit="D")
    frame["channel"] = frame["type"].map({"contact": "mail"}).fillna("")
    profiles = pd.DataFrame(
        [
            {"customer_id": "leaver", "first_name": "Ada", "zone": "Europe/Paris"},
            {"customer_id": "thankful", "first_name": "<b>Ben</b>"},
            {"customer_id": "celebrant", "first_name": "Cleo", "birthday": "1990-05-06"},
        ]
    )
    return frame, profiles


def histories(seed: int, count: int = 300) -> pd.DataFrame:
    """Purchases of generated customers, each with a rhythm and, for half of them, an end to it."""
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        gap, last = generator.uniform(3, 20), generator.choice([0.0, generator.uniform(10, 90)])
        days = np.arange(last + generator.uniform(0, gap), 200, gap)
        rows += [(f"g{number:04}", NOW - timedelta(days=float(day)), "purchase", 25.0) for day in days]
    return pd.DataFrame(rows, columns=["customer_id", "time", "type", "amount"])


def export_bundle(folder: Path, seed: int = 0) -> str:
    """A bundle fitted to generated histories: another seed, another version."""
    frame = build(encode(validate(histories(seed)).events, ZONE), [NOW - timedelta(days=28)])
    generator = np.random.default_rng(seed)
    leaving = frame.column("days_since_purchase") > 21
    offers = np.column_stack([generator.integers(0, 2, len(frame)), generator.choice([14.0, 30.0], len(frame))])
    responds = generator.random(len(frame)) < 0.2 + 0.2 * offers[:, 0]
    parameters = Parameters(rounds=20, leaf_rows=10, learning_rate=0.2, seed=seed, threads=1)
    models = {
        "lapse": _fitted(fit(frame.values, leaving, STANDARD.names, parameters)),
        "response": _fitted(
            fit(np.hstack([frame.values, offers]), responds, [*STANDARD.names, "kind", "days"], parameters),
            ActionFeature("kind", ("A", "B")),
            ActionFeature("days"),
        ),
    }
    return export(folder, models, STANDARD)


def furnish(folder: Path, catalogue: str = CATALOGUE) -> Settings:
    """A folder to serve from, its store loaded and its clock at `NOW`."""
    folder.mkdir(parents=True, exist_ok=True)
    export_bundle(folder / "bundles" / "first")
    point_to(folder / "champion", folder / "bundles" / "first")
    (folder / "catalogue.yaml").write_text(catalogue)
    (folder / "tactful.env").write_text(f"TACTFUL_NOW={NOW.isoformat()}\nTACTFUL_AUTH=open\n")
    settings = Settings.of(folder)
    store = open_store(settings.store)
    stock(store, write(folder / "events"))
    store.close()
    return settings


def write(folder: Path) -> EventDataset:
    """The customers' events as a data set."""
    return write_events(validate(customers()[0]).events, folder, zone=ZONE)


def stock(store: Store, dataset: EventDataset, tenant: str = "default") -> None:
    """Loads the customers into a store; `refuser` refuses every channel."""
    _, profiles = customers()
    load_history(store, tenant, dataset, asserted=ago(days=300), profiles=profiles, consents=ALLOWED)
    refuser = Profile("refuser", consents=dict.fromkeys(ALLOWED, False))
    store.load(tenant, History(dataset.zone, ago(days=200), [refuser]))


def service_of(settings: Settings, clock: Callable[[], datetime] = lambda: NOW) -> DecisionService:
    """The service of a folder, with a clock of its own."""
    store = open_store(settings.store)
    champions = Champions(
        settings.champion, settings.catalogue, STANDARD, newest=lambda: newest(store.database, settings.tenant)
    )
    maker = Maker(RunContext(), settings.reservation)
    return DecisionService(store, champions, maker, clock, settings.tenant)


def ticking(start: datetime = NOW, step: timedelta = timedelta(seconds=1)) -> Callable[[], datetime]:
    """A clock that moves on by a step each time it is looked at."""
    numbers = itertools.count()
    return lambda: start + next(numbers) * step


def _fitted(trees: Any, *actions: ActionFeature) -> FittedModel:
    return FittedModel(trees, Identity(), bool(actions), actions, "generated", {}, learnt_until=LEARNT_UNTIL)
