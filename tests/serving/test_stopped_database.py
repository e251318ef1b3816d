"""A database that hangs: nothing but the requests that need it waits, and these only so long."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest

from tactful.features.events.dataset import open_events
from tactful.serving.bootstrap import open_tenants
from tactful.serving.errors import StoreError
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.opening import open_store
from tests.serving.api.test_openapi import ROUTES
from tests.serving.shop import stock

HOUR = timedelta(hours=1)
TRIES = 200
BODIES: dict[str, Any] = {
    "/v1/decisions": {"customer_id": "leaver", "id": "d2"},
    "/v1/decisions/batch": {"decisions": [{"customer_id": "regular"}]},
    "/v1/decisions/{decision_id}/outcome": {"kind": "opened"},
    "/v1/what-if": {"customer_id": "leaver"},
    "/v1/batch": {"batch": [{"type": "track", "userId": "leaver", "event": "Order Completed", "messageId": "m2"}]},
}
MESSAGE = {"userId": "leaver", "previousId": "somebody", "event": "Order Completed", "messageId": "m1", "groupId": "g"}


@contextmanager
def stopped(url: str) -> Iterator[None]:
    """Every process of the database stops while the block runs, as a machine that hangs."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    server = psutil.Process(int((Path(row[0]) / "postmaster.pid").read_text().splitlines()[0]))
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


@contextmanager
def serving(shop: Settings, database: str, deadline: timedelta, store_deadline: timedelta) -> Iterator[str]:
    settings = Settings.of(shop.data, store=database, deadline=deadline, store_deadline=store_deadline)
    with closing(open_store(database, deadline=store_deadline)) as store:
        tenants = open_tenants(settings, store)
        stock(store, open_events(shop.data / "events"))
        with running(tenants, settings) as url:
            yield url


def sent(url: str, method: str, path: str) -> socket.socket:
    """A connection on which a request has been sent."""
    body = b"" if method == "GET" else json.dumps(BODIES.get(path, MESSAGE)).encode()
    filled = re.sub(r"\{decision_id\}", "d1", re.sub(r"\{customer_id\}", "leaver", path))
    head = f"{method} {filled} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nIf-Match: *\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    parts = urlsplit(url)
    connected = socket.create_connection((parts.hostname, parts.port), timeout=120)
    connected.sendall(head.encode() + body)
    return connected


def status(connected: socket.socket) -> int:
    with connected.makefile("rb") as answer:
        return int(answer.readline().split()[1])


def test_no_route_keeps_the_event_loop_waiting_for_the_store(shop: Settings, database: str) -> None:
    routes = [(method.upper(), path) for method, path in sorted(ROUTES) if method != "delete"]
    with serving(shop, database, HOUR, HOUR) as url, ExitStack() as open_:
        assert httpx.post(f"{url}/v1/decisions", json={"customer_id": "thankful", "id": "d1"}).status_code == 200
        with stopped(database):
            waiting = [open_.enter_context(sent(url, method, path)) for method, path in routes]
            for _ in range(3):
                assert httpx.get(f"{url}/health/live", timeout=120).json() == {"status": "alive"}
        assert [connected for connected in waiting if status(connected) >= 600] == []


def test_requests_are_answered_when_their_deadline_is_over_and_all_is_well_afterwards(
    shop: Settings, database: str
) -> None:
    asked = {"customer_id": "leaver"}
    with (
        serving(shop, database, timedelta(seconds=2), timedelta(seconds=1)) as url,
        httpx.Client(base_url=url, timeout=120) as client,
    ):
        with stopped(database):
            for told in (client.post("/v1/decisions", json=asked), client.get("/health/ready")):
                kind = told.json()["type"].rsplit(":", 1)[1]
                assert told.status_code == 503
                assert kind in {"store-unavailable", "deadline-exceeded", "not-ready"}
            assert client.get("/health/live").status_code == 200
        assert 200 in (client.post("/v1/decisions", json=asked).status_code for _ in range(TRIES))


def test_a_statement_is_given_up_when_the_database_hangs(database: str) -> None:
    with closing(open_store(database, deadline=timedelta(milliseconds=500))) as store:
        assert store.customer_ids("default") == []
        with stopped(database), pytest.raises(StoreError, match=r"no answer within 0\.5 seconds"):
            store.customer_ids("default")


def test_a_statement_that_takes_too_long_is_given_up_and_a_job_may_take_its_time(database: str) -> None:
    with (
        closing(open_store(database, deadline=timedelta(milliseconds=100))) as hurried,
        pytest.raises(StoreError),
        hurried.database.read() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(30)")
    with closing(open_store(database)) as store, store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT pg_sleep(0.2)").one() is not None
