"""What is installed is what was locked: one version of each package, and hashes of its files."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
WANTED = {
    "serve": PROJECT["project"]["dependencies"],
    "train": EXTRAS["train"],
    "demo": EXTRAS["demo"],
    "dev": EXTRAS["dev"],
    "build": [*GROUPS["build"], *PROJECT["build-system"]["requires"]],
    "docs": GROUPS["docs"],
    "security": GROUPS["security"],
}
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")


def locked(name: str) -> str:
    """The text of a lock, with that of the locks it includes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return "".join(locked(included) for included in re.findall(r"^-r (\w+)\.txt$", text, re.MULTILINE)) + text


def versions(text: str) -> dict[str, set[str]]:
    """The versions of each package; more than one where versions of Python or platforms differ."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def test_each_lock_is_tested() -> None:
    assert {path.stem for path in (ROOT / "requirements").iterdir()} == set(WANTED)


def test_the_hashes_are_of_the_versions_that_the_constraints_say() -> None:
    assert versions(locked("dev") + locked("build")) == versions(CONSTRAINTS)


@pytest.mark.parametrize("name", WANTED)
def test_every_package_is_pinned_with_hashes_and_nothing_says_where_from(name: str) -> None:
    text = locked(name)
    packages = re.findall(r"^\w.*\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^\w", text, re.MULTILINE)) > 0
    assert "://" not in text + CONSTRAINTS


@pytest.mark.parametrize("name", WANTED)
def test_the_locks_are_as_new_as_what_the_project_asks_for(name: str) -> None:
    held = versions(locked(name))
    asked = [Requirement(line) for line in WANTED[name] if not line.startswith("tactful[")]
    unmet = [str(one) for one in asked if not _met(one, held.get(canonicalize_name(one.name), set()))]
    assert unmet == [], "run make lock"


def _met(asked: Requirement, held: set[str]) -> bool:
    return bool(held) and all(asked.specifier.contains(version) for version in held)
