"""The command, run as a user runs it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tactful.cli.main")


def tactful(*arguments: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Runs `tactful` in a folder, its output no terminal and a hundred columns wide."""
    return shell(shlex.join(["tactful", *arguments]), folder)


def shell(line: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Runs a line that a guide tells its reader to type."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("TACTFUL_")}
    name, _, rest = line.partition(" ")
    return subprocess.run(
        f"{shlex.join(COMMAND)} {rest}" if name == "tactful" else line,
        shell=True,
        cwd=folder,
        env={**settings, "COLUMNS": "100", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
