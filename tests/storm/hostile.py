"""Parties outside that stall, flood or damage: clients, receivers, catalogues and bundles."""

import hashlib
import json
import random
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

import httpx

from tactful.serving.engine.in_force.pointer import point_to
from tactful.serving.settings import Settings
from tests.storm.ground import HOT, Service
from tests.storm.weather import Fault

BURST = 500
"""Events of one customer in one batch; 200 batches make the hundred thousand of a hot customer."""
DRIPPING = 30
"""Connections of a client that sends a byte at a time."""


def drips_requests(service: Service) -> Fault:
    """Opens connections that send their requests a byte at a time, for two seconds."""

    def strike(_: random.Random) -> None:
        host, port = service.url.removeprefix("http://").split(":")
        with ExitStack() as stack:
            lines = []
            for _number in range(DRIPPING):
                with suppress(OSError):
                    lines.append(stack.enter_context(socket.create_connection((host, int(port)), 5)))
            for byte in b"POST /v1/decisions H":
                for line in lines:
                    with suppress(OSError):
                        line.send(bytes([byte]))
                time.sleep(0.1)

    return strike


@contextmanager
def dripping_receiver() -> Iterator[str]:
    """A receiver of webhooks that answers each of them with one byte a second, without end, while the block runs."""
    over = threading.Event()

    def drip(line: socket.socket) -> None:
        with line, suppress(OSError):
            line.recv(65_536)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(1.0):
                line.sendall(b".")

    def listen(listening: socket.socket) -> None:
        while not over.is_set():
            with suppress(OSError):
                line, _ = listening.accept()
                threading.Thread(target=drip, args=(line,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.5)
        thread = threading.Thread(target=listen, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def makes_a_customer_hot(service: Service) -> Fault:
    """Sends a batch of events of one customer and asks for decisions about that customer."""
    numbers = count()

    def strike(_: random.Random) -> None:
        batch = [
            {"type": "track", "userId": HOT, "event": "Product Viewed", "messageId": f"hot{next(numbers)}"}
            for _ in range(BURST)
        ]
        with suppress(httpx.TransportError):
            httpx.post(f"{service.url}/v1/batch", json={"batch": batch}, timeout=30)
            for _number in range(5):
                httpx.post(f"{service.url}/v1/decisions", json={"customer_id": HOT}, timeout=30)

    return strike


def puts_bad_catalogues(service: Service) -> Fault:
    """Puts a catalogue that costs much to read or to check; the service must refuse it."""
    texts = [
        "a: &a [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}x]\n" for n in range(1, 9)).replace("*a0", "*a"),
        "x: " + "[" * 100_000,
        "base: &b {a: 1}\n" + "".join(f"k{n}: {{<<: [*b, *b]}}\n" for n in range(200)),
        "segments:\n"
        + "".join(f"  s{n}: 'segment.s{n + 1} && segment.s{n + 1}'\n" for n in range(20))
        + "  s20: 'true'\n",
    ]

    def strike(chance: random.Random) -> None:
        with suppress(httpx.TransportError):
            told = httpx.put(
                f"{service.url}/v1/catalogue", content=chance.choice(texts), headers={"If-Match": "*"}, timeout=60
            )
            if told.is_success or told.status_code == 500:
                raise RuntimeError(f"a bad catalogue was answered with {told.status_code}: {told.text[:200]}")

    return strike


def offers_bad_bundles(settings: Settings) -> Fault:
    """Points to a bundle whose digests are right and whose trees are not; then back to a good one."""
    good = settings.data / "bundles" / "first"
    bad = [_damaged(good, settings.data / "bundles" / name, damage) for name, damage in _DAMAGES.items()]

    def strike(chance: random.Random) -> None:
        point_to(settings.champion, chance.choice(bad))
        time.sleep(2)
        point_to(settings.champion, good)

    return strike


_DAMAGES: Mapping[str, Callable[[str], str]] = {
    "truncated": lambda text: text[: len(text) // 2],
    "cyclic": lambda text: "\n".join(
        "left_child=" + " ".join("0" for _ in line.split()) if line.startswith("left_child=") else line
        for line in text.split("\n")
    ),
}


def _damaged(good: Path, folder: Path, damage: Callable[[str], str]) -> Path:
    """A copy of a bundle with damaged trees and the digests of these."""
    shutil.copytree(good, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["models"].values():
        file = folder / entry["file"]
        text = damage(file.read_text())
        file.write_text(text)
        entry["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    del manifest["version"]
    manifest["version"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:12]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
