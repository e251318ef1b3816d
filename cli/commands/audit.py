"""`tactful audit`: what operators did, and whether its record is whole."""

from pathlib import Path
from typing import Annotated

import typer

from tactful.cli.console import console, print_json, say, table

audit_app = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder with the store, or with its settings.")]
Tenant = Annotated[str | None, typer.Option(help="Whose operators; TACTFUL_TENANT, or default, unless given.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
HERE = Path("var/demo")
_SHOWN = ("number", "time", "actor", "action", "subject")


@audit_app.callback()
def _audit() -> None:
    """List what operators did, and check that its record is whole."""


@audit_app.command("list")
def every(
    limit: Annotated[int, typer.Option(min=1, help="How many to list, the newest first.")] = 100,
    data: Data = HERE,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """List what operators did, the newest first: who did it, when, and to what.

    Customers are named by the digest that an erasure leaves of their ids.
    """
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries.operator_actions import every as read

    with open_folder(data, tenant=tenant) as folder:
        told = [row.as_dict() for row in reversed(read(folder.store.database, folder.tenant))][:limit]
    if as_json:
        print_json({"actions": told})
    else:
        rows = [tuple(row[name] for name in _SHOWN) for row in told]
        say(console(), table(_SHOWN, rows, numbers=("number",)))


@audit_app.command("verify")
def verify(
    known: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="A digest that was noted before: it has to be in the record still."),
    ] = None,
    data: Data = HERE,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Check that no row of the record was changed, taken out or put in; exits with 1 if one was, and names the first.

    Note the digest that it prints in another place: with `--known` it finds rows that were taken off the end.
    """
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries.operator_actions import every as read
    from tactful.serving.store.queries.operator_actions import verify as check

    with open_folder(data, tenant=tenant) as folder:
        found = check(folder.tenant, read(folder.store.database, folder.tenant), known)
    if as_json:
        print_json({"rows": found.rows, "head": found.head, "broken": found.broken, "reason": found.reason})
    elif found.broken is None:
        say(console(), f"{found.rows:,} rows hold. The digest of the last one is {found.head}.")
    else:
        say(console(), f"Row {found.broken} does not hold: {found.reason}. The {found.rows:,} before it do.")
    raise typer.Exit(0 if found.broken is None else 1)
