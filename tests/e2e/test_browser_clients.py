"""The unmodified clients for browsers and for Node, with a key that a page may show: each event is found once."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tactful.serving.bootstrap import open_tenants
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.queries import keys
from tests.e2e.flaky import WEATHER, Network, flaky
from tests.e2e.pages import CLIENTS, browser_page, page_server
from tests.node import packages, run

MESSAGES = 200
PATIENCE = 240
"""Seconds after which a message that did not come counts as lost: far longer than any client waits."""
ANSWERS_LOST = ("fair", "drag", "lost")
"""Faults that a beacon survives: it is sent once, and nobody reads its answer."""
SEGMENT = """
async ({ key, server, network, deliveryStrategy }) => {
  const own = { apiHost: `${network}/v1`, deliveryStrategy };
  [window.client] = await AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: key, cdnURL: `http://${server}` }, { integrations: { "Segment.io": own } });
  client.identify("ada");
}
"""
RUDDERSTACK = """
async ({ key, server, network, useBeacon }) => {
  const queueOptions = { maxItems: 1000, minRetryDelay: 100, maxRetryDelay: 500, maxAttempts: 100 };
  const beaconQueueOptions = { maxItems: 10, flushQueueInterval: 200 };
  window.client = new rudderanalytics.RudderAnalytics();
  client.load(key, `http://${network}`,
    { configUrl: `http://${server}`, useBeacon, queueOptions, beaconQueueOptions, storage: { migrate: false } });
  await new Promise((ready) => client.ready(ready));
  client.identify("ada");
}
"""
VIEWS = """
({ first, count }) => {
  for (let n = first; n < first + count; n++) client.track("Product Viewed", { product_id: `p${n}` });
}
"""


@contextmanager
def served(
    folder: Path, origin: str = "", weather: tuple[str, ...] = WEATHER
) -> Iterator[tuple[Tenants, Network, str]]:
    """A service behind a flaky network, and a key of scope `track`."""
    settings = Settings.of(folder, origins=(origin,) if origin else None)
    tenants = open_tenants(settings)
    _, key = keys.create(tenants.store.database, settings.tenant, "page", ["track"], None, datetime.now(UTC))
    with running(tenants, settings) as url, flaky(url, weather) as network:
        yield tenants, network, key
    tenants.store.close()


def views(tenants: Tenants) -> Counter[tuple[str, str]]:
    return Counter((customer, event.subject) for customer, event in tenants.store.events("default"))


def wait_for(tenants: Tenants, count: int) -> None:
    """Return once so many events are there, or once no client would send any more."""
    end = time.monotonic() + PATIENCE
    while len(views(tenants)) < count and time.monotonic() < end:
        time.sleep(0.1)


def send(page: Page, tenants: Tenants, together: int = MESSAGES) -> None:
    """Send the views, so many at a time; wait after each time until the service has them."""
    for first in range(0, MESSAGES, together):
        page.evaluate(VIEWS, {"first": first, "count": together})
        wait_for(tenants, first + together)


def assert_each_once(tenants: Tenants, network: Network) -> None:
    assert views(tenants) == Counter({("ada", f"p{number}"): 1 for number in range(MESSAGES)})
    assert network.befell.keys() == set(network.weather)


def addresses(network: Network, key: str) -> dict[str, Any]:
    return {"key": key, "server": network.server.partition("//")[2], "network": network.url.partition("//")[2]}


@pytest.mark.parametrize(("strategy", "together"), [("standard", MESSAGES), ("batching", 10)])
def test_segments_for_browsers(tmp_path: Path, strategy: str, together: int) -> None:
    quick = {"baseBackoffInterval": 0.05, "maxBackoffInterval": 0.5, "maxRetryCount": 1000}
    delivery = {"strategy": strategy, "config": {"timeout": 200, "maxRetries": 1000}, "backoffConfig": quick}
    (pages := tmp_path / "pages").mkdir()
    with page_server(pages) as origin, served(tmp_path, origin) as (tenants, network, key), browser_page() as page:
        page.goto(f"{origin}/segment.js.html")
        page.evaluate(SEGMENT, {**addresses(network, key), "deliveryStrategy": delivery})
        send(page, tenants, together)
        assert_each_once(tenants, network)


def test_rudderstacks_for_browsers(tmp_path: Path) -> None:
    (pages := tmp_path / "pages").mkdir()
    with page_server(pages) as origin, served(tmp_path, origin) as (tenants, network, key), browser_page() as page:
        page.goto(f"{origin}/rudderstack.js.html")
        page.evaluate(RUDDERSTACK, {**addresses(network, key), "useBeacon": False})
        send(page, tenants)
        assert_each_once(tenants, network)


def test_rudderstacks_beacons(tmp_path: Path) -> None:
    (pages := tmp_path / "pages").mkdir()
    with (
        page_server(pages) as origin,
        served(tmp_path, origin, ANSWERS_LOST) as (tenants, network, key),
        browser_page() as page,
    ):
        page.goto(f"{origin}/rudderstack.js.html")
        page.evaluate(RUDDERSTACK, {**addresses(network, key), "useBeacon": True})
        send(page, tenants, 10)
        assert_each_once(tenants, network)


@pytest.mark.parametrize("client", ["segment", "rudderstack"])
def test_clients_for_node(tmp_path: Path, client: str) -> None:
    folder = packages(CLIENTS)
    with served(tmp_path) as (tenants, network, key):
        run(str(CLIENTS / f"{client}.mjs"), network.url, key, str(MESSAGES), cwd=folder)
        assert_each_once(tenants, network)
