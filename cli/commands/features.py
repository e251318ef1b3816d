"""`tactful features`: list what conditions, texts and models can read of a customer's history."""

from pathlib import Path
from typing import Annotated

import typer

from tactful.cli.console import console, print_json, say, table


def features(
    word: Annotated[str, typer.Argument(help="Only features with this word in name, family or meaning.")] = "",
    catalogue: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A catalogue, for the features that it brings itself."),
    ] = None,
    data: Annotated[Path, typer.Option(help="The service's folder, whose models the catalogue works with.")] = Path(
        "var/demo"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of a table.")] = False,
) -> None:
    """List the features, each with its meaning.

    A condition reads a feature as features.NAME, and a text as {{ features.NAME | default: 0 }}. Exits with 1 where
    no feature matches the word.
    """
    from tactful.cli.wiring.vocabulary import vocabulary_for
    from tactful.decisions.loading import parse_catalogue
    from tactful.features.definitions.standard import STANDARD

    found = STANDARD.features
    if catalogue is not None:
        text = catalogue.read_text(encoding="utf-8")
        compiled = parse_catalogue(text, vocabulary_for(data, text), str(catalogue))
        found = compiled.catalogue.feature_set(STANDARD).features
    wanted = word.lower()
    rows = [
        (f.name, f.family, f.description) for f in found if wanted in f"{f.name} {f.family} {f.description}".lower()
    ]
    if as_json:
        print_json([dict(zip(("name", "family", "meaning"), row, strict=True)) for row in rows])
    else:
        say(console(), table(("feature", "family", "meaning"), rows))
    raise typer.Exit(0 if rows else 1)
