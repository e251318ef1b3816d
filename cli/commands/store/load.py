"""`tactful store load`: bring customers and their events into a service's store."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.console import console, print_json, progress, say, table
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tactful.decisions.catalogue.model import Attribute
    from tactful.features.events.dataset import EventDataset
    from tactful.serving.folder.service_folder import ServiceFolder
    from tactful.serving.ingestion.loading.load import Loaded
    from tactful.serving.settings import Settings

MARKER = "loading.json"
"""The file in the data folder that says how far a load is."""


def load(
    data: Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder with the store, or with its settings.")],
    events: Annotated[Path | None, typer.Option(help="Folder of events, as `tactful events import` leaves it.")] = None,
    customers: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet: customer_id, zone, joined, consent_CHANNEL; other columns are attributes."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="When the consents were written down. [default: the last event]"),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Whose customers; TACTFUL_TENANT, or default, unless given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Bring customers and their events into the store.

    Loading again adds what is new and changes nothing else, and a load that was cut short goes on where it ended.
    """
    from tactful.cli.wiring.sources import moment_of
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.ingestion.loading.customers_file import CustomersFile
    from tactful.serving.ingestion.loading.load import load as bring_in
    from tactful.serving.ingestion.loading.load import require_moment
    from tactful.serving.ingestion.rules import load_rules

    if events is None and customers is None:
        raise TactfulError("nothing to load", got="neither --events nor --customers", wanted="one of them, or both")
    with ExitStack() as held:
        folder = held.enter_context(open_folder(data, tenant=tenant))
        settings = folder.settings
        dataset = None if events is None else _dataset(events)
        placeholders = load_rules(settings.tracking).placeholders
        opened_file = None if customers is None else CustomersFile(customers, _declared(settings), placeholders)
        file = None if opened_file is None else held.enter_context(closing(opened_file))
        asked = None if as_of is None else moment_of(as_of, datetime.now(UTC))
        asserted = require_moment(file, dataset, asked)
        advance = held.enter_context(progress("Loading", console(stderr=True)))
        found = bring_in(
            folder.store,
            folder.tenant,
            dataset,
            file,
            asserted=asserted,
            zone=_zone(folder),
            marker=data / MARKER,
            progress=advance,
        )
    remarks = [] if dataset is None else list(_vocabulary(settings, dataset))
    if as_json:
        print_json({**_report(found), "remarks": remarks})
    else:
        _show(found, remarks)


def _dataset(folder: Path) -> "EventDataset":
    from tactful.features.events.dataset import open_events

    return open_events(folder)


def _declared(settings: "Settings") -> "Mapping[str, Attribute]":
    """The attributes that the catalogue's file declares; none where there is no catalogue yet."""
    catalogue = _catalogue(settings)
    return {} if catalogue is None else catalogue.attributes


def _catalogue(settings: "Settings") -> Any:
    from tactful.cli.wiring.sources import read_catalogue

    if not settings.catalogue.is_file():
        return None
    return read_catalogue(settings.data, None)[0].catalogue


def _zone(folder: "ServiceFolder") -> str:
    """The zone of local days where no events say it: the store's, else the catalogue's, else UTC."""
    from tactful.serving.store.queries.tenants import zone_of

    known = zone_of(folder.store.database, folder.tenant)
    catalogue = None if known else _catalogue(folder.settings)
    return known or (catalogue.timezone if catalogue is not None else None) or "UTC"


def _vocabulary(settings: "Settings", dataset: "EventDataset") -> "Iterator[str]":
    """Sees to it that live events have the categories of the history: the tracking rules must name the same ones."""
    from tactful.serving.ingestion.rules import load_rules

    if not dataset.categories or load_rules(settings.tracking).categories == dataset.categories:
        return
    named = ", ".join(f'"{name}"' for name in dataset.categories)
    yield (
        f"The events have {len(dataset.categories)} categories. Live events are put into the same ones if "
        f"{settings.tracking} says: categories: [{named}]"
    )


def _report(found: "Loaded") -> dict[str, Any]:
    read = found.read
    return {
        "events": found.events,
        "customers": {"of_events": found.customers, "rows": read.rows, "rejected": dict(read.rejected)},
        "left_out": dict(read.left_out),
        "consents_overruled": found.overruled,
        "undeclared": list(read.undeclared),
        "resumed": found.resumed,
    }


def _show(found: "Loaded", remarks: list[str]) -> None:
    read, screen = found.read, console()
    facts = [
        ("events", found.events),
        ("customers with events", found.customers),
        ("rows of customers", read.rows),
        *((f"  rejected: {reason}", count) for reason, count in read.rejected.items()),
        *((f"  left out: {reason}", count) for reason, count in read.left_out.items()),
        ("consents overruled by an unsubscription", found.overruled),
    ]
    say(screen, table(("loaded", "number"), facts, numbers=("number",)))
    if read.undeclared:
        say(screen, f"Kept as text, since the catalogue does not declare them: {', '.join(read.undeclared)}.")
    for remark in remarks:
        say(screen, remark)
