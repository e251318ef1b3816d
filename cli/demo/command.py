"""`tactful demo`: from real purchases to decisions over HTTP, and a report."""

from pathlib import Path
from typing import Annotated

import typer

from tactful.cli.console import console, print_json


def demo(
    out: Annotated[Path, typer.Option(help="Folder to work in; what an earlier run left there is replaced.")] = Path(
        "var/demo"
    ),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report on stdout as JSON, and the steps on stderr.")
    ] = False,
) -> None:
    """Do the whole job on real data: import, learn, decide, report."""
    from tactful.cli.demo.run import run

    report = run(out, console(stderr=as_json))
    if as_json:
        print_json(report)
