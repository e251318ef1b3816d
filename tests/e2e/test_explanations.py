"""Decisions of the demo looked at again from the command line, as a marketer, an analyst or a developer would."""

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tactful.features.definitions.standard import STANDARD
from tactful.models.base.calibration import Platt
from tactful.models.bundles.bundle import export, load
from tests.e2e.command import ROOT, shell, tactful

pytestmark = pytest.mark.timeout(900)

GUIDE = (ROOT / "docs" / "how-to" / "explanations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
SILENT = "demo-1"
"""A household that gets nothing: mailed twice, and no consent to e-mail."""


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def answer(result: "subprocess.CompletedProcess[str]", code: int = 0) -> dict:
    assert (result.returncode, result.stderr) == (code, "")
    return json.loads(result.stdout)


def dump(data: Path) -> str:
    """A digest of everything in the store."""
    with closing(sqlite3.connect(f"file:{data / 'tactful.db'}?mode=ro", uri=True)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


@pytest.fixture
def copy(demo, tmp_path) -> Path:
    """A folder with what replays need, that a test may change."""
    folder = tmp_path / "copy"
    shutil.copytree(demo.folder / "champion", folder / "champion")
    for name in ("catalogue.yaml", "tactful.env"):
        shutil.copy(demo.folder / name, folder)
    with (
        closing(sqlite3.connect(demo.folder / "tactful.db")) as store,
        closing(sqlite3.connect(folder / "tactful.db")) as to,
    ):
        store.backup(to)
    return folder


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0].removeprefix("$ "))
def test_the_guide_shows_what_the_commands_print(clone, block):
    printed = []
    for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        result = shell(line, clone)
        assert result.stderr == ""
        printed += [f"$ {line}", *lines(result.stdout)]
    assert printed == lines(block)


@pytest.mark.parametrize("silent", [False, True], ids=["message", "silence"])
def test_a_decision_of_the_demo_is_explained_and_replayed(demo, told, silent):
    known = next(example for example in demo.report["examples"] if (example["choice"] is None) == silent)
    found = answer(told("explain", known["id"], "--json"))
    losers = {candidate["action"] for candidate in found["candidates"]} - {found["choice"]}
    assert found["explanation"] == known["explanation"]
    assert found["remedies"].keys() == losers
    replayed = answer(told("replay", known["id"], "--json"))
    assert replayed == {"identical": True, "place": "", "recorded": None, "replayed": None, "cause": ""}


def test_a_remedy_that_is_a_contact_policy_does_what_it_says(told):
    remedies = answer(told("explain", SILENT, "--json"))["remedies"]["offer_expiry/coupons_unused/mail"]
    (cap,) = (remedy for remedy in remedies if remedy["kind"] == "cap")
    assert (cap["subject"], cap["current"], cap["needed"]) == ("mail_budget", 2, 3)
    found = answer(told("what-if", SILENT, "--without", "mail_budget", "--json"))
    assert (found["before"]["choice"], found["after"]["choice"]) == ("silence", "offer_expiry/coupons_unused/mail")


def test_looking_writes_nothing(demo, told):
    before = dump(demo.folder)
    suppose = ("--without", "mail_budget", "--score", "lapse=0.9", "--at", "2017-12-21T15:00")
    for arguments in (("explain", SILENT), ("replay", SILENT), ("what-if", SILENT, *suppose)):
        assert told(*arguments).returncode == 0
    assert dump(demo.folder) == before


def test_a_replay_keeps_to_the_catalogue_it_was_decided_with(copy):
    catalogue = copy / "catalogue.yaml"
    catalogue.write_text(catalogue.read_text().replace("{cost: 0.01,", "{cost: 0.5,"))
    assert tactful("replay", "demo-93", "--data", str(copy)).stdout == "demo-93: identical, byte for byte\n"


def test_a_replay_names_a_changed_catalogue(copy):
    with closing(sqlite3.connect(copy / "tactful.db")) as connection, connection:
        connection.execute("UPDATE catalogues SET content = replace(content, '\"cost\": 0.01', '\"cost\": 0.5')")
    found = answer(tactful("replay", "demo-93", "--data", str(copy), "--json"), code=1)
    assert (found["cause"], found["recorded"], found["replayed"]) == ("catalogue", 0.01, 0.5)
    assert re.fullmatch(r"candidates\.\d+\.factors\.cost", found["place"])


def test_a_replay_names_a_changed_champion(copy):
    models = dict(load(copy / "champion", fingerprint=STANDARD.fingerprint).models)
    models["lapse"] = replace(models["lapse"], calibration=Platt(slope=1.0, intercept=0.5))
    export(copy / "champion", models, STANDARD)
    result = tactful("replay", "demo-93", "--data", str(copy))
    assert (result.returncode, result.stderr) == (1, "")
    assert re.fullmatch(r"demo-93: differs at \S+: recorded .+, now .+ \(cause: bundle\)\n", result.stdout)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("explain", "demo-0"), "unknown decision: got 'demo-0'; wanted the id of a decision made before"),
        (("what-if", "demo-93", "--score", "lapse"), "not an assignment: got 'lapse'; wanted NAME=NUMBER"),
        (("catalogue", "preview", "try_us_again", "--customer", "0"), "unknown customer: got '0'; wanted "),
        (("catalogue", "sensitivity", "--decisions", "elsewhere"), "no such folder: got 'elsewhere'; wanted "),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_is_unknown_is_one_line_and_exit_code_2(told, arguments, complaint):
    result = told(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {complaint}")
    assert len(result.stderr.splitlines()) == 1


def test_a_dearer_contact_is_told_by_a_diff(demo, told, tmp_path):
    old, new = demo.folder / "catalogue.yaml", tmp_path / "dearer.yaml"
    new.write_text(old.read_text().replace("mail: {cost: 0.55}", "mail: {cost: 50}"))
    found = answer(told("catalogue", "diff", str(old), str(new), "--json"))
    assert found["decisions"] == demo.report["decisions"]["customers"] + len(demo.report["examples"])
    assert found["starving"]
    assert all(action.endswith("/mail") for action in found["starving"])
    assert found["contacts"]["low"] <= found["contacts"]["mean"] <= found["contacts"]["high"] < 0
    unchanged = told("catalogue", "diff", str(old), str(old)).stdout
    assert f"**0 of {found['decisions']:,} decisions change**" in unchanged


def test_sensitivity_as_json(told):
    found = answer(told("catalogue", "sensitivity", "--json"))
    assert found["decisions"] > 0
    assert all(0 <= share <= 1 for share in found["changed"].values())
