"""Where a storm rages: a shop whose customers could be contacted for ever, but for the caps, and a service of it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from tactful.serving.bootstrap import open_store
from tactful.serving.engine.in_force.pointer import point_to
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile
from tests.checked_text import CheckedText
from tests.serving.receiver import SECRET
from tests.serving.shop import ALLOWED, export_bundle

ROOT = Path(__file__).parents[2]
CUSTOMERS = [f"customer{number}" for number in range(20)]
REFUSERS = [f"refuser{number}" for number in range(10)]
"""Customers who refuse one channel after another."""
HOT = "hot"
"""A customer with more events than any person makes."""
START = 10.0
"""Seconds after which a new process answers, also on a busy machine."""
RESERVATION = timedelta(days=3)
"""How long a contact counts that nobody confirms. The clock runs ahead for less, so that none expires and returns."""

CATALOGUE = CheckedText("""
catalogue: storm
currency: USD
timezone: America/New_York
objective: propensity
policy: {kind: greedy}
exploration: {holdout: 0, uniform: 0}
channels: {email: {cost: 0.01}, sms: {cost: 0.02}, mail: {cost: 0.03}}
contact_policies:
  - {id: everything, kind: cap, max: 40, window: 1d}
  - {id: each_channel, kind: cap, max: 20, window: 1d, per: channel}
  - {id: mails, kind: cap, max: 6, window: 7d, scope: {channel: mail}}
  - {id: offers, kind: cap, max: 15, window: 1d, scope: {programme: offers}}
  - {id: notes, kind: cap, max: 8, window: 1d, scope: {message: note}}
  - {id: loud, kind: cap, max: 9, window: 1d, scope: {tag: loud}}
programmes:
  - id: offers
    trigger: {kind: always, expiry: 1d}
    reentry: 0m
    messages:
      - id: bargain
        channels: [email, sms, mail]
        value: 90
        tags: [loud]
        response: {mean: 0.1}
        content: {subject: Bargain, body: "A bargain for {{ customer.first_name | default: 'you' }}"}
  - id: viewed
    trigger: {kind: event, type: view, expiry: 1h}
    reentry: 0m
    messages:
      - {id: seen, channels: [mail], value: 50, response: {mean: 0.1}, content: {body: S}}
  - id: news
    trigger: {kind: always, expiry: 1d}
    reentry: 0m
    messages:
      - {id: note, channels: [sms], value: 70, response: {mean: 0.1}, content: {body: N}}
      - {id: letter, channels: [email, mail], value: 60, response: {mean: 0.1}, content: {subject: L, body: L}}
attributes:
  first_name: {type: string}
""")


@dataclass
class Service:
    """The service's processes.

    Args:
        settings: Of the shop.
        workers: How many answer.
        url: Where it answers, once it was started.
        log: File of its log; in the shop's folder where None.
    """

    settings: Settings
    workers: int = 2
    url: str = ""
    log: Path | None = None
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def start(self, **settings: str) -> None:
        """Start it, at the address it had before if it had one.

        Args:
            settings: Variables of its environment.
        """
        port = self.url.rpartition(":")[2] or "0"
        command = (sys.executable, "-m", "tactful.cli.main", "serve", "--data", str(self.settings.data))
        told = self.log or self.settings.data / "service.log"
        with told.open("a") as log:
            self._process = subprocess.Popen(
                [*command, "--port", port, "--workers", str(self.workers)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "TACTFUL_LOG_LEVEL": "error", **settings},
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.url = next((word for word in line.split() if word.startswith("http://")), "")
        if not self.url:
            raise RuntimeError(f"no service: {told.read_text()}")

    def kill_a_worker(self, chance: random.Random) -> bool:
        """Kill one of the processes that answer, at once; False where none runs right now."""
        with suppress(psutil.NoSuchProcess, IndexError):
            chance.choice(self._workers()).send_signal(signal.SIGKILL)
            return True
        return False

    def settled_workers(self) -> list[psutil.Process]:
        """Processes that have run long enough to answer."""
        with suppress(psutil.NoSuchProcess):
            return [p for p in self._workers() if time.time() - p.create_time() > START]
        return []

    def _workers(self) -> list[psutil.Process]:
        assert self._process is not None
        return [p for p in psutil.Process(self._process.pid).children() if "spawn_main" in " ".join(p.cmdline())]

    def restart(self, **settings: str) -> None:
        """Stop it and start it with other settings; it must end by itself."""
        if code := self.stop():
            raise RuntimeError(f"the service ended with {code}")
        self.start(**settings)

    def stop(self) -> int:
        """Tell it to stop and wait until it has: its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(60)
        if self._process.stdout:
            self._process.stdout.close()
        return code


def furnish(folder: Path, store: str | None = None, webhook: str | None = None) -> Settings:
    """A folder to serve from, with customers who refuse nothing.

    Args:
        folder: Where.
        store: URL of its store; a file of its own where None.
        webhook: URL that decisions upon events are sent to; they are sent nowhere where None.
    """
    folder.mkdir(parents=True, exist_ok=True)
    export_bundle(folder / "bundles" / "first")
    point_to(folder / "champion", folder / "bundles" / "first")
    (folder / "catalogue.yaml").write_text(CATALOGUE)
    lines = ["TACTFUL_AUTH=open", f"TACTFUL_RESERVATION=P{RESERVATION.days}D"]
    lines += [f"TACTFUL_STORE={store}"] if store else []
    lines += [f"TACTFUL_WEBHOOK_URL={webhook}", f"TACTFUL_WEBHOOK_SECRET={SECRET}"] if webhook else []
    (folder / "tactful.env").write_text("\n".join(lines))
    settings = Settings.of(folder)
    opened = open_store(settings.store)
    profiles = [
        Profile(customer, attributes={"first_name": "Ada"}, consents=ALLOWED)
        for customer in [*CUSTOMERS, *REFUSERS, HOT]
    ]
    opened.load(settings.tenant, History("America/New_York", datetime.now(UTC) - timedelta(days=9), profiles))
    opened.close()
    return settings


@contextmanager
def serving(settings: Settings, workers: int = 2, log: Path | None = None) -> Iterator[Service]:
    """The service while the block runs; it must end by itself when it is told to."""
    service = Service(settings, workers, log=log)
    service.start()
    try:
        yield service
    finally:
        code = service.stop()
    if code != 0:
        raise RuntimeError(f"the service ended with {code}")
