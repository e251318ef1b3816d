"""A new shop goes live by the commands of the guide, one after another."""

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from tests.e2e.command import ROOT, shell
from tests.patience import PATIENCE
from tests.training.shops import rows

GUIDE = ROOT / "docs" / "tutorials" / "go-live.md"
ADDRESS = "http://127.0.0.1:8080"
LEAVER, BUYER, TWIN = "c0", "c1", "c2"
"""The twin has the history of the leaver: what differs between decisions about the two is what the models learnt."""
DAYS = 400


def orders(customers: int = 1000) -> pd.DataFrame:
    """Orders of customers who buy at a rate of their own until they leave; the first left long ago."""
    generator = np.random.default_rng(1)
    parts = []
    for number in range(customers):
        rate, leaves = generator.gamma(2, 0.06), generator.exponential(2.5 * DAYS)
        bought = np.cumsum(generator.exponential(1 / rate, int(3 * rate * DAYS) + 5))
        parts.append(rows(f"c{number}", "purchase", bought[bought < min(leaves, DAYS)]))
    parts[1] = rows(BUYER, "purchase", np.arange(10.0, 180.0, 7))
    parts[0], parts[2] = (rows(who, "purchase", np.arange(10.0, 200.0, 7)) for who in (LEAVER, TWIN))
    found = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(
        {
            "order_id": found["event_id"],
            "customer_id": found["customer_id"],
            "ordered_at": found["time"].map(pd.Timestamp.isoformat),
            "total": found["amount"],
            "items": 1,
            "department": "kitchen",
            "status": "paid",
        }
    )


class Shop:
    """A folder in which the lines of the guide are carried out."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self.folder = folder
        self.key = ""
        self.codes: dict[str, int] = {}
        self.answers: list[Any] = []
        self._held = held
        self._url = ""

    def type(self, line: str) -> None:
        if line.startswith("KEY="):
            self.key = shell(line.removeprefix("KEY=$(").removesuffix(")"), self.folder).stdout.strip()
        elif line.startswith("tactful serve"):
            self._url = self._held.enter_context(served(self.folder / "shop"))
        elif line.startswith("curl"):
            self.answers.append(self.curl(line))
        else:
            pointer, before = self._pointer(), self._bundle()
            done = shell(line, self.folder)
            self.codes[line] = done.returncode
            assert done.returncode == 0 or (done.returncode == 1 and "Traceback" not in done.stderr), done.stderr
            if self._pointer() != pointer:
                self._wait_for_another(before)

    def _pointer(self) -> str:
        """What names the bundle in use."""
        file = self.folder / "shop" / "champion"
        return file.read_text() if file.exists() else ""

    def _bundle(self) -> str:
        """The bundle that the service decides with; empty where nothing serves yet."""
        if not self._url:
            return ""
        answer = httpx.get(f"{self._url}/health", headers={"Authorization": f"Bearer {self.key}"}, timeout=PATIENCE)
        return str(answer.raise_for_status().json()["bundle"]["version"])

    def _wait_for_another(self, bundle: str) -> None:
        """The service tries a new bundle before it takes it; whoever types is slower than that."""
        end = time.monotonic() + PATIENCE
        while self._url and self._bundle() == bundle:
            assert time.monotonic() < end, f"the service stays with {bundle}"

    def curl(self, line: str) -> Any:
        words = iter(shlex.split(line.replace("$KEY", self.key))[2:])
        url, headers, body = next(words), {}, None
        for option, value in zip(words, words, strict=True):
            if option == "-H":
                headers |= [value.split(": ", 1)]
            else:
                body = value
        method = "GET" if body is None else "POST"
        answer = httpx.request(method, url.replace(ADDRESS, self._url), headers=headers, content=body, timeout=PATIENCE)
        assert answer.is_success, answer.text
        return answer.json()

    def send(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Sends messages to the service as a client does, in batches."""
        headers = {"Authorization": f"Bearer {self.key}"}
        for start in range(0, len(messages), 1000):
            body = {"batch": messages[start : start + 1000]}
            answer = httpx.post(f"{self._url}/v1/batch", json=body, headers=headers, timeout=PATIENCE)
            assert answer.json() == {"success": True}, answer.text


def returns(customers: int = 1000) -> list[dict[str, Any]]:
    """Live orders of all other customers, every six days of the last 150: after them, hardly anybody stays away."""
    first = pd.Timestamp("2024-01-01", tz="UTC")
    return [
        {
            "type": "track",
            "messageId": f"back-{number}-{day}",
            "userId": f"c{number}",
            "event": "Order Completed",
            "timestamp": (first + pd.Timedelta(days=day + number % 6)).isoformat(),
            "properties": {"order_id": f"B-{number}-{day}", "revenue": 30.0},
        }
        for number in range(3, customers)
        for day in range(DAYS - 150, DAYS - 6, 6)
    ]


@contextmanager
def served(data: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "tactful.cli.main", "serve", "--port", "0", "--data", str(data)]
    with (
        (data / "serve.log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            yield next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        finally:
            process.terminate()
            process.wait(60)


def sections() -> Mapping[str, list[str]]:
    """The lines that the guide tells its reader to type, by the number of their section."""
    parts = re.split(
        r"^## (\d)\. ", GUIDE.read_text(encoding="utf-8").partition("## From SQLite")[0], flags=re.MULTILINE
    )
    return {
        number: re.findall(r"^\$ (.+)$", part, flags=re.MULTILINE)
        for number, part in zip(parts[1::2], parts[2::2], strict=True)
    }


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    orders().to_csv(tmp_path / "orders.csv", index=False)
    known = {"customer_id": [LEAVER, BUYER, TWIN], "first_name": ["Ada", "Ben", "Cleo"]}
    names = pd.DataFrame({**known, "consent_email": True})
    names.to_csv(tmp_path / "customers.csv", index=False)
    with ExitStack() as held:
        yield Shop(tmp_path, held)


def set_status(shop: Shop) -> None:
    """Takes chance and the time of day out of the shop: noon after the last order, and no exploration."""
    with (shop.folder / "shop" / "tactful.env").open("a") as settings:
        settings.write("TACTFUL_NOW=2025-02-05T11:00:00Z\n")
    catalogue = shop.folder / "shop" / "catalogue.yaml"
    text = catalogue.read_text()
    text = text.replace("{holdout: 0.05, uniform: 0.05}", "{holdout: 0, uniform: 0}")
    catalogue.write_text(text.replace("{kind: inverse_gap, gamma: 20}", "{kind: greedy}"))


def decided(answer: Any) -> str | None:
    return answer["choice"] and answer["choice"]["message"]


def test_a_shop_goes_live_by_commands_alone(shop: Shop) -> None:
    lines = sections()
    assert list(lines) == list("1234567")
    for line in lines["1"]:
        shop.type(line)
    set_status(shop)
    for number in "23":
        for line in lines[number]:
            shop.type(line)
    ready, before = shop.answers
    assert (ready["status"], ready["bundle"]["version"]) == ("ready", "none")
    assert ready["remarks"][0].startswith("no models yet")
    assert decided(before) is None
    for number in "45":
        for line in lines[number]:
            shop.type(line)
    *_, tracked, after, outcome = shop.answers
    assert tracked["success"] is True
    assert decided(after) == "we_miss_you"
    assert after["choice"]["body"].startswith("Hello Ada,")
    assert after["versions"]["bundle"] != "none"
    assert outcome
    learnt = trained(shop)
    shop.send(returns())
    for line in lines["6"]:
        shop.type(line)
    (retrain,) = lines["7"]
    shop.type(retrain)
    assert trained(shop) == learnt + 1
    assert shop.codes[retrain] == 1
    shop.type(f"{retrain} --anyway 'four weeks of decisions are not there yet'")
    changed = shop.curl(decision(TWIN, "retrained"))
    assert changed["versions"]["bundle"] != after["versions"]["bundle"]
    assert decided(changed) is None
    assert shop.codes["tactful catalogue put shop/catalogue.yaml --data shop"] == 0
    assert {code for line, code in shop.codes.items() if " train " not in line and " retrain " not in line} == {0}
    again = shop.curl(decision(BUYER, "again"))
    assert decided(again) is None


def decision(customer: str, id_: str) -> str:
    told = json.dumps({"customer_id": customer, "id": id_})
    headers = '-H "Authorization: Bearer $KEY" -H "Content-Type: application/json"'
    return f"curl -s {ADDRESS}/v1/decisions {headers} -d '{told}'"


def trained(shop: Shop) -> int:
    """How many versions of the lapse model were registered."""
    from tactful.models.bundles.registry import MlflowRegistry

    registry = MlflowRegistry(shop.folder / "shop" / "mlflow")
    return len(registry.versions("lapse"))
