"""`tactful store`: look after the operational store."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.commands.store.copying import copy
from tactful.cli.commands.store.load import load
from tactful.cli.console import console, print_json, progress, say, table
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from tactful.serving.store.admin.backup import Archived
    from tactful.serving.store.admin.checking import Checked

store_app = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder with the store, or with its settings.")]
Tenant = Annotated[str | None, typer.Option(help="Whose customers; TACTFUL_TENANT, or default, unless given.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
HERE = Path("var/demo")


@store_app.callback()
def _store() -> None:
    """Fill, check, compact, back up, restore, copy and migrate the store."""


@store_app.command()
def check(data: Data = HERE, tenant: Tenant = None, as_json: Json = False) -> None:
    """Find what is wrong in a store; nothing is changed, and the service may go on.

    Reads every table, compares the ledger with the decision log, and counts every cap of every catalogue that decided
    again, without the code that was to keep it. Exits with 1 if anything is wrong.
    """
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.admin.checking import check as look_over

    with open_folder(data, tenant=tenant) as folder, progress("Checking", console(stderr=True)):
        checked = look_over(folder.store, folder.tenant)
    if as_json:
        print_json(asdict(checked))
    else:
        _show_checked(checked)
    raise typer.Exit(1 if checked.findings else 0)


@store_app.command()
def compact(
    data: Data = HERE,
    tenant: Tenant = None,
    events: Annotated[
        str, typer.Option(metavar="SPAN", help="Keep every event at least so long, whatever looks at it.")
    ] = "400d",
    inputs: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN",
            help="Keep so long what decisions were made on; then none replays. TACTFUL_KEEP_INPUTS unless given.",
        ),
    ] = None,
    silences: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN",
            help="Keep so long decisions to leave a customer alone. TACTFUL_KEEP_SILENCES unless given.",
        ),
    ] = None,
    records: Annotated[
        str, typer.Option(metavar="SPAN", help="Keep so long what receivers were told, or refused.")
    ] = "30d",
    messages: Annotated[
        str, typer.Option(metavar="SPAN", help="Keep so long the ids by which late duplicates are known.")
    ] = "90d",
    merges: Annotated[
        str, typer.Option(metavar="SPAN", help="Keep so long what is needed to undo the merge of two customers.")
    ] = "90d",
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Give the space back to the disk; writers wait meanwhile.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take away what nobody looks at any more, and close reservations that expired.

    Of the events, what lies in a window of a feature, or is looked back at by a trigger or policy of the catalogue in
    force, stays, and so do contacts, outcomes and decisions that chose a message. The service may go on meanwhile.
    """
    from tactful.features.definitions.standard import STANDARD
    from tactful.serving.engine.records.retention import needed
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.admin.compaction import Keep, shrink
    from tactful.serving.store.admin.compaction import compact as forget

    with open_folder(data, tenant=tenant) as folder, progress("Compacting", console(stderr=True)) as advance:
        settings, database = folder.settings, folder.store.database
        keep = Keep(
            events=needed(folder.champion, STANDARD, _span(events)),
            inputs=settings.keep_inputs if inputs is None else _span(inputs),
            silences=settings.keep_silences if silences is None else _span(silences),
            records=_span(records),
            messages=_span(messages),
            merges=_span(merges),
        )
        done = forget(database, folder.tenant, keep, folder.now, advance)
        if vacuum:
            shrink(database)
    if as_json:
        print_json(asdict(done))
    else:
        say(console(), table(("taken away or closed", "rows"), asdict(done).items(), numbers=("rows",)))


@store_app.command()
def backup(
    archive: Annotated[Path, typer.Argument(help="The archive to write, a .zip; one that is there is replaced.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Keep the API keys' digests too, so that they work after a restore.")
    ] = False,
    data: Data = HERE,
    as_json: Json = False,
) -> None:
    """Write all of a store, with every tenant, to an archive; the service may go on meanwhile.

    An archive holds no API keys unless it is asked for them: make new ones after a restore.
    """
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.admin.backup import backup as write

    with open_folder(data) as folder, progress("Backing up", console(stderr=True)) as advance:
        found = write(folder.store.database, archive, datetime.now(UTC), advance, keys=with_keys)
    _show_archive(found, f"Written to {archive}.", as_json)


@store_app.command()
def restore(
    archive: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An archive that backup wrote.")],
    data: Data = HERE,
    as_json: Json = False,
) -> None:
    """Fill an empty store from an archive of the same kind of database and the same release.

    The command refuses a damaged archive, and a store that already holds anything.
    """
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.admin.backup import restore as fill

    with open_folder(data) as folder, progress("Restoring", console(stderr=True)) as advance:
        found = fill(folder.store.database, archive, advance)
    _show_archive(found, f"Restored from {archive}.", as_json)
    if not found.rows.get("keys"):
        say(console(stderr=True), "The archive holds no API keys: make new ones with tactful keys create.")


@store_app.command()
def migrate(data: Data = HERE, as_json: Json = False) -> None:
    """Bring a store to the present schema, as every start of the service does."""
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.migrate import schema_of

    with open_folder(data) as folder, folder.store.database.read() as connection:
        schema = schema_of(connection)
    if as_json:
        print_json({"schema": schema})
    else:
        console().print(f"The store has schema {schema}.")


for _command in (load, copy):
    store_app.command()(_command)


def _span(text: str) -> timedelta:
    from tactful.decisions.base.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError:
        raise TactfulError("not a span", got=text, wanted="a whole number and m, h, d or w, such as 90d") from None


def _show_checked(checked: "Checked") -> None:
    screen = console()
    facts = [("decisions", checked.decisions), ("contacts", checked.contacts), ("caps counted again", checked.caps)]
    say(screen, table(("looked at", "number"), facts, numbers=("number",)))
    if checked.uncounted:
        told = ", ".join(checked.uncounted)
        say(screen, f"Not counted, since they bind only a segment: {told}.")
    if checked.findings:
        rows = [(finding.kind, finding.where, finding.what) for finding in checked.findings]
        say(screen, table(("wrong", "where", "what"), rows))
    else:
        say(screen, "Nothing is wrong.")


def _show_archive(found: "Archived", line: str, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    rows: list[tuple[str, Any]] = [(name, rows) for name, rows in found.rows.items() if rows]
    say(console(), table(("table", "rows"), rows, numbers=("rows",)))
    say(console(), f"{line} Schema {found.schema}, as of {found.moment}.")
