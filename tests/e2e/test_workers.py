"""The service as its operators run it: several processes, real signals, deaths, and requests in the middle of them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import httpx
import pytest

from tactful.serving.bootstrap import open_store
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile
from tests.patience import PATIENCE
from tests.serving.collector import collecting
from tests.serving.receiver import DRIPS, SECRET, receiving
from tests.serving.shop import ALLOWED, CATALOGUE, NOW, furnish

ROOT = Path(__file__).parents[2]
SERVE = (sys.executable, "-m", "tactful.cli.main", "serve", "--port", "0", "--data")
BODY = b'{"customer_id": "leaver"}'
HEAD = (
    b"POST /v1/decisions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(BODY)
)


class Served:
    """The command's process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        told = process.stdout.readline()
        self.url = next(word for word in told.split() if word.startswith("http://"))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, list[dict[str, object]]]:
        """Its exit code after a signal, and its log."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, [json.loads(line) for line in errors.splitlines()]

    def workers(self) -> set[int]:
        """The processes that answer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()}


@contextmanager
def served(data: Path, *options: str) -> Iterator[Served]:
    with subprocess.Popen(
        [*SERVE, str(data), *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    return furnish(tmp_path / "shop")


@contextmanager
def half_asked(url: str) -> Iterator[socket.socket]:
    """A request of which half was sent, and which was begun."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) as connected:
        connected.sendall(HEAD.replace(b"Host: 127.0.0.1", b"Host: 127.0.0.1\r\nExpect: 100-continue"))
        assert connected.recv(100).startswith(b"HTTP/1.1 100 ")
        yield connected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_was_begun_is_finished_and_nothing_new_is_begun(
    shop: Settings, workers: str, number: signal.Signals
) -> None:
    with served(shop.data, "--workers", workers) as service, half_asked(service.url) as connected:
        service.process.send_signal(number)
        _until_closed(service.url)
        connected.sendall(BODY)
        told = b"".join(iter(lambda: connected.recv(65_536), b""))
        assert told.startswith(b"HTTP/1.1 200 ")
        assert b'"miss_you"' in told
        _, errors = service.process.communicate(timeout=PATIENCE)
        assert service.process.returncode == 0
        assert "Traceback" not in errors


def test_whoever_does_not_finish_is_not_waited_for_for_ever(shop: Settings) -> None:
    with (shop.data / "tactful.env").open("a") as settings:
        settings.write("TACTFUL_GRACE=PT1S\n")
    with served(shop.data) as service, half_asked(service.url):
        code, _ = service.stop()
        assert code == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_receiver_that_drips_holds_no_process(shop: Settings, workers: str) -> None:
    with receiving() as receiver:
        receiver.pause = PATIENCE / DRIPS
        receiver.answers += ["drip"] * 100
        told = f"TACTFUL_GRACE=1\nTACTFUL_WEBHOOK_URL={receiver.url}\nTACTFUL_WEBHOOK_SECRET={SECRET}\n"
        deadline = f"TACTFUL_WEBHOOK_DEADLINE={PATIENCE}\n"
        with (shop.data / "tactful.env").open("a") as settings:
            settings.write(told + deadline)
        with served(shop.data, "--workers", workers) as service:
            event = {"userId": "thankful", "event": "Order Completed", "properties": {"revenue": 80}}
            httpx.post(f"{service.url}/v1/track", json=event, timeout=PATIENCE).raise_for_status()
            receiver.asked.acquire()
            begun = time.monotonic()
            code, _ = service.stop()
            assert (code, time.monotonic() - begun < PATIENCE / 2) == (0, True)


def test_several_workers_answer_and_are_counted_together(shop: Settings) -> None:
    with served(shop.data, "--workers", "2") as service, httpx.Client(base_url=service.url, timeout=PATIENCE) as client:
        wanted = [{"customer_id": "regular", "id": f"d{number}"} for number in range(40)]
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda body: httpx.post(f"{service.url}/v1/decisions", json=body, timeout=PATIENCE), wanted)
            )
        assert {answer.status_code for answer in answers} == {200}
        assert len(service.workers()) == 2
        (counted,) = re.findall(r'tactful_decisions_total\{outcome="silence"\} (\d+)', client.get("/metrics").text)
        assert int(counted) == 40
        assert service.stop()[0] == 0


def test_a_worker_that_dies_is_replaced_and_no_answer_is_lost(shop: Settings) -> None:
    with served(shop.data, "--workers", "2") as service, httpx.Client(base_url=service.url, timeout=PATIENCE) as client:
        client.get("/health/ready").raise_for_status()
        before = service.workers()
        os.kill(min(before), signal.SIGKILL)
        acknowledged = [_insist(service.url, f"d{number}") for number in range(20)]
        while len(service.workers() - {min(before)}) < 2:
            client.get("/health/live").raise_for_status()
        assert [_insist(service.url, f"d{number}") for number in range(20)] == acknowledged
        code, log = service.stop()
        assert code == 0
        died = [entry for entry in log if entry["event"] == "worker died"]
        assert [entry["code"] for entry in died] == [-signal.SIGKILL]


def test_traces_go_to_the_collector_that_is_configured(shop: Settings) -> None:
    with collecting() as collector:
        with (shop.data / "tactful.env").open("a") as settings:
            settings.write(f"TACTFUL_TRACES={collector.url}\n")
        with served(shop.data, "--workers", "2") as service:
            httpx.post(
                f"{service.url}/v1/decisions", json={"customer_id": "leaver"}, timeout=PATIENCE
            ).raise_for_status()
            assert service.stop()[0] == 0
        (request,) = collector.named("POST /v1/decisions")
        assert {span.trace_id for span in collector.spans} == {request.trace_id}
        assert {"decide", "store.customers", "store.record"} < {span.name for span in collector.spans}


def test_workers_end_with_whoever_watches_over_them(shop: Settings) -> None:
    with served(shop.data, "--workers", "2") as service:
        httpx.get(f"{service.url}/health/ready", timeout=PATIENCE).raise_for_status()
        service.process.kill()
        _until_closed(service.url)


def test_a_catalogue_is_swapped_in_every_worker_and_no_decision_is_dropped_or_mixed(shop: Settings) -> None:
    answers: SimpleQueue[tuple[int, str, float]] = SimpleQueue()
    over = threading.Event()
    dearer = CATALOGUE.replace("value: 3\n", "value: 30\n")
    born = [Profile(f"b{n}", attributes={"birthday": "1990-05-06"}, consents=ALLOWED) for n in range(4)]
    store = open_store(shop.store)
    store.load("default", History("UTC", NOW, born))
    store.close()

    def ask(customer: str) -> None:
        with httpx.Client(base_url=service.url, timeout=PATIENCE) as client:
            while not over.is_set():
                told = client.post("/v1/decisions", json={"customer_id": customer})
                shown = told.json()
                client.post(f"/v1/decisions/{shown['id']}/release")
                priority = shown["choice"]["priority"] if shown["choice"] else 0.0
                answers.put((told.status_code, shown["versions"]["catalogue"], priority))

    with served(shop.data, "--workers", "2") as service, httpx.Client(base_url=service.url, timeout=PATIENCE) as client:
        threads = [threading.Thread(target=ask, args=(profile.customer,)) for profile in born]
        for thread in threads:
            thread.start()
        seen = [answers.get(timeout=PATIENCE) for _ in range(30)]
        headers = {"If-Match": "*", "Content-Type": "application/yaml"}
        version = client.put("/v1/catalogue", content=dearer, headers=headers).raise_for_status().json()["version"]
        while sum(told[1] == version for told in seen[-100:]) < 100:
            seen.append(answers.get(timeout=PATIENCE))
        over.set()
        for thread in threads:
            thread.join()
        assert service.stop()[0] == 0
    assert {status for status, _, _ in seen} == {200}
    worth = {(catalogue, round(priority, 2)) for _, catalogue, priority in seen if priority}
    assert len({catalogue for catalogue, _ in worth}) == 2
    assert all((priority > 5) is (catalogue == version) for catalogue, priority in worth)


def _insist(url: str, decision: str) -> bytes:
    """The answer, asked for again with the same id if the worker died with the request."""
    while True:
        try:
            answer = httpx.post(
                f"{url}/v1/decisions", json={"customer_id": "regular", "id": decision}, timeout=PATIENCE
            )
        except httpx.TransportError:
            continue
        assert answer.status_code == 200
        return answer.content


def _until_closed(url: str) -> None:
    """Asks until nobody answers; the test's own limit ends it if somebody always does."""
    try:
        while True:
            httpx.get(f"{url}/health/live", timeout=1)
    except httpx.TransportError:
        return
