"""Where commands that count read from: a service's folder, another store, or a folder of events."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from tactful.decisions.base.snapshot import Snapshot
    from tactful.decisions.catalogue.compiled import CompiledCatalogue
    from tactful.decisions.kernel.decide import Scorer
    from tactful.experiments.assignment.arms import Exposure
    from tactful.experiments.readout.logbook import Logbook
    from tactful.serving.folder.service_folder import ServiceFolder

Data = Annotated[
    Path, typer.Option(envvar="TACTFUL_DATA", help="Folder of the service: its catalogue, models and log.")
]
EventsFolder = Annotated[
    Path | None, typer.Option("--events", metavar="DIR", help="Read a folder of events instead of the service's log.")
]
StoreUrl = Annotated[str | None, typer.Option("--store", metavar="URL", help="Read another store instead.")]
CatalogueFile = Annotated[Path | None, typer.Option("--catalogue", metavar="FILE", help="Another catalogue.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Until = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="Up to when, ISO 8601; the end of the log where it is not given.")
]


@dataclass(frozen=True, eq=False)
class Source:
    """A log and what it is read with.

    Attributes:
        log: The log.
        compiled: The catalogue.
        scorer: The models, where there are some.
        events: Every event, contacts too.
        zones: The zones of customers, where they are known.
        exposures: The exposures to an experiment, by its id; None where the log knows none.
    """

    log: "Logbook"
    compiled: "CompiledCatalogue"
    scorer: "Scorer | None"
    events: "pd.DataFrame"
    zones: "Mapping[str, str]"
    exposures: "Callable[[str], list[Exposure]] | None"

    @property
    def end(self) -> datetime:
        """Just after the last thing that is in it."""
        told = [part["time"].max() for part in (self.events, self.log.contacts, self.log.decisions) if len(part)]
        if not told:
            raise TactfulError("an empty log", got="no event", wanted="events, contacts or decisions")
        latest: datetime = max(told).to_pydatetime()
        return latest + timedelta(microseconds=1)

    def snapshots(self, moment: datetime) -> "list[Snapshot]":
        """Each customer known at a moment, by events alone."""
        from tactful.decisions.base.snapshot import Snapshot
        from tactful.features.build import build_pairs
        from tactful.features.definitions.standard import STANDARD
        from tactful.features.events.schema import encode

        zone = self.compiled.catalogue.timezone or "UTC"
        known = self.events[self.events["time"] < moment]
        customers = sorted(set(known["customer_id"]))
        features = self.compiled.catalogue.feature_set(STANDARD)
        frame = build_pairs(encode(known, zone, self.zones), customers, [moment] * len(customers), features)
        rows = zip(customers, frame.values.tolist(), strict=True)
        return [Snapshot(customer, moment, tuple(values), contacts=()) for customer, values in rows]


def open_source(data: Path, events: Path | None, store: str | None, catalogue: Path | None) -> Source:
    """The log that the options name.

    Raises:
        TactfulError: It cannot be read, or the catalogue cannot.
    """
    from tactful.experiments.readout.logbook import Logbook
    from tactful.features.events.dataset import open_events, read_events

    compiled, scorer = read_catalogue(data, catalogue)
    currency = compiled.catalogue.currency
    if events is not None:
        frame = read_events(events)
        programmes = {m.id: p.id for p in compiled.catalogue.programmes for m in p.messages}
        log, zones = Logbook.of_events(frame, programmes, currency), open_events(events).all_zones()
        return Source(log, compiled, scorer, frame, zones, None)
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.admin.people import zones_of
    from tactful.serving.store.queries.experiments import exposed_to

    def exposures(experiment: str) -> "list[Exposure]":
        with open_folder(data, store=store) as folder:
            return list(exposed_to(folder.store.database, folder.tenant, experiment))

    with open_folder(data, store=store, must_exist=True) as folder:
        frame = folder.events()
        log = _logbook(folder, frame, currency)
        zones = zones_of(folder.store.database, folder.tenant)
    return Source(log, compiled, scorer, frame, zones, exposures)


def moment_of(text: str | None, otherwise: datetime) -> datetime:
    """A moment as it was typed; UTC where it names no zone."""
    from tactful.features.timestamps import moment_of as parsed

    return otherwise if text is None else parsed(text)


def read_catalogue(data: Path, catalogue: Path | None) -> "tuple[CompiledCatalogue, Scorer | None]":
    """A catalogue, and the service's models where there are some.

    Raises:
        TactfulError: It cannot be read.
    """
    from tactful.cli.wiring.vocabulary import vocabulary_for
    from tactful.decisions.loading import parse_catalogue
    from tactful.features.definitions.standard import STANDARD
    from tactful.serving.engine.in_force.champion import load_bundle
    from tactful.serving.engine.in_force.pointer import is_first
    from tactful.serving.settings import Settings

    settings = Settings.of(data)
    file = catalogue or settings.catalogue
    if not file.is_file():
        raise TactfulError("no catalogue", got=str(file), wanted="a YAML file, by --catalogue or in the data folder")
    text = file.read_text(encoding="utf-8")
    compiled = parse_catalogue(text, vocabulary_for(settings.data, text), file=str(file))
    return compiled, None if is_first(settings.champion) else load_bundle(settings.champion, STANDARD)


def _logbook(folder: "ServiceFolder", events: "pd.DataFrame", currency: str) -> "Logbook":
    """The log of a store; contacts that were given back are none."""
    from tactful.experiments.readout.logbook import CONTACTS, DECISIONS, UNKNOWN, Logbook

    contacts = folder.contacts().rename(columns={"customer_id": "customer"})
    contacts = contacts[contacts["status"] != "released"].assign(
        programme=contacts["programme"].where(contacts["programme"] != "", UNKNOWN)
    )
    decisions = folder.decisions().rename(columns={"customer_id": "customer"})
    return Logbook(
        events[events["type"] != "contact"],
        contacts[list(CONTACTS)].reset_index(drop=True),
        decisions[list(DECISIONS)].fillna(dict.fromkeys(("programme", "message", "channel"), "")),
        currency,
    )
