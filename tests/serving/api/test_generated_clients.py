"""Clients that others generate from the description of the API: they compile, and they work."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.node import packages, run
from tests.serving.house import House

TOOLS = Path(__file__).parent / "clients"


@pytest.fixture
def document(house: House, tmp_path: Path) -> Path:
    """The description as a file."""
    written = tmp_path / "openapi.json"
    written.write_bytes(house.anybody().get("/openapi.json").content)
    return written


@pytest.fixture
def generated(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A client in Python, as openapi-python-client writes it."""
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", document, "--meta", "none"]
    ended = subprocess.run(
        [*command, "--output-path", tmp_path / "shop_client"], capture_output=True, text=True, check=True
    )
    told = ended.stdout + ended.stderr
    assert told.count("WARNING") == told.count("Unsupported content type application/yaml") == 1, told
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("shop_client")
    for name in [name for name in sys.modules if name.startswith("shop_client")]:
        del sys.modules[name]


@pytest.fixture
def calling(generated: ModuleType, house: House) -> Iterator[Any]:
    """The generated client, with a key."""
    with generated.AuthenticatedClient(base_url=house.url, token=house.key()) as client:
        yield client


def part(name: str) -> Any:
    return importlib.import_module(f"shop_client.{name}")


def test_a_generated_python_client_decides_sends_and_reads(calling: Any) -> None:
    models = part("models")
    asked = models.DecisionRequest(customer_id="thankful", id="d1")
    made = part("api.decisions.decide").sync(client=calling, body=asked)
    assert isinstance(made, models.DecisionAnswer)
    assert made.choice.action == "thanks/thank_you/email"
    assert part("api.decisions.get_decision").sync("d1", client=calling) == made
    assert part("api.decisions.clear_contact").sync("d1", client=calling).send is True
    released = part("api.decisions.release_contact").sync("d1", client=calling)
    assert (released.status, released.type_) == (409, "urn:tactful:problem:already-sent")
    report = models.OutcomeReport.from_dict({"kind": "opened"})
    assert part("api.decisions.report_outcome").sync("d1", client=calling, body=report).status == "kept"
    many = models.DecisionBatch(decisions=[asked, models.DecisionRequest(customer_id="nobody")])
    answered = part("api.decisions.decide_batch").sync(client=calling, body=many)
    assert [one.status for one in answered.decisions] == [200, 404]
    nobody = part("api.customers.get_customer").sync("nobody", client=calling)
    assert isinstance(nobody, models.Problem)
    message = models.TrackBody.from_dict({"userId": "thankful", "event": "Order Completed", "messageId": "m1"})
    assert part("api.tracking.track").sync(client=calling, body=message).success is True
    calling.with_headers({"Authorization": "Bearer none"})
    refused = part("api.tracking.track").sync(client=calling, body=message)
    assert (refused.status, refused.code, refused.message) == (401, "unauthenticated", refused.detail)


def test_a_generated_python_client_replaces_the_catalogue(calling: Any) -> None:
    text = part("api.catalogue.get_catalogue").sync(client=calling)
    assert text.startswith("\ncatalogue: shop")
    body = part("types").File(payload=text.replace("shop", "corner_shop").encode())
    put = part("api.catalogue.put_catalogue").sync(client=calling, body=body, if_match="*")
    assert put.name == "corner_shop"


def test_generated_typescript_compiles_under_strict_checks(document: Path, tmp_path: Path) -> None:
    installed = packages(TOOLS)
    run("openapi-typescript", str(document), "--output", str(tmp_path / "api.ts"), cwd=installed)
    (tmp_path / "shop.ts").write_bytes((TOOLS / "shop.ts").read_bytes())
    checks = ("--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--noEmit")
    assert run("tsc", *checks, str(tmp_path / "shop.ts"), cwd=installed) == ""


def test_spectral_has_no_warning_that_is_not_intended(document: Path) -> None:
    installed = packages(TOOLS)
    ruleset = str(TOOLS / "spectral.yaml")
    told = run("spectral", "lint", str(document), "--ruleset", ruleset, "--fail-severity", "hint", cwd=installed)
    assert "No results with a severity" in told


def test_operations_have_names_that_can_be_read(document: Path) -> None:
    found = json.loads(document.read_bytes())
    names = [operation["operationId"] for path in found["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    assert {"decide", "decide_batch", "get_decision", "list_decisions", "erase_customer", "track"} <= set(names)
    assert not any("v1" in name for name in names)
    described = {tag["name"] for tag in found["tags"] if tag["description"]}
    assert described >= {
        tag for path in found["paths"].values() for operation in path.values() for tag in operation["tags"]
    }
    assert found["servers"]


def test_the_text_of_the_catalogue_comes_as_plain_text_where_that_is_asked_for(client: httpx.Client) -> None:
    for accepted, wanted in (("*/*", "application/yaml"), ("text/plain", "text/plain; charset=utf-8")):
        answer = client.get("/v1/catalogue", headers={"Accept": accepted})
        assert answer.headers["content-type"] == wanted
