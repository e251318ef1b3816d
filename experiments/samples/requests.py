"""Generated customers at a moment, as requests for decisions."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.kernel.decide import Request
from tactful.experiments.samples.customers import CONTRACT, Customers, Profile
from tactful.features.build import build_pairs
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD

Ledger = Mapping[str, Sequence[Contact]]

_READ = frozenset({"signup", "contact", "contract"})
"""Event types that a snapshot needs besides those that the catalogue looks at; everybody has signed up."""


def requests(
    customers: Customers,
    moment: datetime,
    compiled: CompiledCatalogue,
    base: FeatureSet = STANDARD,
    *,
    ledger: Ledger | None = None,
    channels: tuple[str, ...] = (),
) -> list[Request]:
    """What to decide about each customer who had signed up before a moment.

    Args:
        customers: The customers.
        moment: When, an aware UTC moment.
        compiled: The catalogue: what it looks at is in the snapshots, as far back as it looks.
        base: The features that models read.
        ledger: Contacts by customer besides those in the histories.
        channels: Only these channels; all where empty.
    """
    known = [profile for profile in customers.profiles if profile.joined < moment]
    features = build_pairs(
        customers.events, [p.customer for p in known], [moment] * len(known), compiled.catalogue.feature_set(base)
    )
    since = {name: moment - span for name, span in compiled.memory.items()}
    histories = _histories(customers, frozenset(since) | _READ)
    return [
        Request(
            f"{profile.customer}@{moment:%Y-%m-%dT%H:%M}",
            Snapshot(
                customer=profile.customer,
                moment=moment,
                features=tuple(values),
                contacts=(*_contacts(told), *(ledger or {}).get(profile.customer, ())),
                events=tuple(event for event in told if event.time >= since.get(event.type, moment)),
                attributes=_attributes(profile, told, moment.date(), compiled.catalogue),
                consents=profile.consents,
                zone=profile.zone,
                joined=profile.joined,
            ),
            channels,
        )
        for profile, values in zip(known, features.values.tolist(), strict=True)
        for told in [_before(moment, histories[profile.customer])]
    ]


def _before(moment: datetime, history: Sequence[Event]) -> Sequence[Event]:
    return history[: bisect_left(history, moment, key=lambda event: event.time)]


def _contacts(told: Sequence[Event]) -> list[Contact]:
    return [Contact(e.time, e.channel, message=e.subject, id=e.id) for e in told if e.type == "contact"]


def _attributes(profile: Profile, told: Sequence[Event], today: date, catalogue: Catalogue) -> dict[str, object]:
    ends = _contract_ends(told)
    attributes = {**profile.attributes, "contract_ends": ends, "subscriber": ends is not None and ends >= today}
    return {name: value for name, value in attributes.items() if name in catalogue.attributes}


@lru_cache(maxsize=4)
def _histories(customers: Customers, types: frozenset[str]) -> dict[str, list[Event]]:
    """The events of these types of each customer, in time order."""
    rows = customers.table[customers.table["type"].isin(types)].sort_values(["customer_id", "time"], kind="stable")
    histories: dict[str, list[Event]] = {}
    columns = (rows[name] for name in ("type", "event_id", "subject", "amount", "channel"))
    times = rows["time"].dt.to_pydatetime()
    for customer, time, kind, *rest in zip(rows["customer_id"], times, *columns, strict=True):
        histories.setdefault(customer, []).append(Event(kind, time, *rest))
    return histories


def _contract_ends(told: Sequence[Event]) -> date | None:
    """When the latest contract ends: a year after it began, or never where it was cancelled."""
    turns = [event for event in told if event.type == "contract" and event.subject != "payment_failed"]
    return (turns[-1].time + CONTRACT).date() if turns and turns[-1].subject != "cancelled" else None
