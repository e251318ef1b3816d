"""The unmodified clients of Segment and RudderStack, over a flaky network: every event is found exactly once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rudderstack.analytics.client import Client as RudderStack
from segment.analytics.client import Client as Segment

from tactful.serving.bootstrap import open_tenants
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.queries import keys
from tests.e2e.flaky import WEATHER, Network, flaky

EVENTS = 10_000
CUSTOMERS = 500
PATIENT = {"max_queue_size": 2 * EVENTS, "upload_size": 400, "timeout": 30}


@contextmanager
def served(folder: Path, store: str | None) -> Iterator[tuple[Tenants, Network, str]]:
    """A service behind a flaky network, and a key that may send it events."""
    settings = Settings.of(folder, store=store)
    tenants = open_tenants(settings)
    _, key = keys.create(tenants.store.database, settings.tenant, "shop", ["ingest"], None, datetime.now(UTC))
    with running(tenants, settings) as url, flaky(url) as network:
        yield tenants, network, key
    tenants.store.close()


def send(client: Segment | RudderStack) -> None:
    """Ten thousand things that customers did, and who they are."""
    for number in range(CUSTOMERS):
        client.identify(f"c{number}", {"firstName": f"Ada {number}"}, anonymous_id=f"a{number}")
    for number in range(EVENTS):
        client.track(
            f"c{number % CUSTOMERS}",
            "Order Completed",
            {"revenue": 10.0, "order_id": f"o{number}"},
            message_id=f"m{number}",
        )
    client.shutdown()


def assert_all_there_once(tenants: Tenants, network: Network) -> None:
    kept = Counter(event.subject for _, event in tenants.store.events("default"))
    assert kept == Counter(f"o{number}" for number in range(EVENTS))
    moment = datetime.now(UTC)
    known = tenants.store.customers("default", [(f"a{number}", moment) for number in range(CUSTOMERS)])
    assert [(one.id, one.attributes, len(one.events)) for one in known if one is not None] == [
        (f"c{number}", {"first_name": f"Ada {number}"}, EVENTS // CUSTOMERS) for number in range(CUSTOMERS)
    ]
    assert network.befell.keys() == set(WEATHER)


def test_segments(tmp_path: Path) -> None:
    lost: list[object] = []
    with served(tmp_path, None) as (tenants, network, key):
        send(Segment(key, host=network.url, on_error=lambda error, _: lost.append(error), **PATIENT))
        assert lost == []
        assert_all_there_once(tenants, network)


def test_rudderstacks(tmp_path: Path, database: str) -> None:
    lost: list[object] = []
    with served(tmp_path, database) as (tenants, network, key):
        send(RudderStack(key, host=network.url, on_error=lambda error, _: lost.append(error), **PATIENT))
        assert lost == []
        assert_all_there_once(tenants, network)


@pytest.mark.parametrize("client", [Segment, RudderStack])
def test_a_key_that_is_refused_is_not_tried_again(tmp_path: Path, client: type[Segment] | type[RudderStack]) -> None:
    lost: list[str] = []
    with served(tmp_path, None) as (_, network, key):
        tracking = client(f"{key}0", host=network.server, on_error=lambda error, _: lost.append(str(error)), **PATIENT)
        tracking.track("c1", "Order Completed")
        tracking.shutdown()
    (told,) = lost
    assert "unauthenticated: an unknown or revoked key" in told
