"""One tenant's key neither sees nor touches another's data, whatever route it tries.

Two tenants have customers and decisions of the same names. Each route is tried by the second with the first one's ids:
no word of the first's is told, and nothing of the first's has changed. Then the first tries the same itself, which must
tell or change something: so no case is empty. The routes come from the application, so a new one wants a case here.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tactful.serving.api.app import scopes
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile
from tactful.serving.store.queries import refused
from tactful.serving.store.queries.refused import Refused
from tests.serving.house import House, open_house
from tests.serving.shop import ALLOWED, CATALOGUE, NOW

MINE = "mine-7"
SECRETS = ("Zerlina", "d-unsaid", "secret_shop")
"""Words of the first tenant's that no request bears."""
EVENT = {"userId": MINE, "messageId": "m-1", "timestamp": NOW.isoformat()}
TRACKED = {
    "track": {**EVENT, "event": "Order Completed", "properties": {"total": 70}},
    "identify": {**EVENT, "traits": {"first_name": "Mallory"}},
    "page": {**EVENT, "name": "Home"},
    "screen": {**EVENT, "name": "Home"},
    "group": {**EVENT, "groupId": "g1", "traits": {"plan": "gold"}},
    "alias": {"messageId": "m-1", "previousId": MINE, "userId": "mallory", "timestamp": NOW.isoformat()},
}
YAML = {"Content-Type": "application/yaml", "If-Match": "*"}

Case = dict[str, Any]
CASES: dict[tuple[str, str], Case] = {
    ("GET", "/health"): {},
    ("GET", "/metrics"): {},
    ("GET", "/v1/catalogue"): {},
    ("GET", "/v1/events/refused"): {},
    ("GET", "/v1/programmes"): {},
    ("GET", "/v1/decisions"): {"params": {"customer_id": MINE}},
    ("GET", "/v1/decisions/{decision_id}"): {},
    ("GET", "/v1/customers/{customer_id}"): {},
    ("GET", "/v1/customers/{customer_id}/export"): {},
    ("POST", "/v1/what-if"): {"json": {"decision_id": "d-mine"}},
    ("POST", "/v1/decisions"): {"json": {"customer_id": MINE, "id": "d-new"}},
    ("POST", "/v1/decisions/batch"): {"json": {"decisions": [{"customer_id": MINE, "id": "d-newer"}]}},
    **{("POST", f"/v1/{call}"): {"json": {**body, "messageId": call}} for call, body in TRACKED.items()},
    ("POST", "/v1/batch"): {"json": {"batch": [{**TRACKED["track"], "type": "track", "messageId": "m-2"}]}},
    ("GET", "/v1/merges"): {},
    ("GET", "/v1/audit"): {},
    ("POST", "/v1/customers/{customer_id}/unmerge"): {},
    ("POST", "/v1/decisions/{decision_id}/outcome"): {"json": {"kind": "clicked", "time": NOW.isoformat()}},
    ("POST", "/v1/decisions/{decision_id}/release"): {"decision_id": "d-unsaid"},
    ("POST", "/v1/decisions/{decision_id}/clearance"): {},
    ("PUT", "/v1/catalogue"): {"content": CATALOGUE, "headers": YAML},
    ("DELETE", "/v1/customers/{customer_id}"): {},
}
ELSEWHERE = {
    *(("GET", path) for path in ("/v1/projects/{write_key}/settings", "/sourceConfig")),
    *(("POST", path) for path in ("/v1/content", "/v1/content/{decision_id}/outcome")),
}
"""Routes that say the same about every tenant, and those for tokens of a tenant, which `test_content` tries."""


@pytest.fixture(scope="module")
def shared(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Both tenants at home; the first has a customer, two decisions and a catalogue of its own."""
    folder = tmp_path_factory.mktemp("tenancy") / "shop"
    shutil.copytree(furnished, folder)
    with open_house(Settings.of(folder)) as house:
        profile = Profile(
            MINE, attributes={"first_name": "Zerlina", "birthday": "1990-05-06"}, consents=ALLOWED, joined=NOW
        )
        house.tenants.store.load("default", History("UTC", NOW, [profile]))
        alike = Refused("unmapped", "track Zerlina Pressed", "", "")
        refused.add(house.tenants.store.database, "default", {alike: 1}, NOW)
        yield house


def attempt(client: httpx.Client, route: tuple[str, str]) -> httpx.Response:
    method, path = route
    given = {"customer_id": MINE, "decision_id": "d-mine", **CASES[route]}
    ids = {name: given.pop(name) for name in ("customer_id", "decision_id")}
    return client.request(method, path.format(**ids), **given)


def state(owner: httpx.Client) -> list[bytes]:
    """All that the first tenant can see."""
    paths = (
        f"/v1/customers/{MINE}",
        f"/v1/customers/{MINE}/export",
        "/v1/decisions",
        "/v1/decisions/d-mine",
        "/v1/decisions/d-unsaid",
        "/v1/catalogue",
        "/v1/programmes",
    )
    return [owner.get(path).content for path in paths]


def test_every_route_has_a_case() -> None:
    assert CASES.keys() == scopes().keys() - ELSEWHERE


def test_no_route_tells_or_changes_what_is_anothers(shared: House) -> None:
    owner, stranger = shared.client(), shared.client(tenant="other")
    named = CATALOGUE.replace("catalogue: shop", "catalogue: secret_shop")
    named = named.replace("attributes:\n", "attributes:\n  group_plan: {type: string}\n")
    assert owner.put("/v1/catalogue", content=named, headers=YAML).status_code == 200
    for decision in ("d-mine", "d-unsaid"):
        told = owner.post("/v1/decisions", json={"customer_id": MINE, "id": decision}).json()
        assert told["choice"] is not None or decision == "d-unsaid", told
    before = state(owner)
    assert all(secret.encode() in b"".join(before) for secret in SECRETS)
    for route in CASES:
        answer = attempt(stranger, route)
        assert answer.status_code < 500, (route, answer.text)
        sent = str(CASES[route])
        told = [secret for secret in SECRETS if secret in answer.text and secret not in sent]
        assert (route, told) == (route, [])
        assert state(owner) == before, route

    for route in CASES:
        theirs = attempt(stranger, route)
        before = state(owner)
        ours = attempt(owner, route)
        assert ours.content != theirs.content or state(owner) != before, route
