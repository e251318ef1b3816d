import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tactful.cli.main import COMMANDS, app
from tests.cli.helps import GOLDEN, golden, help_of, invocations, lines_of
from tests.patience import PATIENCE


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tactful.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.mark.parametrize("words", list(invocations()), ids=" ".join)
def test_each_help_is_the_one_that_was_agreed(words):
    assert help_of(words) == golden(words).read_text(encoding="utf-8")


def test_there_is_no_help_of_a_command_that_is_gone():
    assert {file.name for file in GOLDEN.glob("*.txt")} == {golden(words).name for words in invocations()}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_how_its_own_help_begins(name):
    outside, inside = lines_of(name)
    assert inside.startswith(outside.removesuffix("."))


def test_the_version_is_that_of_the_package():
    assert CliRunner().invoke(app, ["--version"]).stdout == f"tactful {version('tactful')}\n"


def test_an_unknown_command_is_an_error_with_a_suggestion():
    result = CliRunner().invoke(app, ["serv"])
    assert result.exit_code == 2
    assert "Did you mean 'serve'?" in result.output


def test_an_error_of_ours_is_one_line_and_exit_code_2(tmp_path: Path):
    result = run("serve", "--data", str(tmp_path))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: nothing to serve: got ")
    assert len(result.stderr.splitlines()) == 1


def test_help_needs_none_of_the_slow_libraries():
    probe = "from tests.cli.helps import help_of; help_of(()); import json, sys; print(json.dumps(sorted(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=PATIENCE)
    slow = {
        "mlflow",
        "lightgbm",
        "pandas",
        "numpy",
        "numba",
        "pyarrow",
        "duckdb",
        "matplotlib",
        "sqlalchemy",
        "fastapi",
    }
    assert slow.isdisjoint(json.loads(loaded.stdout))


def test_a_file_named_like_an_emoji_or_a_style_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / ":100:[bold]x.yaml"
    file.write_text("[]")
    result = CliRunner().invoke(app, ["catalogue", "check", str(file), "--data", str(tmp_path)])
    assert f"{file}: 1 error, 0 warnings" in result.stdout


def test_what_a_command_writes_is_for_its_owner_alone(tmp_path: Path):
    shop, archive = tmp_path / "shop", tmp_path / "kept" / "store.zip"
    for line in (
        ("init", str(shop)),
        ("keys", "create", "checkout", "--scope", "decide", "--data", str(shop)),
        ("store", "backup", str(archive), "--data", str(shop)),
    ):
        told = run(*line)
        assert told.returncode == 0, told.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {archive, shop / "tactful.db", shop / "tactful.env"} <= set(written)
    assert [str(path) for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077] == []
