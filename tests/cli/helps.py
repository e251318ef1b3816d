"""The help texts of every command, as they are printed on 80 columns without colour.

`python -m tests.cli.helps` writes them to `golden/`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from tactful.cli.main import COMMANDS, app, load

GOLDEN = Path(__file__).with_name("golden")


def invocations() -> Iterator[tuple[str, ...]]:
    """Every command and group, by the words it is called by."""
    yield ()
    for name in COMMANDS:
        yield (name,)
        yield from ((name, inner) for inner in getattr(load(name), "commands", {}))


def help_of(words: tuple[str, ...]) -> str:
    """What `tactful WORDS --help` prints."""
    environment = {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1"}
    result = CliRunner().invoke(app, [*words, "--help"], env=environment, prog_name="tactful")
    assert result.exit_code == 0, result.output
    return result.stdout


def golden(words: tuple[str, ...]) -> Path:
    """Where the help of a command is kept."""
    return GOLDEN / f"{'-'.join(('tactful', *words))}.txt"


def lines_of(name: str) -> tuple[Any, Any]:
    """A command's line as the root's help has it, and as the command itself does."""
    return get_command(app).commands[name].get_short_help_str(200), load(name).get_short_help_str(200)


if __name__ == "__main__":
    for stale in GOLDEN.glob("*.txt"):
        stale.unlink()
    for words in invocations():
        golden(words).write_text(help_of(words), encoding="utf-8")
