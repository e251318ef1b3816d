"""The service as its operators and its callers meet it: a process, started by the command, asked over HTTP, killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import httpx
import pytest

from tactful.decisions.loading import load_catalogue
from tactful.features.definitions.standard import STANDARD
from tactful.serving.bootstrap import open_store
from tactful.serving.engine.in_force.champion import load_champion
from tactful.serving.engine.in_force.pointer import point_to, vocabulary
from tactful.serving.settings import Settings
from tactful.serving.store.admin.audit import audit
from tests.patience import PATIENCE
from tests.serving.shop import export_bundle, furnish

ROOT = Path(__file__).parents[2]
CUSTOMERS = ("regular", "leaver", "thankful", "complainer", "refuser", "celebrant")
SERVE = (sys.executable, "-m", "tactful.cli.main", "serve", "--port", "0", "--data")


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    return furnish(tmp_path / "shop")


@contextmanager
def served(data: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The command's process, and a client of it."""
    with subprocess.Popen(
        [*SERVE, str(data)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        url = next(word for word in told.split() if word.startswith("http://"))
        try:
            with httpx.Client(base_url=url, timeout=PATIENCE) as client:
                yield process, client
        finally:
            process.kill()


def wait_for_bundle(client: httpx.Client, version: str) -> None:
    """Asks for decisions until they are made with a bundle, which the service tries before it takes it."""
    end = time.monotonic() + PATIENCE
    while client.post("/v1/decisions", json={"customer_id": "regular"}).json()["versions"]["bundle"] != version:
        assert time.monotonic() < end, f"bundle {version} is not in use"


def test_from_the_command_to_a_decision_and_back(shop: Settings) -> None:
    with served(shop.data) as (process, client):
        assert client.get("/health/ready").json()["status"] == "ready"
        answers = [client.post("/v1/decisions", json={"customer_id": c, "id": f"d-{c}"}) for c in CUSTOMERS]
        chosen = {a.json()["customer_id"]: a.json()["choice"]["message"] for a in answers if a.json()["choice"]}
        assert chosen == {"leaver": "miss_you", "thankful": "thank_you", "celebrant": "happy_birthday"}
        for answer in answers:
            assert client.get(f"/v1/decisions/{answer.json()['id']}").content == answer.content

        version = export_bundle(shop.data / "bundles" / "second", seed=1)
        point_to(shop.champion, shop.data / "bundles" / "second")
        wait_for_bundle(client, version)

        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
        assert (process.returncode, output.strip()) == (0, "Stopped.")
        assert "Traceback" not in errors

    with served(shop.data) as (_, client):
        for answer in answers:
            assert client.get(f"/v1/decisions/{answer.json()['id']}").content == answer.content


def test_whatever_was_acknowledged_is_there_after_a_kill(shop: Settings) -> None:
    acknowledged: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
    with served(shop.data) as (process, client):

        def ask(number: int) -> None:
            body = {"customer_id": CUSTOMERS[number % len(CUSTOMERS)], "id": f"d{number}"}
            try:
                answer = client.post("/v1/decisions", json=body)
            except httpx.TransportError:
                return
            assert answer.status_code == 200
            acknowledged.put((f"d{number}", answer.content))

        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask, number) for number in range(400)]
            told = dict(acknowledged.get() for _ in range(100))
            process.kill()
            for future in asked:
                future.result()
    while not acknowledged.empty():
        told.update([acknowledged.get()])
    assert 100 <= len(told) < 400

    with served(shop.data) as (_, client):
        for decision_id, content in told.items():
            assert client.get(f"/v1/decisions/{decision_id}").content == content
    store = open_store(shop.store)
    assert told.keys() <= {stored.id for stored in store.decision_log(shop.tenant)}
    bundle = load_champion(shop.champion, shop.catalogue, STANDARD).bundle
    catalogue = load_catalogue(shop.catalogue, vocabulary(bundle.names)).catalogue
    found = audit(store.database, catalogue)
    store.close()
    assert found.violations == ()
    assert found.messages == 3


def test_a_folder_without_anything_to_serve_says_how_to_fill_it(tmp_path: Path) -> None:
    ended = subprocess.run([*SERVE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "nothing to serve" in ended.stderr
    assert "make demo" in ended.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_rules_with_mistakes_are_told_before_anything_answers(shop: Settings, workers: str) -> None:
    shop.tracking.write_text("events: {Bought: bought}\n")
    ended = subprocess.run(
        [*SERVE, str(shop.data), "--workers", workers],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "tracking.yaml" in ended.stderr


def test_a_port_that_is_taken_is_an_error(shop: Settings) -> None:
    with served(shop.data) as (_, client):
        port = str(client.base_url.port)
        again = [*SERVE[:4], "--port", port, "--data", str(shop.data)]
        ended = subprocess.run(again, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert f"cannot listen: got 'Address already in use'; wanted another host or port; at 127.0.0.1:{port}" in (
        " ".join(ended.stderr.split())
    )
