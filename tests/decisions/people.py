"""Customers made by hand: what happened to them, in words, as a snapshot with features from the kernel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tactful.decisions.kernel.decision import Decision
from tactful.experiments.samples.rule_of_thumb import RuleOfThumb
from tactful.features.build import build_one
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.history import history
from tactful.features.kernel.program import compile_features
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tests.decisions.rehearsal import GREEDY, ON_SITE, outbound_channels


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something that happened some days before the moment."""

    type: str
    days: float
    amount: float = 0.0
    discount: float = 0.0
    quantity: float = 0.0
    subject: str = "teapot"
    channel: str = "web"


def told(type_: str, *days: float, **columns: Any) -> list[Told]:
    """The same once on each of some days ago."""
    return [Told(type=type_, days=day, **columns) for day in days]


def bought(*days: float, amount: float = 40.0, **columns: Any) -> list[Told]:
    return told("purchase", *days, amount=amount, **columns)


def named(type_: str, time: datetime) -> str:
    """The id of an event of these people."""
    return f"{type_}-{time:%m%d%H%M}"


def person(
    compiled: CompiledCatalogue,
    moment: datetime,
    happened: Iterable[Told],
    contacts: Iterable[Contact] = (),
    consents: Mapping[tuple[str, str], bool] | None = None,
    **attributes: Any,
) -> Snapshot:
    """A customer who consents to everything, unless told otherwise."""
    events = sorted(happened, key=lambda event: -event.days)
    times = [moment - timedelta(days=event.days) for event in events]
    arrays = history(
        "Europe/London",
        [microseconds(time) for time in times],
        [EVENT_TYPES.index(event.type) for event in events],
        channel=[CHANNELS.index(event.channel) for event in events],
        amount=[event.amount for event in events],
        discount=[event.discount for event in events],
        quantity=[event.quantity for event in events],
    )
    program = compile_features(compiled.catalogue.feature_set(STANDARD))
    everything = {(c, p): True for c in compiled.catalogue.channels for p in ("marketing", "service")}
    return Snapshot(
        customer="somebody",
        moment=moment,
        features=tuple(build_one(arrays, moment, program).tolist()),
        contacts=tuple(contacts),
        events=tuple(
            Event(event.type, time, named(event.type, time), event.subject, event.amount, event.channel)
            for event, time in zip(events, times, strict=True)
        ),
        attributes=attributes,
        consents=everything if consents is None else consents,
    )


def decided(compiled: CompiledCatalogue, snapshot: Snapshot, *, on_site: bool = False) -> Decision:
    """The best action outbound, or on the site."""
    channels = ON_SITE if on_site else outbound_channels(compiled)
    return decide([Request("d", snapshot, channels)], compiled, GREEDY, RuleOfThumb(), RunContext(explores=False))[0]


def message(compiled: CompiledCatalogue, snapshot: Snapshot, programme: str) -> str:
    """The one message of a programme that is written for the customer's state."""
    decision = decided(compiled, snapshot)
    found = {
        candidate.action.message
        for candidate in decision.candidates
        if candidate.action.programme == programme and not any(e.gate == "state" for e in candidate.exclusions)
    }
    assert len(found) == 1, f"{programme}: {found or [e.sentence for e in decision.closed if e.rule == programme]}"
    return found.pop()
