"""The guide to sending events says what the service does."""

import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from tactful.features.ids import PLACEHOLDER_IDS, folded
from tactful.serving.engine.service import DecisionService
from tactful.serving.ingestion.messages.names import AMOUNT, STANDARD, Meaning
from tactful.serving.ingestion.messages.traits import OWN
from tactful.serving.ingestion.rules import Rules, load_rules
from tactful.serving.ingestion.statuses import MessageStatus
from tactful.serving.process.server import running
from tactful.serving.signing.webhooks import Webhook
from tactful.serving.store.port import History, Profile
from tests.patience import PATIENCE
from tests.serving.receiver import SECRET
from tests.serving.shop import NOW

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/how-to/ingestion.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


@pytest.fixture
def url(service: DecisionService) -> Iterator[str]:
    service.store.load(service.tenant, History("UTC", NOW, [Profile("7")]))
    service.decide("7", "demo-7")
    with running(service) as url:
        yield url


def test_the_python_shown_runs(url: str) -> None:
    printed = StringIO()
    with redirect_stdout(printed):
        for block in blocks("python"):
            exec(compile(block.replace(ADDRESS, url), "ingestion.md", "exec"), {})
    assert printed.getvalue() == "".join(blocks("text"))


def test_the_calls_shown_are_taken(url: str) -> None:
    calls = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    assert {line.split("/v1/")[1].split()[0] for line in calls} == {
        *("track", "identify", "page", "screen", "group", "alias", "batch")
    }
    for call in calls:
        _, _, user, address, _, header, _, body = shlex.split(call)
        name, _, value = header.partition(": ")
        told = httpx.post(
            address.replace(ADDRESS, url),
            content=body,
            headers={name: value},
            auth=(user.removesuffix(":"), ""),
            timeout=PATIENCE,
        )
        assert told.json() == {"success": True}


def test_the_signature_check_shown_takes_ours_and_no_other() -> None:
    shown: dict[str, Any] = {}
    exec(compile(blocks("python")[-1], "ingestion.md", "exec"), shown)
    now = int(time.time())
    headers = Webhook.of("https://sender.example/", SECRET).headers("e-1", now, b"{}")
    assert shown["is_ours"](headers, b"{}")
    assert not shown["is_ours"](headers, b"{ }")
    assert not shown["is_ours"]({**headers, "webhook-id": "e-2"}, b"{}")
    old = Webhook.of("https://sender.example/", SECRET).headers("e-1", now - 400, b"{}")
    assert not shown["is_ours"](old, b"{}")


def test_every_fate_is_told_as_it_is() -> None:
    for fate in MessageStatus:
        assert f"| `{fate.value}` | {fate.meaning} | {'yes ' if fate.refused else ''}|" in GUIDE


def test_every_name_is_told_as_it_is() -> None:
    told = re.findall(r"^\| ([A-Z][A-Za-z ]+) \| `(\w+)` \|(.*)\|(.*)\|(.*)\|$", GUIDE, flags=re.MULTILINE)
    assert [(name, *map(str.strip, rest)) for name, *rest in told] == [
        (name, meaning.type, meaning.channel, listed(meaning.quantity), listed(meaning.subject))
        for name, meaning in STANDARD.items()
    ]
    assert {meaning.amount for meaning in STANDARD.values()} == {AMOUNT} == {Meaning(type="view").amount}
    assert listed(AMOUNT) in GUIDE


def listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def test_the_rules_shown_are_rules(tmp_path: Path) -> None:
    (block,) = blocks("yaml")
    file = tmp_path / "tracking.yaml"
    file.write_text(block)
    rules = load_rules(file)
    assert set(rules.model_fields_set) == set(Rules.model_fields)
    assert [name for name in OWN if f"| `{name}` |" not in GUIDE] == []


def test_every_placeholder_is_told() -> None:
    section = GUIDE.split("\n## Ids\n")[1].split("\n## ")[0]
    assert {folded(word) for word in re.findall(r"`([^`]+)`", section)} >= set(PLACEHOLDER_IDS)


def test_the_message_shown_has_the_shape_of_messages() -> None:
    (block,) = blocks("json")
    assert set(json.loads(block)) == {"type", "timestamp", "tenant", "data"}


def test_the_tests_that_are_named_exist() -> None:
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", GUIDE))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []
