"""Watches a service from outside during a storm: whether it lives, and whether refusals hold."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.storm.ground import REFUSERS

SILENCE = 1.0
"""Seconds without an answer of the liveness probe that count as silence."""
CHANNELS = ("email", "sms", "mail")


@dataclass
class Seen:
    """What bystanders saw.

    Attributes:
        silences: Seconds of each time without an answer that was longer than `SILENCE`.
        refused: Customers and the channel that each refused, once the service had acknowledged it.
        broken: Decisions that chose a channel which the customer had refused before.
        paused: Set while the service is stopped on purpose.
        clock_jumped: Whether the clock ran ahead for a while, so that some contacts lie ahead.
    """

    silences: list[float] = field(default_factory=list)
    refused: set[tuple[str, str]] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    paused: threading.Event = field(default_factory=threading.Event)
    clock_jumped: bool = False


@contextmanager
def bystanders(url: str) -> Iterator[Seen]:
    """Bystanders who watch while the block runs."""
    seen, stop = Seen(), threading.Event()
    threads = [threading.Thread(target=run, args=(url, seen, stop)) for run in (_probe, _refuse)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _probe(url: str, seen: Seen, stop: threading.Event) -> None:
    """Asks for liveness on a new connection each time, as an orchestrator does."""
    answered = time.monotonic()
    while not stop.wait(0.1):
        if seen.paused.is_set() or _is_live(url):
            silence, answered = time.monotonic() - answered, time.monotonic()
            if silence > SILENCE and not seen.paused.is_set():
                seen.silences.append(round(silence, 3))


def _is_live(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def _refuse(url: str, seen: Seen, stop: threading.Event) -> None:
    """Refuses a channel for one customer after another, and asks for decisions about those who refused."""
    chance = random.Random(1)
    wanted = iter([(customer, channel) for customer in REFUSERS for channel in CHANNELS])
    number = 0
    while not stop.wait(0.05):
        number += 1
        try:
            refusal = next(wanted, None) if number % 20 == 1 else None
            if refusal is not None:
                _acknowledged(url, *refusal, stop)
                seen.refused.add(refusal)
            if seen.refused:
                customer = chance.choice(sorted({customer for customer, _ in seen.refused}))
                _decide(url, customer, f"refuser-{number}", seen)
        except httpx.TransportError:
            continue


def _acknowledged(url: str, customer: str, channel: str, stop: threading.Event) -> None:
    """Refuses until the service has said that it took the refusal in."""
    message = {"userId": customer, "traits": {"consents": {channel: False}}, "messageId": f"{customer}-{channel}"}
    while not stop.is_set():
        try:
            if httpx.post(f"{url}/v1/identify", json=message, timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        stop.wait(0.1)
    raise httpx.TransportError("stopped before the refusal was acknowledged")


def _decide(url: str, customer: str, id_: str, seen: Seen) -> None:
    before = {channel for who, channel in seen.refused if who == customer}
    told = httpx.post(f"{url}/v1/decisions", json={"customer_id": customer, "id": id_}, timeout=10)
    choice = told.json().get("choice") if told.status_code == 200 else None
    if choice is not None and choice["channel"] in before:
        seen.broken.append(f"{id_}: {customer} by {choice['channel']}")
