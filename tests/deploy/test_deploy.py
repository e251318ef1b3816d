"""The unit, the image and the guide to both; no engine of containers runs here, so what can be told without one is."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tactful.serving.settings import Settings
from tests.serving.settings_table import GUIDE, in_guide, table

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "tactful.service"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMMAND = "/opt/tactful/bin/tactful"
systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")


def analysed(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


@systemd
def test_the_unit_is_one(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(COMMAND, str(Path(sys.executable).with_name("tactful"))))
    result = analysed("verify", str(copy))
    assert (result.returncode, result.stderr) == (0, "")


@systemd
@pytest.mark.parametrize("name", ["tactful-upkeep.service", "tactful-upkeep.timer"])
def test_the_units_of_upkeep_are_some(tmp_path: Path, name: str) -> None:
    for unit in UNIT.parent.glob("tactful-upkeep.*"):
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace(COMMAND, str(Path(sys.executable).with_name("tactful"))))
    result = analysed("verify", str(tmp_path / name))
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["tactful-upkeep.service", "crontab"])
def test_the_commands_of_upkeep_are_commands(name: str) -> None:
    lines = re.findall(rf"{COMMAND} (.+)", (UNIT.parent / name).read_text())
    assert [line.split()[:2] for line in lines] == [
        ["store", "backup"],
        ["store", "compact"],
        ["store", "check"],
        ["audit", "verify"],
    ]
    golden = UNIT.parents[1] / "tests" / "cli" / "golden"
    assert all((golden / f"tactful-{'-'.join(line.split()[:2])}.txt").exists() for line in lines)


@systemd
def test_the_unit_is_exposed_to_little() -> None:
    result = analysed("security", "--offline=true", "--threshold=15", str(UNIT))
    assert result.returncode == 0, result.stdout


def test_the_unit_waits_longer_than_the_service_takes_to_stop() -> None:
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    grace = Settings.model_fields["grace"].default
    assert int(patience) > grace.total_seconds() + 5


def test_the_image_is_described_without_a_fault() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_image_holds_every_package_pinned_and_runs_as_nobody_in_particular() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = list(wheel["sources"])
    copied = re.findall(r"^COPY (\w+)/ \1/$", DOCKERFILE, re.MULTILINE)
    assert copied == packages
    installed = re.findall(r"install (.+?)(?: \\\\)?$", DOCKERFILE.partition("apt-get")[0], re.MULTILINE)
    assert [line for line in installed if "--require-hashes" not in line] == ["--no-deps /opt/build/wheels/*.whl"]
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${BASE}", "${BASE}"]
    assert re.search(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    (user,) = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert int(user) > 0
    kept = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert kept == {*packages, "tactful", "requirements", "pyproject.toml", "README.md", "LICENSE"}


def test_the_table_of_settings_is_the_one_that_is_generated() -> None:
    assert in_guide(GUIDE.read_text(encoding="utf-8")) == table(), "run python -m tests.serving.settings_table"
