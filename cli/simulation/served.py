"""A shop of the simulated world behind the real service: it decides each morning, and its store keeps the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tactful.experiments.design.declaration import Plan
from tactful.experiments.design.loading import parse_plan
from tactful.experiments.world.parameters import ARMS
from tactful.experiments.world.trial import events_of, ids_of
from tactful.experiments.world.world import World
from tactful.features.array_types import Ints
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import write_events
from tactful.models.bundles.bundle import export
from tactful.models.scores.frequency import PressureModel
from tactful.serving.bootstrap import open_service, open_store
from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.service import DecisionService
from tactful.serving.ingestion.loading.history import load_history
from tactful.serving.settings import Settings
from tactful.serving.store.queries.experiments import publish

CATALOGUE = Path(__file__).with_name("served.yaml")
ALLOWED = {("email", "marketing"): True}


class Served:
    """A world whose contacts the service decides about.

    Args:
        world: The world; it keeps its events.
        service: The service, which has nothing in its store yet.
        folder: Where events are written on their way into the store.
    """

    def __init__(self, world: World, service: DecisionService, folder: Path) -> None:
        self.world = world
        self.service = service
        self.ids = ids_of(world)
        self._folder = folder
        self._told = pd.Timestamp(0, tz="UTC")
        self._number = {customer: i for i, customer in enumerate(self.ids)}
        self._load(contacts=True)

    def run(self, plan: str, days: int) -> Plan:
        """Puts experiments in force and lives through some days; the plan as it was read.

        Args:
            plan: Experiments in YAML.
            days: How many.
        """
        read = parse_plan(plan, self.service.champions.present().compiled.catalogue)
        publish(self.service.store.database, self.service.tenant, read, self.world.moment)
        for _ in range(days):
            self.world.step(self._decided())
            self._load(contacts=False)
        return read

    def _decided(self) -> Ints:
        """The arms of this morning: a quarter of the customers in turn, and those who left a cart."""
        turn = np.arange(len(self.world)) % 4 == self.world.day % 4
        asked = self.ids[(turn | self.world.cart_left) & self.world.subscribed]
        made = decide_all(self.service, f"day {self.world.day}", moment=self.world.moment, customers=list(asked))
        arms = np.zeros(len(self.world), dtype=np.int64)
        for decision in made.decisions:
            if decision.choice is not None:
                arms[self._number[decision.customer]] = ARMS.index(decision.choice.action.message)
        return arms

    def _load(self, *, contacts: bool) -> None:
        """Tells the store what happened since it was told last; contacts that it decided itself it knows."""
        events = events_of(self.world, self.ids)
        fresh = events[(events["time"] >= self._told) & (contacts | (events["type"] != "contact"))]
        self._told = pd.Timestamp(self.world.moment).normalize()
        dataset = write_events(fresh, self._folder / "events", zone="UTC", buckets=1)
        asserted = self.world.moment - timedelta(days=1)
        load_history(self.service.store, self.service.tenant, dataset, asserted=asserted, consents=ALLOWED)


@contextmanager
def served(world: World, folder: Path) -> Iterator[Served]:
    """A service for a world, on an empty store in a folder.

    Args:
        world: The world; it keeps its events.
        folder: An empty folder.
    """
    model = PressureModel.fit(np.zeros((1, 1)), [False], ["contacts_7d"])
    export(folder / "champion", {"unsubscribe": model}, STANDARD)
    (folder / "catalogue.yaml").write_text(CATALOGUE.read_text(encoding="utf-8"), encoding="utf-8")
    settings = Settings.of(folder)
    store = open_store(settings.store, "normal")
    try:
        yield Served(world, open_service(settings, store), folder)
    finally:
        store.close()
