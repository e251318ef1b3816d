"""A shop with a log of decisions drawn at random, whose contacts were sent and answered by purchases."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tactful.features.events.dataset import write_events
from tactful.features.events.schema import validate
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.bootstrap import open_store
from tactful.serving.ingestion.loading.history import load_history
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile, StoredEvent
from tests.serving.shop import ALLOWED, CATALOGUE, NOW, ZONE, ago, furnish, service_of

BUYERS = 400
RANDOM = (
    CATALOGUE.replace("objective: propensity", "objective: effect")
    .replace("{kind: greedy}", "{kind: random}")
    .replace("response: {mean: 0.2}", "response: {mean: 0.3}\n        effect: {mean: 0.05, weight: 50}")
    .replace("offer: {kind: A, days: 30}", "offer: {kind: A, days: 30}\n        effect: {mean: 0.05}")
    .replace(
        "response: {mean: 0.3}\n        content: {subject: Happy",
        "response: {mean: 0.3}\n        effect: {mean: 0.05}\n        content: {subject: Happy",
    )
)
CHANCES = {"silence": 0.1, "thank_you": 0.5, "thank_you_short": 0.15}


def opened(folder: Path, *later: timedelta) -> Path:
    """A shop's folder four weeks after its decisions: letters of thanks work, short messages hardly.

    Args:
        folder: Where it is.
        later: Decisions were made at `NOW`, and about other buyers so much later.
    """
    settings = furnish(folder, RANDOM)
    rounds = (timedelta(), *later)
    for number, after in enumerate(rounds):
        names = [f"buyer{number * BUYERS + i:03}" for i in range(BUYERS)]
        _stock(settings, folder / f"more-{number}", names, after)
        _decide(settings, names, NOW + after)
    now = NOW + rounds[-1] + timedelta(days=28)
    (folder / "tactful.env").write_text(f"TACTFUL_NOW={now.isoformat()}\nTACTFUL_AUTH=open\n")
    return folder


def _stock(settings: Settings, folder: Path, names: list[str], after: timedelta) -> None:
    bought = pd.DataFrame({"customer_id": names, "time": ago(days=1) + after, "type": "purchase", "amount": 80.0})
    dataset = write_events(validate(bought).events, folder, zone=ZONE)
    store = open_store(settings.store)
    load_history(
        store,
        "default",
        dataset,
        asserted=ago(days=300),
        profiles=pd.DataFrame({"customer_id": names}),
        consents=ALLOWED,
    )
    store.close()


def _decide(settings: Settings, names: list[str], moment: datetime) -> None:
    rng = np.random.default_rng(0)
    service = service_of(settings, lambda: moment)
    answers = []
    for name in names:
        made = service.decide(name, f"d-{name}").decision
        message = made.choice.action.message if made.choice else "silence"
        if made.choice is not None:
            service.store.set_status("default", name, made.id, "sent")
        if rng.random() < CHANCES[message]:
            answers.append((name, _purchase(name, moment)))
    service.store.load("default", History(ZONE, moment, [Profile(name) for name in names], events=answers))
    service.store.close()


def _purchase(name: str, moment: datetime) -> StoredEvent:
    time = microseconds(moment + timedelta(days=2))
    return StoredEvent(time, EVENT_TYPES.index("purchase"), 0, 40.0, 0.0, 1.0, 0, "", f"answer-{name}")
