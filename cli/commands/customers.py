"""`tactful customers`: export and erase a person, and undo a merge, by any id, whatever characters it has."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.arguments import operator
from tactful.cli.console import console, print_json, say, table
from tactful.features.ids import canonical_id

if TYPE_CHECKING:
    from tactful.serving.folder.service_folder import ServiceFolder

customers_app = typer.Typer(no_args_is_help=True)


def _as_kept(id_: str | None) -> str | None:
    """An id as it is kept: `13085.0` came in as the customer 13085."""
    return None if id_ is None else canonical_id(id_)


Id = Annotated[str, typer.Argument(help="Any id of the customer.", callback=_as_kept)]
Data = Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder with the store, or with its settings.")]
Tenant = Annotated[str | None, typer.Option(help="Whose customers; TACTFUL_TENANT, or default, unless given.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
HERE = Path("var/demo")


@customers_app.callback()
def _customers() -> None:
    """Export and erase customers, list merges and undo them."""


@customers_app.command("export")
def export(customer: Id, data: Data = HERE, tenant: Tenant = None) -> None:
    """Print everything that is kept about a customer, as one JSON object."""
    from tactful.serving.engine.records.erase import export_person
    from tactful.serving.folder.service_folder import open_folder

    with open_folder(data, tenant=tenant) as folder:
        found = export_person(folder.store, folder.tenant, customer, folder.now, operator())
    print_json(found)


@customers_app.command("erase")
def erase(customer: Id, data: Data = HERE, tenant: Tenant = None, as_json: Json = False) -> None:
    """Erase a customer from the store and from the partitions of events; this cannot be undone.

    Decisions and contacts stay in the counts under a name that leads to nobody. Whatever comes later about the customer
    is turned away.
    """
    from tactful.serving.engine.records.erase import erase_person
    from tactful.serving.folder.service_folder import open_folder

    with open_folder(data, tenant=tenant) as folder:
        erased = erase_person(folder.store, folder.tenant, customer, folder.now, folder.histories, operator())
    if as_json:
        print_json({"ids": list(erased.names), "decisions": erased.decisions, "log_emptied": erased.log_emptied})
    else:
        say(console(), f"Erased: {', '.join(erased.names)}. {erased.decisions} decisions stay in the counts.")
        if not erased.log_emptied:
            say(console(), "Somebody reads the store: run this again to empty its write-ahead log.")


@customers_app.command("merges")
def list_merges(
    customer: Annotated[
        str | None, typer.Argument(help="Only the merges of this id, on either side.", callback=_as_kept)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list, the newest first.")] = 100,
    data: Data = HERE,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """List the merges of customers, the newest first."""
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries.merges import made

    with open_folder(data, tenant=tenant) as folder:
        found = made(folder.store.database, folder.tenant, customer=customer, limit=limit)
    rows = [asdict(one) | {"time": _moment(one.time), "undone": _moment(one.undone)} for one in found]
    if as_json:
        print_json({"merges": rows})
        return
    columns = ("time", "alias", "customer", "caller", "undone")
    headings = ("time", "id", "became an id of", "said by key", "undone")
    say(console(), table(headings, [tuple(row[name] for name in columns) for row in rows]))


@customers_app.command("unmerge")
def unmerge(
    ids: Annotated[list[str], typer.Argument(help="Ids that were merged; or, with --all, customers.")],
    every: Annotated[
        bool, typer.Option("--all", help="Undo every merge into these customers, the newest first.")
    ] = False,
    data: Data = HERE,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Undo merges: each id is a customer of its own again, with what came under it before the merge and since.

    Decisions and their contacts stay with the id that they were made about. A refusal that came while two ids were one
    customer counts for both.
    """
    from tactful.serving.folder.service_folder import open_folder

    with open_folder(data, tenant=tenant) as folder:
        kept = [canonical_id(one) or one for one in ids]
        wanted = [alias for customer in kept for alias in _merged_into(folder, customer)] if every else kept
        undone = [folder.store.unmerge(folder.tenant, alias, folder.now, operator()) for alias in wanted]
    rows: list[dict[str, Any]] = [one._asdict() | {"names": list(one.names)} for one in undone]
    if as_json:
        print_json({"undone": rows})
    else:
        say(console(), table(("id", "separated from"), [(row["alias"], row["customer"]) for row in rows]))


def _merged_into(folder: "ServiceFolder", customer: str) -> list[str]:
    """The ids whose merges into a customer are in force, the newest first."""
    from tactful.serving.store.queries.merges import in_force

    return in_force(folder.store.database, folder.tenant, customer)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
