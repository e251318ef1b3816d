"""`tactful catalogue diff`, `sensitivity` and `preview`: try a catalogue on what was decided before."""

from pathlib import Path
from typing import Annotated

import typer

from tactful.cli.commands.decisions import open_archive
from tactful.cli.console import console, print_json, say, table

Log = Annotated[Path, typer.Option("--decisions", metavar="LOG", help="The service's folder, whose log is replayed.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def diff(
    old: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The catalogue before.")],
    new: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The catalogue after.")],
    log: Log = Path("var/demo"),
    as_json: Json = False,
) -> None:
    """Decide past decisions again under both catalogues and say who gains and loses.

    Prints Markdown, fit for a pull request. The models are the present ones for both, and what is worth more is so by
    each catalogue's own reckoning: an estimate, not an experiment.
    """
    from tactful.decisions.analysis.diff import diff as compare
    from tactful.decisions.analysis.diff import fitted
    from tactful.decisions.loading import load_catalogue
    from tactful.serving.engine.in_force.pointer import vocabulary

    archive, champion = open_archive(log)
    known = vocabulary(champion.bundle.names)
    names = champion.compiled.vocabulary.features
    requests = [fitted(r.request, r.compiled.vocabulary.features, champion.compiled) for r in archive.log()]
    found = compare(requests, names, load_catalogue(old, known), load_catalogue(new, known), champion.bundle)
    if as_json:
        print_json(found.as_dict())
    else:
        typer.echo(f"### {old.name} → {new.name}\n\n{found.markdown()}", nl=False)


def sensitivity(log: Log = Path("var/demo"), as_json: Json = False) -> None:
    """Say how many winners would change if a factor of the priority were switched off."""
    from tactful.decisions.analysis.sensitivity import sensitivity as shares_of

    archive, _ = open_archive(log)
    decisions = [recorded.decision for recorded in archive.log()]
    shares = shares_of(decisions)
    contested = sum(any(decision.survivors) for decision in decisions)
    if as_json:
        print_json({"decisions": contested, "changed": shares})
        return
    rows = [(factor, f"{share:.1%}") for factor, share in sorted(shares.items(), key=lambda item: -item[1])]
    say(console(), table(("without", "winners that change"), rows, numbers=("winners that change",)))
    console().print(f"Of {contested:,} decisions with at least one action that passed every gate.")


def preview(
    message: Annotated[str, typer.Argument(help="Id of a message.")],
    customer: Annotated[str, typer.Option(help="Id of a customer.")],
    data: Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder of the service.")] = Path("var/demo"),
) -> None:
    """Show a message's texts as one customer would read them, on each of its channels."""
    from tactful.serving.folder.previews import preview as rendered_for
    from tactful.serving.folder.service_folder import open_folder

    with open_folder(data, must_exist=True) as folder:
        rendered = rendered_for(folder, customer, message)
    for channel, text in rendered.items():
        parts = [("subject", text.subject)] if text.subject else []
        say(console(), table((channel, ""), [*parts, ("body", text.body)]))
