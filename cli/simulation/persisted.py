"""A simulated shop that is kept: the service decides for it, and its data folder is left for every other command.

World → decisions by the service → what came of them, as messages → the store, day by day.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from tactful.cli.simulation.events_out import messages
from tactful.cli.simulation.first_models import first_models
from tactful.cli.wiring.bundles import put_in_use
from tactful.cli.wiring.decision_source import offers
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.loading import parse_catalogue
from tactful.experiments.world.events import Told
from tactful.experiments.world.parameters import ARMS, Parameters
from tactful.experiments.world.trial import events_of, ids_of
from tactful.experiments.world.world import PAST, World
from tactful.features.array_types import Ints
from tactful.features.definitions.standard import STANDARD
from tactful.features.errors import TactfulError
from tactful.features.events.dataset import EventDataset, open_events, write_events
from tactful.models.bundles.bundle import export
from tactful.serving.bootstrap import open_service, open_store
from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.service import DecisionService
from tactful.serving.ingestion.intake import Intake
from tactful.serving.ingestion.loading.history import load_history
from tactful.serving.ingestion.rules import Rules
from tactful.serving.settings import Settings

CATALOGUE = Path(__file__).with_name("persisted.yaml")
ALLOWED = {("email", "marketing"): True}
FIGURES = {"discount": None, "timely": None}
"""What the catalogue's offers are told apart by."""

Advance = Callable[[int, int], None]
Weekly = Callable[[DecisionService, Path], None]
"""What is done with the service and its folder before the decisions of each week."""


def keep(
    folder: Path,
    parameters: Parameters,
    *,
    customers: int,
    seed: int,
    weeks: int,
    catalogue: str | None = None,
    weekly: Weekly = lambda _, __: None,
    advance: Advance = lambda _, __: None,
) -> dict[str, Any]:
    """Lives through some weeks of a world under the service, and leaves the service's folder.

    The folder appears complete or not at all.

    Args:
        folder: The folder to write; it must not exist, or be empty.
        parameters: The world's numbers.
        customers: How many.
        seed: Of the world.
        weeks: How long.
        catalogue: YAML to decide with; the simulated shop's own where None.
        weekly: Work of each week, as a timer would do it.
        advance: Called with days done and all days.

    Returns:
        What is in it: `customers`, `decisions`, `contacts`, `unsubscribed`, the first and the last moment.

    Raises:
        TactfulError: The folder holds something, or the world is too small to learn the first models from.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TactfulError("a folder that is not empty", got=str(folder), wanted="a new or an empty one")
    world = World(parameters, customers, seed, keep_events=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new = Path(scratch) / "new"
        _furnish(new, world, catalogue or CATALOGUE.read_text(encoding="utf-8"))
        told = _lived(new, world, weeks, weekly, advance)
        new.replace(folder)
    return told


def _lived(folder: Path, world: World, weeks: int, weekly: Weekly, advance: Advance) -> dict[str, Any]:
    began, settings = world.moment, Settings.of(folder, durability="normal")
    store = open_store(settings.store, settings.durability)
    try:
        shop = KeptShop(world, open_service(settings, store), open_events(folder / "events"))
        for day in range(7 * weeks):
            if day % 7 == 0:
                weekly(shop.service, folder)
            shop.live()
            advance(day + 1, 7 * weeks)
    finally:
        store.close()
    write_events(events_of(world, ids_of(world)), folder / "events", zone="UTC")
    _set_clock(folder, world.moment)
    return {
        "customers": len(world),
        "decisions": shop.decisions,
        "contacts": shop.contacts,
        "unsubscribed": int((~world.subscribed).sum()),
        "from": began.isoformat(),
        "to": world.moment.isoformat(),
    }


def _furnish(folder: Path, world: World, catalogue: str) -> None:
    """The service's files on its first day: the past, a catalogue, models learnt from that past, settings."""
    ids = ids_of(world)
    past = write_events(events_of(world, ids), folder / "events", zone="UTC")
    (folder / "catalogue.yaml").write_text(catalogue, encoding="utf-8")
    compiled = _compiled(catalogue)
    models = first_models(
        world, ids, past, offers(compiled), ceil(compiled.catalogue.attribution_window / timedelta(days=1))
    )
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        bundle = Path(scratch) / "bundle"
        export(bundle, models, STANDARD)
        put_in_use(bundle, folder / "champion", "the first, learnt from the simulated past")
    _set_clock(folder, world.moment)


def _compiled(catalogue: str) -> CompiledCatalogue:
    return parse_catalogue(catalogue, Vocabulary(STANDARD.names, scores=("lapse",), offers=FIGURES), "the catalogue")


def _set_clock(folder: Path, moment: datetime) -> None:
    """The settings of a service whose now is a moment of the simulation."""
    told = "# Simulated: customers, events and outcomes are made up, and so is the date.\n"
    settings = f"TACTFUL_NOW={moment.isoformat()}\nTACTFUL_AUTH=open\n"
    (folder / "tactful.env").write_text(told + settings, encoding="utf-8")


class KeptShop:
    """A world whose contacts the service decides about, and which tells it what came of them.

    Args:
        world: The world on its first day; it keeps its events.
        service: The service, which has nothing in its store yet; it goes by the world's clock.
        past: The events before.

    Attributes:
        decisions: How many were made.
        contacts: How many of them were contacts.
    """

    def __init__(self, world: World, service: DecisionService, past: EventDataset) -> None:
        assert world.log is not None
        self.world, self.service = world, service
        service.clock = lambda: world.moment
        self.decisions = self.contacts = 0
        self._log, self._ids = world.log, ids_of(world)
        self._number = {customer: i for i, customer in enumerate(self._ids)}
        self._currency = service.champions.present().compiled.catalogue.currency
        self._intake = Intake(service.store, service.tenant, Rules(), self._currency)
        asserted = world.moment - timedelta(days=PAST)
        load_history(service.store, service.tenant, past, asserted=asserted, consents=ALLOWED)
        self._tell([told for told in self._log.told if told.type == "unsubscribed"], {})

    def live(self) -> None:
        """A day: decisions in the morning, and by the next one the store knows what happened."""
        known = len(self._log.told)
        arms, decided = self._decided()
        self.world.step(arms)
        self._tell(self._log.told[known:], decided)

    def _decided(self) -> tuple[Ints, dict[int, str]]:
        """The arms of this morning, and the decision behind each: a seventh in turn, and who left a cart."""
        turn = np.arange(len(self.world)) % 7 == self.world.day % 7
        asked = self._ids[(turn | self.world.cart_left) & self.world.subscribed].tolist()
        run = f"simulated day {self.world.day}"
        made = decide_all(self.service, run, moment=self.world.moment, customers=asked)
        for customer, reason in made.failures.items():
            raise TactfulError("a decision that failed", got=reason, where=customer)
        arms, decided = np.zeros(len(self.world), dtype=np.int64), {}
        for decision in made.decisions:
            if decision.choice is not None:
                number = self._number[decision.customer]
                arms[number] = ARMS.index(decision.choice.action.message)
                decided[number] = decision.id
        self.decisions += len(made.decisions)
        self.contacts += len(decided)
        return arms, decided

    def _tell(self, told: Sequence[Told], decided: Mapping[int, str]) -> None:
        """The events go through the intake, as from a shop's systems."""
        raw = list(messages(told, self._ids, decided, self._currency))
        for fate in self._intake.ingest(raw, self.world.moment):
            if fate.reason:
                raise TactfulError("an event that was refused", got=fate.reason, where=fate.id)
