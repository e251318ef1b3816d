"""The metrics for Prometheus: of one process, or of several that write to the folder `PROMETHEUS_MULTIPROC_DIR`.

The client library reads that variable when it is loaded, so a process that shares a folder sets it before.
"""

import os

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
disable_created_metrics()  # type: ignore[no-untyped-call]
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The series of a service; each method gives one to `inc()` or `observe()`."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._requests = Counter(
            "tactful_requests",
            "Answered requests, by the template of their path.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "tactful_request_seconds",
            "Seconds from the head of a request to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._decisions = Counter(
            "tactful_decisions",
            "Decisions on request, upon events and in batch: message, silence, or the error that came instead.",
            ["outcome"],
            registry=registry,
        )
        self._group = Histogram(
            "tactful_decision_group_size",
            "Decisions made by one scoring call and recorded by one commit.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        self._events = Counter(
            "tactful_events", "Messages of the tracking API, by their fate.", ["fate"], registry=registry
        )
        self._outbox = Counter(
            "tactful_outbox",
            "Attempts to deliver to a receiver: delivered, retried, refused or corrupt.",
            ["state"],
            registry=registry,
        )

        self._upkeep = Counter(
            "tactful_upkeep", "Jobs of upkeep, by what came of them.", ["job", "outcome"], registry=registry
        )
        self.outbox_waiting = Gauge(
            "tactful_outbox_waiting",
            "Waiting records of the outbox.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self.outbox_age = Gauge(
            "tactful_outbox_oldest_seconds",
            "Age in seconds of the oldest due record of the outbox; 0 if none is due.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )

    def requests(self, method: str, route: str, status: int) -> Counter:
        """Requests, by the template of their path."""
        return self._requests.labels(method, route, status)

    def seconds(self, route: str) -> Histogram:
        """How long requests took."""
        return self._seconds.labels(route)

    def decisions(self, outcome: str) -> Counter:
        """Decisions: `message`, `silence`, or the error that came instead."""
        return self._decisions.labels(outcome)

    @property
    def group(self) -> Histogram:
        """How many decisions were made together."""
        return self._group

    def events(self, fate: str) -> Counter:
        """Events, by what became of them."""
        return self._events.labels(fate)

    def upkeep(self, job: str, outcome: str) -> Counter:
        """Jobs of upkeep: `done`, `findings` or `failed`."""
        return self._upkeep.labels(job, outcome)

    def outbox(self, state: str) -> Counter:
        """Deliveries to receivers."""
        return self._outbox.labels(state)


METRICS = Metrics()


def exposition() -> bytes:
    """Every series in Prometheus's text format, of all processes that share a folder."""
    if FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
