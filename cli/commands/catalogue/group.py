"""`tactful catalogue`: look after catalogues."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tactful.cli.commands.catalogue.in_force import get, history, put, try_out
from tactful.cli.commands.catalogue.price import price
from tactful.cli.commands.catalogue.trials import diff, preview, sensitivity
from tactful.cli.console import console, print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tactful.decisions.base.errors import Finding
    from tactful.decisions.conformance.conform import Check

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The catalogue, in YAML.")]
Data = Annotated[Path, typer.Option(help="The service's folder, whose models the catalogue is to work with.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

catalogue_app = typer.Typer(no_args_is_help=True, help="Look after catalogues.")


@catalogue_app.callback()
def _catalogue() -> None:
    """Look after catalogues."""


@catalogue_app.command()
def check(file: File, data: Data = Path("var/demo"), as_json: Json = False) -> None:
    """Find every mistake in a catalogue.

    Its expressions and offers are checked against the features and models of the service; where it has no models yet,
    against the standard features. The command also says what is on because the catalogue does not say otherwise.
    Exits with 1 if there is an error; warnings alone do no harm.
    """
    from tactful.cli.wiring.vocabulary import vocabulary_for
    from tactful.decisions.catalogue.defaults import on_by_default
    from tactful.decisions.loading import inspect_catalogue

    text = file.read_text(encoding="utf-8")
    catalogue, findings = inspect_catalogue(text, vocabulary_for(data, text), str(file))
    errors = sum(finding.severity == "error" for finding in findings)
    defaults = on_by_default(catalogue) if catalogue else []
    if as_json:
        found = [asdict(finding) for finding in findings]
        counts = {"errors": errors, "warnings": len(findings) - errors}
        print_json({"file": str(file), **counts, "findings": found, "on_by_default": defaults})
    else:
        _show(file, findings, errors, defaults)
    raise typer.Exit(1 if errors else 0)


@catalogue_app.command()
def conform(file: File, data: Data = Path("var/demo"), as_json: Json = False) -> None:
    """Try on a catalogue what its decisions promise.

    Customers and situations are derived from the catalogue: windows that roll, clocks that change, 29 February, late
    joiners, ties. Exits with 1 if a promise is broken.
    """
    from tactful.cli.wiring.vocabulary import vocabulary_for
    from tactful.decisions.conformance.conform import conform as tried
    from tactful.decisions.loading import parse_catalogue

    text = file.read_text(encoding="utf-8")
    checks = tried(parse_catalogue(text, vocabulary_for(data, text), str(file)))
    raise typer.Exit(1 if told(file, checks, as_json=as_json) else 0)


@catalogue_app.command()
def schema() -> None:
    """Print the JSON schema of a catalogue, for editors."""
    from tactful.decisions.catalogue.model import Catalogue

    print_json(Catalogue.model_json_schema())


for _command in (diff, sensitivity, preview, price, put, get, history):
    catalogue_app.command()(_command)
catalogue_app.command("try")(try_out)


def told(file: Path, checks: "Sequence[Check]", *, as_json: bool) -> int:
    """Prints what was found about each promise; returns how many are broken."""
    counts = {outcome: sum(c.outcome == outcome for c in checks) for outcome in ("passed", "failed", "not applicable")}
    if as_json:
        print_json({"file": str(file), **counts, "checks": [asdict(check) for check in checks]})
    else:
        rows = [(check.name, check.subject, check.outcome, check.observed) for check in checks]
        say(console(), table(("promise", "of", "outcome", "observed"), rows))
        summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        console().print(f"{file}: {summary}", soft_wrap=True)
    return counts["failed"]


def _show(file: Path, findings: "list[Finding]", errors: int, defaults: list[str]) -> None:
    screen = console()
    for finding in findings:
        screen.print(str(finding), soft_wrap=True)
    for default in defaults:
        screen.print(f"{file}: on by default: {default}", soft_wrap=True)
    screen.print(f"{file}: {_counted(errors, 'error')}, {_counted(len(findings) - errors, 'warning')}", soft_wrap=True)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
