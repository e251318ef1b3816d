"""The command, run as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tactful(*arguments: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Runs `tactful` in a folder, its output no terminal and a hundred columns wide."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("TACTFUL_")}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=folder,
        env={**settings, "COLUMNS": "100", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
