"""Commands load what they need and no more, and say which extra to install where a package is missing."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from typer.main import get_command

from tactful.cli.main import EXTRAS, app, load
from tests.e2e.command import ROOT

HEAVY = ("lightgbm", "mlflow", "pandas", "numba", "sklearn", "scipy", "matplotlib", "duckdb", "pyarrow")
RUN = """
import json, sys
from tactful.cli.main import main

def run(*arguments):
    sys.argv = ["tactful", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0
"""
MISSING = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


def python(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program in a process of its own, where nothing is imported yet."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )


def paths(command: click.Command, *names: str) -> Iterator[list[str]]:
    """The names that lead to a command, and to each command in it."""
    yield list(names)
    for name, inner in getattr(command, "commands", {}).items():
        yield from paths(inner if names else load(name), *names, name)


def test_the_help_of_no_command_loads_a_library_of_models() -> None:
    commands = [[*path, "--help"] for path in paths(get_command(app))]
    assert ["train", "churn", "--help"] in commands
    told = f"""
found = {{}}
for one in {commands!r}:
    code, loaded = run(*one), [n for n in {HEAVY!r} if n in sys.modules]
    if code or loaded:
        found[" ".join(one)] = [code, loaded]
"""
    result = python(f"{RUN}{told}print(json.dumps(found))")
    assert json.loads(result.stdout.splitlines()[-1]) == {}, result.stderr


def test_commands_that_need_no_model_load_no_library_of_models(tmp_path: Path) -> None:
    catalogue = str(tmp_path / "shop" / "catalogue.yaml")
    commands = [
        ["init", str(tmp_path / "shop")],
        ["catalogue", "check", catalogue, "--data", str(tmp_path / "shop")],
        ["catalogue", "get", "--data", str(tmp_path / "shop")],
        ["catalogue", "put", catalogue, "--data", str(tmp_path / "shop")],
        ["catalogue", "history", "--data", str(tmp_path / "shop")],
        ["catalogue", "schema"],
        ["features"],
        ["events", "refused", "--data", str(tmp_path / "shop")],
        ["customers", "merges", "--data", str(tmp_path / "shop")],
        ["customers", "erase", "ada", "--data", str(tmp_path / "shop")],
        ["retrain", "--data", str(tmp_path / "shop"), "--schedule", "cron"],
        ["keys", "create", "site", "--scope", "decide", "--data", str(tmp_path / "shop")],
        ["keys", "list", "--data", str(tmp_path / "shop")],
        ["store", "migrate", "--data", str(tmp_path / "shop")],
        ["store", "check", "--data", str(tmp_path / "shop")],
        ["store", "backup", str(tmp_path / "copy.zip"), "--data", str(tmp_path / "shop")],
        ["store", "copy", str(tmp_path / "shop"), f"sqlite:///{tmp_path / 'other.db'}"],
    ]
    told = f"codes = [run(*one) for one in {commands!r}]\nloaded = [n for n in {HEAVY!r} if n in sys.modules]\n"
    result = python(f"{RUN}{told}print(json.dumps([codes, loaded]))")
    assert json.loads(result.stdout.splitlines()[-1]) == [[0] * len(commands), []], result.stderr


def test_the_help_of_every_command_loads_no_library_of_models() -> None:
    told = f"""
from typer.main import get_command
from tactful.cli.main import COMMANDS, app, load

def pages(command, path):
    yield [*path, "--help"]
    for name, inner in getattr(command, "commands", {{}}).items():
        yield from pages(inner, [*path, name])

commands = [page for name in COMMANDS for page in pages(load(name), [name])]
codes = {{" ".join(one): run(*one) for one in commands}}
loaded = [n for n in {HEAVY!r} if n in sys.modules]
"""
    result = python(f"{RUN}{told}print(json.dumps([codes, loaded]))")
    codes, loaded = json.loads(result.stdout.splitlines()[-1])
    assert {"train churn --help", "events import --help", "retrain --help", "catalogue put --help"} <= codes.keys()
    assert set(codes.values()) == {0}
    assert loaded == []


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["train", "churn", "--events", "nowhere"], "train"),
        (["retrain", "--data", "nowhere"], "train"),
        (["promote", "nowhere"], "train"),
        (["demo", "--out", "{folder}"], "demo"),
    ],
)
def test_a_command_of_an_extra_says_what_to_install(tmp_path: Path, arguments: list[str], extra: str) -> None:
    missing = {name for name, of in EXTRAS.items() if extra == "train" or of == extra}
    given = [argument.format(folder=tmp_path) for argument in arguments]
    result = python(f"{MISSING.format(names=missing)}{RUN}sys.exit(run(*{given!r}))")
    assert result.returncode == 2
    assert f'this command needs pip install "tactful[{extra}]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_a_service_is_filled_and_served_without_the_extras(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("customer_id,consent_email\nada,true\n")
    commands = [
        ["init", str(tmp_path / "shop")],
        ["catalogue", "check", str(tmp_path / "shop" / "catalogue.yaml"), "--data", str(tmp_path / "shop")],
        ["store", "load", "--data", str(tmp_path / "shop"), "--customers", str(tmp_path / "customers.csv"),
         "--as-of", "2026-05-01"],
        ["catalogue", "put", str(tmp_path / "shop" / "catalogue.yaml"), "--data", str(tmp_path / "shop")],
        ["catalogue", "try", str(tmp_path / "shop" / "catalogue.yaml"), "--data", str(tmp_path / "shop")],
    ]  # fmt: skip
    served = (
        "import tactful.serving.api.app, tactful.serving.process.workers\n"
        "import tactful.cli.commands.events, tactful.cli.commands.decisions\n"
    )
    told = f"codes = [run(*one) for one in {commands!r}]\n{served}print(json.dumps(codes))"
    result = python(f"{MISSING.format(names=set(EXTRAS))}{RUN}{told}")
    assert json.loads(result.stdout.splitlines()[-1]) == [0] * len(commands), result.stderr


def test_what_an_extra_adds_is_in_no_other_list() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    names = {extra: {one.split(">")[0].split("=")[0].replace("-", "_") for one in extras[extra]} for extra in extras}
    distributions = {"sklearn": "scikit_learn"}
    for name, extra in EXTRAS.items():
        assert distributions.get(name, name) in names[extra]
    base = {one.split(">")[0].split("=")[0].replace("-", "_") for one in project["dependencies"]}
    assert base & (names["train"] | names["demo"]) == set()
    assert {"tactful[train]"} <= names["demo"]
    assert {"tactful[demo]"} <= names["dev"]
