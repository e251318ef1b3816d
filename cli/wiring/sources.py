"""Where commands that count read from: a service's folder, another store, or a folder of events."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

    from tactful.decisions.base.snapshot import Snapshot
    from tactful.decisions.catalogue.compiled import CompiledCatalogue
    from tactful.decisions.kernel.decide import Scorer
    from tactful.experiments.assignment.arms import Exposure
    from tactful.experiments.readout.logbook import Logbook
    from tactful.serving.store.port import Store

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
    from tactful.serving.settings import Settings

    settings = Settings.of(data)
    compiled, scorer = read_catalogue(data, catalogue)
    currency = compiled.catalogue.currency
    if events is not None:
        frame = read_events(events)
        programmes = {m.id: p.id for p in compiled.catalogue.programmes for m in p.messages}
        log, zones = Logbook.of_events(frame, programmes, currency), open_events(events).all_zones()
        return Source(log, compiled, scorer, frame, zones, None)
    from tactful.serving.store.admin.people import zones_of
    from tactful.serving.store.opening import open_store
    from tactful.serving.store.queries.experiments import exposed_to

    url, tenant = store or settings.store, settings.tenant

    def exposures(experiment: str) -> "list[Exposure]":
        with closing(open_store(url)) as opened:
            return list(exposed_to(opened.database, tenant, experiment))

    with closing(open_store(url)) as opened:
        log, frame = _of_store(opened, tenant, currency)
        zones = zones_of(opened.database, tenant)
    return Source(log, compiled, scorer, frame, zones, exposures)


def moment_of(text: str | None, otherwise: datetime) -> datetime:
    """A moment as it was typed; UTC where it names no zone."""
    if text is None:
        return otherwise
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise TactfulError("not a moment", got=text, wanted="ISO 8601, such as 2026-05-04T09:00+02:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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


def _of_store(store: "Store", tenant: str, currency: str) -> "tuple[Logbook, pd.DataFrame]":
    import pandas as pd

    from tactful.experiments.readout.logbook import CONTACTS, DECISIONS, Logbook

    events = _frame(_events(store, tenant), ("customer_id", "time", "type", *_COLUMNS))
    contacts = _frame(_contacts(store, tenant), CONTACTS)
    decisions = _frame(_decisions(store, tenant), DECISIONS)
    log = Logbook(events[events["type"] != "contact"], contacts, decisions, currency)
    return log, events.astype({"categories": "uint64"}) if len(events) else pd.DataFrame(events)


_COLUMNS = ("event_id", "amount", "discount", "quantity", "categories", "channel", "subject")


def _frame(rows: "Iterator[tuple[Any, ...]]", columns: tuple[str, ...]) -> "pd.DataFrame":
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(columns))
    return frame.assign(time=pd.to_datetime(frame["time"], unit="us", utc=True).dt.as_unit("us"))


def _events(store: "Store", tenant: str) -> "Iterator[tuple[Any, ...]]":
    from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

    for customer, e in store.events(tenant):
        kind, channel = EVENT_TYPES[e.type], CHANNELS[e.channel]
        bits = e.categories % 2**64
        yield customer, e.time, kind, e.id, e.amount, e.discount, e.quantity, bits, channel, e.subject


def _contacts(store: "Store", tenant: str) -> "Iterator[tuple[Any, ...]]":
    from tactful.experiments.readout.logbook import UNKNOWN
    from tactful.features.timestamps import microseconds

    for customer, status, c in store.ledger(tenant):
        if status != "released":
            yield customer, microseconds(c.time), c.programme or UNKNOWN, c.message, c.channel


def _decisions(store: "Store", tenant: str) -> "Iterator[tuple[Any, ...]]":
    from tactful.decisions.kernel.decision import SILENCE
    from tactful.decisions.kernel.record import parse
    from tactful.features.timestamps import microseconds

    for stored in store.decision_log(tenant):
        made = parse(stored.record)
        action = made.choice.action if made.outcome != SILENCE and made.choice else None
        names = (action.programme, action.message, action.channel) if action else ("", "", "")
        yield made.customer, microseconds(made.moment), *names
