"""The rooms are all there, all under contract, and imported from this repository."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = sorted(path.name for path in (ROOT / "tactful").iterdir() if path.is_symlink())
NOT_ROOMS = {"benchmarks", "release", "tactful", "tests"}


def test_every_top_level_package_is_a_room_under_contract() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_ROOMS
    (layers,) = (c["layers"] for c in CONFIGURATION["tool"]["importlinter"]["contracts"] if c["name"] == "rooms")
    layered = {name.strip() for layer in layers for name in layer.split("|")}
    assert packages == set(ROOMS) == layered


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_imported_from_this_repository(room: str) -> None:
    file = importlib.import_module(f"tactful.{room}").__file__
    assert file is not None
    assert Path(file).resolve().parent.parent == ROOT


def test_no_code_imports_a_room_by_its_top_level_name() -> None:
    """A module under two names is two modules, whose classes differ."""
    short = re.compile(rf"^\s*(?:>>> )?(?:from|import) ({'|'.join(ROOMS)})\b", re.MULTILINE)
    files = [file for suffix in ("py", "md") for file in ROOT.glob(f"*/**/*.{suffix}") if file.parts[-2] != "var"]
    tracked = subprocess.run(["git", "ls-files"], check=True, cwd=ROOT, capture_output=True, text=True).stdout.split()
    ours = [file for file in files if str(file.relative_to(ROOT)) in set(tracked)]
    assert len(ours) > 500
    assert [str(file) for file in ours if short.search(file.read_text(encoding="utf-8"))] == []


def test_commands_open_a_services_folder_in_one_way() -> None:
    """The URL that `store copy` takes is no folder."""
    others = re.compile(r"\b(?:open_store|open_service|open_tenants)\(")
    files = [file for folder in ("commands", "wiring") for file in sorted((ROOT / "cli" / folder).rglob("*.py"))]
    assert [file.name for file in files if others.search(file.read_text(encoding="utf-8"))] == ["copying.py"]


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_a_service_never_loads_mlflow_and_tells_openmp_to_wait() -> None:
    program = (
        "import os, sys; import tactful.serving.bootstrap; "
        "assert 'lightgbm' in sys.modules and 'mlflow' not in sys.modules; "
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'"
    )
    environment = {"PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env=environment)


def test_the_index_lists_every_decision_about_the_architecture() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")}
    assert set(re.findall(r"\]\((0[^)]+)\)", index)) == files


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_places_that_a_document_names_are_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    places = re.findall(rf"`((?:{'|'.join([*ROOMS, 'tests', 'docs'])})/[\w./]*)`", text)
    assert len(places) > 5
    assert [place for place in places if not (ROOT / place).exists()] == []
