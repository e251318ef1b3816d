"""Decisions upon events reach a receiver, though it fails and the service is killed in between."""

import itertools
import os
import subprocess
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tactful.decisions.kernel.record import parse
from tactful.serving.delivery.outbox import LEASE, Dispatcher
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.signing.webhooks import Receivers, Webhook
from tactful.serving.store.queries import outbox
from tests.e2e.test_http import ROOT, SERVE
from tests.patience import PATIENCE
from tests.serving.receiver import SECRET, Receiver, receiving
from tests.serving.shop import furnish, service_of

CUSTOMERS = 300
TROUBLE = [200, 500, "cut", 200, 200, 503] * 50


def messages() -> list[dict[str, object]]:
    """Customers who allow e-mail, and an order of each."""
    known = [
        {"type": "identify", "messageId": f"i{n}", "userId": f"c{n}", "traits": {"consents": {"email": True}}}
        for n in range(CUSTOMERS)
    ]
    bought = [
        {
            "type": "track",
            "messageId": f"m{n}",
            "userId": f"c{n}",
            "event": "Order Completed",
            "properties": {"total": 80},
        }
        for n in range(CUSTOMERS)
    ]
    return [*known, *bought]


def serve_and_kill(data: Path, receiver: Receiver) -> None:
    """The service takes the messages in, tells of some decisions, and is killed while it tells of others."""
    told = {"TACTFUL_WEBHOOK_URL": receiver.url, "TACTFUL_WEBHOOK_SECRET": SECRET}
    with subprocess.Popen(
        [*SERVE, str(data)],
        cwd=ROOT,
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        answer = httpx.post(f"{url}/v1/batch", json={"batch": messages()}, auth=("any", ""), timeout=PATIENCE)
        assert answer.json() == {"success": True}
        for _ in range(60):
            receiver.asked.acquire()
        process.kill()


def test_each_decision_comes_once_to_who_dedupes(tmp_path: Path) -> None:
    shop = furnish(tmp_path / "shop")
    with receiving() as receiver:
        receiver.answers += TROUBLE
        serve_and_kill(shop.data, receiver)
        before = len(receiver.heard)
        service = service_of(shop)
        assert outbox.census(service.store.database)["waiting"] > 0
        started, ticks = datetime.now(UTC), itertools.count(1)
        webhook = Receivers(Webhook.of(receiver.url, SECRET))
        later = Dispatcher(Tenants.only(service), webhook, clock=lambda: started + next(ticks) * LEASE)
        while later.decide() + later.deliver():
            pass
        later.close()
        log = {stored.id: parse(stored.record) for stored in service.store.decision_log("default")}
        census = outbox.census(service.store.database)
        service.store.close()
    bodies = defaultdict(set)
    for id_, body in receiver.heard:
        bodies[id_].add(body)
    assert receiver.forged == []
    assert {decision.customer for decision in log.values()} == {f"c{n}" for n in range(CUSTOMERS)}
    assert len(log) == CUSTOMERS
    assert bodies.keys() == {id_ for id_, decision in log.items() if decision.choice}
    assert len(bodies) == CUSTOMERS
    assert {len(told) for told in bodies.values()} == {1}, "sent again, it is the same"
    assert census["waiting"] == census["refused"] == 0
    assert before < len(receiver.heard)
