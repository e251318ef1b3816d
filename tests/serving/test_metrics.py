"""What is counted, by one process and by several."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.service import DecisionService
from tactful.serving.engine.wakeups import TriggerIndex
from tactful.serving.errors import NotReadyError
from tactful.serving.ingestion.intake import Intake
from tactful.serving.ingestion.rules import Rules
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.telemetry.metrics import FOLDER, exposition
from tests.patience import PATIENCE
from tests.serving.shop import NOW
from tests.serving.test_outbox import built

COUNT = """
import sys
from tactful.serving.telemetry.metrics import METRICS, exposition
for fate in sys.argv[1:]:
    METRICS.events(fate).inc()
METRICS.seconds("/v1/track").observe(0.003)
print(exposition().decode())
"""


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_requests_and_decisions_are_counted_by_what_came_of_them(service: DecisionService) -> None:
    with running(service) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        before = samples(client.get("/metrics").text)
        for customer in ("leaver", "regular", "nobody"):
            client.post("/v1/decisions", json={"customer_id": customer})
        client.get("/somewhere")
        answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    after = samples(answer.text)
    wanted = {
        series("tactful_requests_total", method="POST", route="/v1/decisions", status="200"): 2,
        series("tactful_requests_total", method="POST", route="/v1/decisions", status="404"): 1,
        series("tactful_requests_total", method="GET", route="none", status="404"): 1,
        series("tactful_request_seconds_count", route="/v1/decisions"): 3,
        series("tactful_decisions_total", outcome="message"): 1,
        series("tactful_decisions_total", outcome="silence"): 1,
        series("tactful_decisions_total", outcome="UnknownCustomerError"): 1,
        series("tactful_decision_group_size_sum"): 3,
    }
    assert {key: after[key] - before.get(key, 0) for key in wanted} == wanted
    assert not any("leaver" in str(key) or "/somewhere" in str(key) for key in after)


def decided() -> dict[str, float]:
    found = samples(exposition().decode())
    wanted = ("message", "silence", "UnknownCustomerError", "NotReadyError")
    return {name: found.get(series("tactful_decisions_total", outcome=name), 0) for name in wanted}


def test_decisions_upon_events_and_in_batch_are_counted(shop: Settings) -> None:
    with built(shop) as house:
        before = decided()
        decide_all(house.service, "monday", customers=["leaver", "regular", "nobody"])
        in_batch = decided()
        house.orders("m1")
        house.work()
        upon_events = decided()
    assert {name: in_batch[name] - before[name] for name in before} == {
        "message": 1,
        "silence": 1,
        "UnknownCustomerError": 1,
        "NotReadyError": 0,
    }
    assert {name: upon_events[name] - in_batch[name] for name in before if name != "message"} == {
        "silence": 0,
        "UnknownCustomerError": 0,
        "NotReadyError": 0,
    }
    assert upon_events["message"] - in_batch["message"] == 1


def test_decisions_that_nothing_could_be_made_with_are_counted(service: DecisionService, shop: Settings) -> None:
    shop.catalogue.unlink()
    before = decided()
    with pytest.raises(NotReadyError):
        decide_all(service, "monday", customers=["leaver", "regular"])
    assert decided()["NotReadyError"] - before["NotReadyError"] == 2


def test_the_outbox_is_measured_when_somebody_asks(service: DecisionService) -> None:
    event = {"messageId": "m1", "userId": "thankful", "event": "Order Completed", "properties": {"revenue": 80}}
    Intake(service.store, "default", Rules(), "USD", listening=listening(service)).ingest([event], NOW, call="track")
    with running(service) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        told = samples(client.get("/metrics").text)
    assert told[series("tactful_outbox_waiting")] == 1
    assert told[series("tactful_outbox_oldest_seconds")] == 0


def listening(service: DecisionService) -> TriggerIndex:
    return TriggerIndex(service.champions.present().compiled.catalogue)


def test_methods_that_callers_make_up_are_counted_together(service: DecisionService) -> None:
    with running(service) as url, httpx.Client(base_url=url) as client:
        for method in ("PURGE", "REPORT"):
            client.request(method, "/health/live")
        told = samples(client.get("/metrics").text)
    assert told[series("tactful_requests_total", method="_OTHER", route="/health/live", status="405")] == 2
    assert not any("PURGE" in str(key) for key in told)


def test_several_processes_are_counted_together(tmp_path: Path) -> None:
    environment = {**os.environ, FOLDER: str(tmp_path)}
    told = [
        subprocess.run(
            [sys.executable, "-c", COUNT, *fates], env=environment, capture_output=True, text=True, check=True
        )
        for fates in (["kept", "kept"], ["kept", "late"])
    ]
    together = samples(told[-1].stdout)
    assert together[series("tactful_events_total", fate="kept")] == 3
    assert together[series("tactful_events_total", fate="late")] == 1
    assert together[series("tactful_request_seconds_count", route="/v1/track")] == 2
