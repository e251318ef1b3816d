"""Traces, as a collector of OTLP over HTTP receives them; and nothing at all where none is configured."""

import subprocess
import sys
from typing import Any

import httpx
import pytest

from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.service import DecisionService
from tactful.serving.process.server import running
from tactful.serving.telemetry import tracing
from tests.patience import PATIENCE
from tests.serving.collector import Collector

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def attributes(span: Any) -> dict[str, Any]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_request_a_decision_and_the_store_are_one_trace(service: DecisionService, collector: Collector) -> None:
    stop = tracing.start(collector.url)
    with running(service) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        client.post("/v1/decisions", json={"customer_id": "leaver", "id": "d1"}, headers={"traceparent": PARENT})
        client.get("/v1/decisions/d1")
        client.post("/v1/decisions", json={"customer_id": "nobody"})
    stop()
    request, refused = collector.named("POST /v1/decisions")
    (read,) = collector.named("GET /v1/decisions/{decision_id}")
    assert request.trace_id.hex() == PARENT.split("-")[1]
    assert request.parent_span_id.hex() == PARENT.split("-")[2]
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/v1/decisions",
        "http.response.status_code": 200,
    }
    assert attributes(refused)["http.response.status_code"] == 404
    assert read.trace_id != request.trace_id
    decide = collector.named("decide")[0]
    assert (decide.trace_id, decide.parent_span_id) == (request.trace_id, request.span_id)
    assert attributes(decide) == {"commands": 1}
    (record,) = collector.named("store.record")
    assert (record.trace_id, record.parent_span_id) == (decide.trace_id, decide.span_id)
    assert {"store.customers", "store.record"} <= {span.name for span in collector.spans}
    told = "".join(str(span) for span in collector.spans)
    assert not any(word in told for word in ("leaver", "nobody", "d1", "Ada"))


def test_an_error_of_ours_is_one_in_the_trace(service: DecisionService, collector: Collector) -> None:
    stop = tracing.start(collector.url)
    service.clock = lambda: 1 / 0  # type: ignore[assignment, return-value]
    with running(service) as url:
        httpx.post(f"{url}/v1/decisions", json={"customer_id": "leaver"}, timeout=PATIENCE)
    stop()
    (request,) = collector.named("POST /v1/decisions")
    assert (request.status.code, request.status.message) == (2, "")
    assert list(request.events) == []


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v1/customers/leaver", "GET /v1/customers/{customer_id}"),
        ("HEAD", "/health/live/", "HEAD /health/live"),
        ("GET", "/secret-leaver", "GET"),
        ("PURGE", "/v1/decisions", "HTTP /v1/decisions"),
    ],
)
def test_a_span_is_named_by_method_and_route(
    service: DecisionService, collector: Collector, method: str, path: str, name: str
) -> None:
    stop = tracing.start(collector.url)
    with running(service) as url:
        httpx.request(method, url + path)
    stop()
    (span,) = [span for span in collector.spans if span.kind == span.SPAN_KIND_SERVER]
    assert span.name == name


def test_a_batch_is_a_trace_of_its_own(service: DecisionService, collector: Collector) -> None:
    stop = tracing.start(collector.url)
    decide_all(service, "monday", customers=["leaver", "thankful"])
    stop()
    (batch,), (decide,) = collector.named("batch"), collector.named("decide")
    assert attributes(batch) == {"customers": 2}
    assert (decide.trace_id, decide.parent_span_id) == (batch.trace_id, batch.span_id)


def test_many_decided_together_are_linked(service: DecisionService, collector: Collector) -> None:
    stop = tracing.start(collector.url)
    with tracing.span("one"):
        first = tracing.here()
    with tracing.span("other"):
        second = tracing.here()
    with tracing.together("decide", [first, second], asks=2):
        pass
    stop()
    (one,), (other,), (decide,) = (collector.named(name) for name in ("one", "other", "decide"))
    assert decide.parent_span_id == one.span_id
    assert [link.span_id for link in decide.links] == [other.span_id]


def test_nothing_is_loaded_or_sent_unless_it_is_configured() -> None:
    program = (
        "import sys, tactful.serving.process.server; from tactful.serving.telemetry import tracing\n"
        "with tracing.span('x') as span, tracing.request('GET', {}), tracing.together('y', [tracing.here()]):\n"
        "    tracing.tell(span, {}, name='z')\n"
        "paid_for = ('opentelemetry.sdk', 'opentelemetry.exporter')\n"
        "print(sorted(name for name in sys.modules if name.startswith(paid_for)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
