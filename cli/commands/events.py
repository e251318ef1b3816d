"""`tactful events`: bring histories in and out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tactful.cli.commands.keys import HERE, Data, Json, Tenant
from tactful.cli.console import console, print_json, progress, say, table

if TYPE_CHECKING:
    from tactful.features.events.dataset import EventDataset
    from tactful.features.importing.importer import Imported, Swallowed

events_app = typer.Typer(no_args_is_help=True)

QUARANTINE = "quarantine.parquet"
LISTED = 20
"""How many malformed rows of several lines, and how many unknown zones, the report lists."""


@events_app.callback()
def _events() -> None:
    """Bring customer histories in and out."""


@events_app.command("import")
def import_events(
    file: Annotated[Path, typer.Argument(help="The log: CSV, text with blanks between fields, JSON lines or Parquet.")],
    mapping: Annotated[Path, typer.Option(help="What its columns and rows mean, in YAML.")],
    out: Annotated[Path, typer.Option(help="Where to write; a data set that is there is replaced.")],
    buckets: Annotated[int, typer.Option(min=1, max=4096, help="Parts to split the customers into.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Import a log of any shape as events.

    Each row of the file becomes part of an event, or goes to quarantine.parquet beside them, with a reason. Exits
    with 1 if a malformed row holds several lines, as an unclosed quote makes it: rows are missing then.
    """
    from tactful.features.events.dataset import write_events
    from tactful.features.importing.importer import import_log
    from tactful.features.importing.yaml import load_mapping
    from tactful.features.timestamps import AHEAD

    bars = console(stderr=True)
    with progress("Importing", bars) as advance:
        imported = import_log(file, load_mapping(mapping), advance, latest=datetime.now(UTC) + AHEAD)
    with progress("Writing", bars):
        dataset = write_events(
            imported.events,
            out,
            zone=imported.zone,
            buckets=buckets,
            categories=imported.categories,
            zones=imported.zones,
        )
        quarantine = _write_quarantine(imported, out)
    report = _report(imported, dataset, quarantine)
    if as_json:
        print_json(report)
    else:
        _show(report, console())
    if imported.swallowed:
        _warn(imported.swallowed, bars)
        raise typer.Exit(1)


def _write_quarantine(imported: "Imported", folder: Path) -> Path | None:
    if imported.rejected.empty:
        return None
    file = folder / QUARANTINE
    imported.rejected.to_parquet(file, index=False)
    return file


def _report(imported: "Imported", dataset: "EventDataset", quarantine: Path | None) -> dict[str, Any]:
    by_type = imported.events["type"].value_counts()
    return {
        "rows": {"read": imported.rows_read, "used": imported.rows_used, "rejected": len(imported.rejected)},
        "events": {"total": len(imported.events), **{str(name): int(count) for name, count in by_type.items()}},
        "customers": sum(dataset.customers),
        "customers_with_zone": len(imported.zones),
        "unknown_zones": dict(list(imported.unknown_zones.items())[:LISTED]),
        "categories": len(dataset.categories),
        "first": dataset.first,
        "last": dataset.last,
        "rejected": imported.reasons,
        "rejected_lines": imported.lines,
        "swallowed": [
            {"first": rows.first, "last": rows.last, "lines": rows.lines, "reason": rows.reason}
            for rows in imported.swallowed[:LISTED]
        ],
        "quarantine": str(quarantine) if quarantine else None,
        "dataset": {"folder": str(dataset.folder), "buckets": dataset.buckets, "digest": dataset.digest},
    }


def _warn(swallowed: "Sequence[Swallowed]", screen: Console) -> None:
    for rows in swallowed[:LISTED]:
        screen.print(f"lines {rows.first} to {rows.last} ({rows.lines:,} lines) are one row: {rows.reason}")
    if len(swallowed) > LISTED:
        screen.print(f"{len(swallowed) - LISTED:,} more such rows are in {QUARANTINE}")
    screen.print("Correct the file, or set quote, escape or max_lines of the mapping's source; import again then.")


def _show(report: dict[str, Any], screen: Console) -> None:
    rows, events = report["rows"], dict(report["events"])
    total = events.pop("total")
    facts = [
        ("rows read", rows["read"]),
        ("rows in events", rows["used"]),
        ("rows rejected", rows["rejected"]),
        ("events", total),
        *((f"  {name}", count) for name, count in events.items()),
        ("customers", report["customers"]),
        ("categories", report["categories"]),
        ("first event", report["first"]),
        ("last event", report["last"]),
    ]
    screen.print(table(("imported", "value"), facts, numbers=("value",)))
    if report["rejected"]:
        numbers = ("rows", "lines") if report["rejected_lines"] else ("rows",)
        counts = [report["rejected"], report["rejected_lines"]][: len(numbers)]
        rejected = [(reason, *(count[reason] for count in counts)) for reason in report["rejected"]]
        screen.print(table(("rejected because", *numbers), rejected, numbers=numbers))
        screen.print(f"rejected rows: {report['quarantine']}")
    for name, rows in report["unknown_zones"].items():
        screen.print(f"not a time zone: {name!r} in {rows:,} rows, passed over")
    screen.print(f"events:        {report['dataset']['folder']}, {report['dataset']['buckets']} buckets")


@events_app.command("export")
def export(
    data: Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder of the service.")],
    out: Annotated[Path, typer.Option(help="Where to write; it must not exist.")],
    tenant: Annotated[
        str | None, typer.Option(help="Whose customers; TACTFUL_TENANT, or default, unless given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Write the events in a service's store as a folder of events.

    Those that were imported and those that came in by the API.
    """
    from tactful.cli.wiring.stores import export as written

    dataset = written(data, out, tenant)
    facts = {"events": sum(dataset.rows), "customers": sum(dataset.customers)}
    facts_in_full = {**facts, "first": dataset.first, "last": dataset.last, "digest": dataset.digest}
    if as_json:
        print_json({**facts_in_full, "folder": str(out)})
        return
    say(console(), table(("exported", "value"), facts_in_full.items(), numbers=("value",)))


@events_app.command("refused")
def refused(
    data: Data = HERE,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """List the tracking messages that a service did not keep, or not as a whole, with their reasons."""
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries import refused as messages

    with open_folder(data, tenant=tenant) as folder:
        counts = messages.counts(folder.store.database, folder.tenant)
    told = [
        {
            **one.refused._asdict(),
            "count": one.count,
            "first": one.first.isoformat(timespec="seconds"),
            "last": one.last.isoformat(timespec="seconds"),
        }
        for one in counts
    ]
    if as_json:
        print_json({"refused": told})
        return
    columns = ("fate", "name", "reason", "key", "count", "last")
    rows = [tuple(one[name] for name in columns) for one in told]
    say(console(), table(columns, rows, numbers=("count",)) if rows else "No message was refused.")
