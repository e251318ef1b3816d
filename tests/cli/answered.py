"""A shop with a log of decisions drawn at random, whose contacts were sent and answered by purchases."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from features.dataset import write_events
from features.events import validate
from features.vocabulary import EVENT_TYPES
from features.zones import microseconds
from serving.bootstrap import open_store
from serving.history import load_history
from serving.settings import Settings
from serving.store.port import History, Profile, StoredEvent
from tests.serving.shop import ALLOWED, CATALOGUE, NOW, ZONE, ago, furnish, service_of

BUYERS = 400
RANDOM = (
    CATALOGUE.replace("objective: propensity", "objective: effect\npolicy: {kind: random}")
    .replace("response: {mean: 0.2}", "response: {mean: 0.3}\n        effect: {mean: 0.05, weight: 50}")
    .replace("offer: {kind: A, days: 30}", "offer: {kind: A, days: 30}\n        effect: {mean: 0.05}")
    .replace(
        "response: {mean: 0.3}\n        content: {subject: Happy",
        "response: {mean: 0.3}\n        effect: {mean: 0.05}\n        content: {subject: Happy",
    )
)
CHANCES = {"silence": 0.1, "thank_you": 0.5, "thank_you_short": 0.15}


def opened(folder: Path) -> Path:
    """A shop's folder four weeks later: letters of thanks work, short messages hardly."""
    settings = furnish(folder, RANDOM)
    names = [f"buyer{i:03}" for i in range(BUYERS)]
    bought = pd.DataFrame({"customer_id": names, "time": ago(days=1), "type": "purchase", "amount": 80.0})
    dataset = write_events(validate(bought).events, folder / "more", zone=ZONE)
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
    _decide(settings, names)
    (folder / "tactful.env").write_text(f"TACTFUL_NOW={(NOW + timedelta(days=28)).isoformat()}\nTACTFUL_AUTH=open\n")
    return folder


def _decide(settings: Settings, names: list[str]) -> None:
    rng = np.random.default_rng(0)
    service = service_of(settings)
    answers = []
    for name in names:
        made = service.decide(name, f"d-{name}").decision
        message = made.choice.action.message if made.choice else "silence"
        if made.choice is not None:
            service.store.settle("default", name, made.id, "sent")
        if rng.random() < CHANCES[message]:
            answers.append((name, _purchase(name)))
    service.store.load("default", History(ZONE, NOW, [Profile(name) for name in names], events=answers))
    service.store.close()


def _purchase(name: str) -> StoredEvent:
    time = microseconds(NOW + timedelta(days=2))
    return StoredEvent(time, EVENT_TYPES.index("purchase"), 0, 40.0, 0.0, 1.0, 0, "", f"answer-{name}")
