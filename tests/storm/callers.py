"""Callers who mean well: they ask, repeat themselves, retry what failed, and remember what they were told."""

import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.storm.ground import CUSTOMERS

STATED = {200, 404, 409, 429, 503}
"""What a well-formed request may be answered with while processes die."""
PATIENCE = 60.0
"""Seconds for which a caller retries."""


@dataclass
class Memory:
    """What callers were told, together.

    Attributes:
        decisions: The answer of every acknowledged decision, by id.
        cleared: Decisions whose contact may be made, so that outcomes may follow.
        events: Ids of acknowledged events.
        answers: How often each status was answered.
        retries: How often something was asked again.
        phase: What goes on at present.
        waits: Seconds that decisions took, by phase; those that were not answered are not among them.
        unexpected: Answers that no caller should ever get, and repeated ids with other answers.
    """

    decisions: dict[str, bytes] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    retries: int = 0
    phase: str = ""
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    unexpected: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


class Caller(threading.Thread):
    """One caller, until it is told to stop.

    Args:
        number: Tells it from the others.
        url: The service's.
        memory: Where it notes what it was told.
        stop: Set when it is to stop.
    """

    def __init__(self, number: int, url: str, memory: Memory, stop: threading.Event) -> None:
        super().__init__(name=f"caller{number}")
        self._number = number
        self._memory = memory
        self._stop_asking = stop
        self._chance = random.Random(number)
        self._client = httpx.Client(base_url=url, timeout=10)
        self._asked = 0

    def run(self) -> None:
        """Ask and ask."""
        moves = [(self._decide, 60), (self._repeat, 10), (self._settle, 15), (self._track, 15)]
        with self._client:
            while not self._stop_asking.is_set():
                (move,) = self._chance.choices([m for m, _ in moves], [weight for _, weight in moves])
                move()

    def _decide(self) -> None:
        self._asked += 1
        id_ = f"d{self._number}-{self._asked}"
        self._ask(lambda: self._decision(id_, self._chance.choice(CUSTOMERS)))

    def _repeat(self) -> None:
        """Somebody's decision is asked for again, by its id."""
        with self._memory.lock:
            known = self._chance.choice(list(self._memory.decisions)) if self._memory.decisions else None
        if known is not None:
            customer = json.loads(self._memory.decisions[known])["customer_id"]
            self._ask(lambda: self._decision(known, customer))

    def _settle(self) -> None:
        """A contact is cleared or given back; what was cleared has outcomes."""
        with self._memory.lock:
            chosen = [id_ for id_, told in self._memory.decisions.items() if b'"choice":null' not in told]
            cleared = sorted(self._memory.cleared)
        if cleared and self._chance.random() < 0.3:
            path, kind = f"/v1/decisions/{self._chance.choice(cleared)}", self._chance.choice(["delivered", "clicked"])
            self._ask(lambda: self._client.post(f"{path}/outcome", json={"kind": kind}))
        elif chosen and self._chance.random() < 0.5:
            path = f"/v1/decisions/{self._chance.choice(chosen)}/release"
            self._ask(lambda: self._client.post(path))
        elif chosen:
            id_ = self._chance.choice(chosen)
            told = self._ask(lambda: self._client.post(f"/v1/decisions/{id_}/clearance"))
            if told is not None and told.status_code == 200 and told.json()["send"]:
                with self._memory.lock:
                    self._memory.cleared.add(id_)

    def _track(self) -> None:
        self._asked += 1
        id_ = f"e{self._number}-{self._asked}"
        event = {"userId": self._chance.choice(CUSTOMERS), "event": "Product Viewed", "messageId": id_}
        told = self._ask(lambda: self._client.post("/v1/track", json={**event, "properties": {"product_id": "p1"}}))
        if told is not None and told.status_code == 200:
            with self._memory.lock:
                self._memory.events.add(id_)

    def _decision(self, id_: str, customer: str) -> httpx.Response:
        began, phase = time.monotonic(), self._memory.phase
        told = self._client.post("/v1/decisions", json={"customer_id": customer, "id": id_})
        if told.status_code == 200:
            with self._memory.lock:
                self._memory.waits[phase].append(time.monotonic() - began)
                before = self._memory.decisions.setdefault(id_, told.content)
                if before != told.content:
                    self._memory.unexpected.append(f"{id_} was told in two ways")
        return told

    def _ask(self, request: Callable[[], httpx.Response]) -> httpx.Response | None:
        """Ask until there is an answer that is no outage, for a while."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not self._stop_asking.is_set():
            try:
                told = request()
            except httpx.TransportError:
                told = None
            with self._memory.lock:
                self._memory.answers[told.status_code if told is not None else 0] += 1
                if told is not None and told.status_code not in STATED:
                    self._memory.unexpected.append(f"{told.request.method} {told.request.url.path}: {told.text[:200]}")
                if told is not None and told.status_code != 503:
                    return told
                self._memory.retries += 1
            self._stop_asking.wait(0.05)
        return None
