"""One run of the demo, as a stranger runs it, for every test that looks at what it printed or left behind."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import tactful


@dataclass(frozen=True)
class Demo:
    folder: Path
    transcript: str
    report: dict[str, Any]
    page: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "out"
    result = tactful("demo", "--out", str(folder))
    assert (result.returncode, result.stderr) == (0, "")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return Demo(folder, result.stdout, report, (folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def clone(demo: Demo, tmp_path_factory) -> Path:
    """A folder where `make demo` has run: `var/demo` is what the demo left."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "var").mkdir()
    (folder / "var" / "demo").symlink_to(demo.folder)
    return folder


@pytest.fixture(scope="session")
def told(clone: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command where `make demo` has run."""
    return lambda *arguments: tactful(*arguments, folder=clone)
