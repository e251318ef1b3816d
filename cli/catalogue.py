"""`tactful catalogue`: look after catalogues."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import console, print_json
from cli.trials import diff, preview, sensitivity

if TYPE_CHECKING:
    from decisions.errors import Finding

catalogue_app = typer.Typer(no_args_is_help=True, help="Look after catalogues.")


@catalogue_app.callback()
def _catalogue() -> None:
    """Look after catalogues."""


@catalogue_app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The catalogue, in YAML.")],
    data: Annotated[
        Path, typer.Option(help="The service's folder, whose models the catalogue is to work with.")
    ] = Path("var/demo"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Find every mistake in a catalogue.

    Its expressions and offers are checked against the features and models of the service. Exits with 1 if there is an
    error; warnings alone do no harm.
    """
    from decisions.loading import inspect_catalogue
    from features.standard import STANDARD
    from models.bundle import load
    from serving.champion import bundle_folder, vocabulary
    from serving.settings import Settings

    bundle = load(bundle_folder(Settings.of(data).champion), fingerprint=STANDARD.fingerprint)
    _, findings = inspect_catalogue(file.read_text(encoding="utf-8"), vocabulary(bundle), str(file))
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        found = [asdict(finding) for finding in findings]
        print_json({"file": str(file), "errors": errors, "warnings": len(findings) - errors, "findings": found})
    else:
        _show(file, findings, errors)
    raise typer.Exit(1 if errors else 0)


for _command in (diff, sensitivity, preview):
    catalogue_app.command()(_command)


def _show(file: Path, findings: "list[Finding]", errors: int) -> None:
    screen = console()
    for finding in findings:
        screen.print(str(finding), markup=False, soft_wrap=True)
    screen.print(f"{file}: {_counted(errors, 'error')}, {_counted(len(findings) - errors, 'warning')}", soft_wrap=True)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
