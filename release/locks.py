"""Locks the packages: versions in `constraints.txt`, the hashes of every file of those versions in `requirements/`.

Run `make lock` after a change of dependencies in `pyproject.toml`. Versions that still fit stay.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
FOLDER = ROOT / "requirements"
LAYERS = ("serve", "train", "demo", "dev")
"""What is installed for each purpose: each file includes the one before it, and adds an extra of that name."""
APART = ("docs", "security")
"""Groups of tools that have an environment of their own, since they may want other versions than the rest."""
UV = str(Path(sys.executable).with_name("uv"))


def main() -> None:
    """Writes every lock."""
    _compile("pyproject.toml", "--extra", "dev", "--group", "build", "--output-file", str(CONSTRAINTS))
    fixed = ("--generate-hashes", "--constraints", str(CONSTRAINTS))
    known: set[str] = set()
    for name, before in zip(LAYERS, ("", *LAYERS), strict=False):
        extra = ("--extra", name) if before else ()
        packages = _packages(_compile("pyproject.toml", *extra, *fixed))
        included = f"-r {before}.txt\n" if before else ""
        _write(name, included + "".join(package for package in packages if package not in known))
        known.update(packages)
    _write("build", _compile("--group", "build", *fixed))
    for name in APART:
        _compile("--group", name, "--generate-hashes", "--output-file", str(FOLDER / f"{name}.txt"))


def _compile(*arguments: str) -> str:
    """Resolves for every platform at once, for packages that can be installed without running code of theirs."""
    command = [UV, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--only-binary", ":all:"]
    told = subprocess.run(  # noqa: S603 - our own command
        [*command, "--no-annotate", "--no-header", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return told.stdout


def _packages(lock: str) -> list[str]:
    """The lines of each package: its version, then its hashes."""
    return re.findall(r"^\S.*\n(?:[ ].*\n)*", lock, re.MULTILINE)


def _write(name: str, lock: str) -> None:
    (FOLDER / f"{name}.txt").write_text(lock, encoding="utf-8")


if __name__ == "__main__":
    main()
