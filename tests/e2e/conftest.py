"""One run of the demo, as a stranger runs it, for every test that looks at what it printed or left behind."""

import fcntl
import json
import os
import shutil
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
    """A copy of what the run left, for this process alone; the transcript names the copy's files."""
    base = tmp_path_factory.getbasetemp()
    run = run_once((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo-run")
    folder = tmp_path_factory.mktemp("demo") / "out"
    shutil.copytree(run / "out", folder, symlinks=True)
    transcript = (run / "transcript").read_text(encoding="utf-8").replace(str(run / "out"), str(folder))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return Demo(folder, transcript, report, (folder / "report.html").read_text(encoding="utf-8"))


def run_once(run: Path) -> Path:
    """Runs the demo into a folder unless another process of this session has: the first runs it, the others wait."""
    run.mkdir(exist_ok=True)
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "transcript").exists():
            result = tactful("demo", "--out", str(run / "out"))
            assert (result.returncode, result.stderr) == (0, "")
            (run / "transcript").write_text(result.stdout, encoding="utf-8")
    return run


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
