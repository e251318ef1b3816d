"""The tables of a store as pandas frames, whose columns and types do not depend on their rows."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from tactful.decisions.analysis.explain import why_silence
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.kernel.record import parse
from tactful.features.build import build_pairs
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.schema import encode
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.store.admin.people import zones_of
from tactful.serving.store.port import Store
from tactful.serving.store.queries.experiments import exposed_to
from tactful.serving.store.queries.profiles import profiles
from tactful.serving.store.queries.tenants import zone_of

TIME = "datetime64[us, UTC]"
EVENTS = {
    "customer_id": "str",
    "time": TIME,
    "type": "str",
    "event_id": "str",
    "amount": "float64",
    "discount": "float64",
    "quantity": "float64",
    "categories": "uint64",
    "channel": "str",
    "subject": "str",
}
CONTACTS = {
    "contact_id": "str",
    "customer_id": "str",
    "time": TIME,
    "status": "str",
    "programme": "str",
    "message": "str",
    "channel": "str",
    "opening": "str",
    "counts": "bool",
}
DECISIONS = {
    "decision_id": "str",
    "customer_id": "str",
    "time": TIME,
    "programme": "str",
    "message": "str",
    "channel": "str",
    "priority": "float64",
    "probability": "float64",
    "silence_probability": "float64",
    "silence": "str",
    "stratum": "str",
    "catalogue": "str",
    "bundle": "str",
    "kernel": "str",
}
OUTCOMES = {"decision_id": "str", "customer_id": "str", "kind": "str", "time": TIME, "value": "float64"}
EXPOSURES = {"decision_id": "str", "customer_id": "str", "arm": "str", "time": TIME}
_ATTRIBUTES = {"string": "str", "number": "float64", "integer": "float64", "boolean": "boolean", "date": "str"}
_OF_JSON: Mapping[str, set[type]] = {"str": {str}, "float64": {int, float}, "boolean": {bool}}


def events(store: Store, tenant: str) -> pd.DataFrame:
    """Every event, with the columns `EVENTS`."""
    return _frame(_events(store, tenant), EVENTS)


def contacts(store: Store, tenant: str) -> pd.DataFrame:
    """Every entry of the ledger, with the columns `CONTACTS`."""
    rows = (
        (c.id, customer, microseconds(c.time), status, c.programme, c.message, c.channel, c.opening, c.counts)
        for customer, status, c in store.ledger(tenant)
    )
    return _frame(rows, CONTACTS)


def decisions(store: Store, tenant: str) -> pd.DataFrame:
    """Every decision, with the columns `DECISIONS`."""
    return _frame(_decisions(store, tenant), DECISIONS)


def outcomes(store: Store, tenant: str) -> pd.DataFrame:
    """Every outcome, with the columns `OUTCOMES`."""
    return _frame(store.outcomes(tenant), OUTCOMES)


def exposures(store: Store, tenant: str, experiment: str) -> pd.DataFrame:
    """The first exposure of each customer to an experiment, with the columns `EXPOSURES`."""
    found = exposed_to(store.database, tenant, experiment)
    return _frame(((one.decision, one.customer, one.arm, microseconds(one.moment)) for one in found), EXPOSURES)


def customers(store: Store, tenant: str, catalogue: Catalogue) -> pd.DataFrame:
    """Every customer, with the attributes and consents that a catalogue knows."""
    attributes = {f"attribute_{name}": _ATTRIBUTES[one.type] for name, one in catalogue.attributes.items()}
    pairs = [(channel, purpose) for channel in catalogue.channels for purpose in _purposes(catalogue)]
    consents = {f"consent_{channel}_{purpose}": "boolean" for channel, purpose in pairs}
    columns = {"customer_id": "str", "zone": "str", "joined": TIME, **attributes, **consents}
    rows = (
        (
            one.customer,
            one.zone,
            None if one.joined is None else microseconds(one.joined),
            *(_fitting(one.attributes.get(name), declared.type) for name, declared in catalogue.attributes.items()),
            *(one.consents.get(pair) for pair in pairs),
        )
        for one in profiles(store.database, tenant)
    )
    return _frame(rows, columns)


def features(store: Store, tenant: str, as_of: datetime, catalogue: Catalogue) -> pd.DataFrame:
    """Features of every customer as of a moment, counted in the zones that decisions count them in."""
    zone = catalogue.timezone or zone_of(store.database, tenant) or "UTC"
    happened = events(store, tenant)
    happened = happened[happened["time"] < as_of]
    ids = store.customer_ids(tenant)
    histories = encode(happened, zone, zones_of(store.database, tenant))
    frame = build_pairs(histories, ids, [as_of] * len(ids), catalogue.feature_set(STANDARD))
    index = pd.Index(ids, name="customer_id", dtype="str")
    return pd.DataFrame(frame.values, index=index, columns=list(frame.feature_set.names))


def _frame(rows: Iterable[Sequence[Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    listed = list(rows)
    series = zip(*listed, strict=True) if listed else ((),) * len(columns)
    return pd.DataFrame({name: _series(values, columns[name]) for name, values in zip(columns, series, strict=True)})


def _series(values: Sequence[Any], dtype: str) -> "pd.Series[Any]":
    """Values of a type; moments are microseconds since the epoch, and what is None is missing."""
    if dtype != TIME:
        return pd.Series(values, dtype=dtype)
    return pd.to_datetime(pd.Series(values, dtype="Int64"), unit="us", utc=True).dt.as_unit("us")


def _events(store: Store, tenant: str) -> Iterator[tuple[Any, ...]]:
    for customer, e in store.events(tenant):
        kind, channel = EVENT_TYPES[e.type], CHANNELS[e.channel]
        bits = e.categories % 2**64
        yield customer, e.time, kind, e.id, e.amount, e.discount, e.quantity, bits, channel, e.subject


def _decisions(store: Store, tenant: str) -> Iterator[tuple[Any, ...]]:
    for stored in store.decision_log(tenant):
        made = parse(stored.record)
        action = made.choice.action if made.choice else None
        yield (
            made.id,
            stored.customer,
            microseconds(made.moment),
            *((action.programme, action.message, action.channel) if action else (None, None, None)),
            made.choice.priority if made.choice else None,
            made.probability,
            made.silence_probability,
            why_silence(made) or None,
            made.stratum,
            made.versions.catalogue,
            made.versions.bundle,
            made.versions.kernel,
        )


def _fitting(value: Any, kind: str) -> Any:
    """A stored attribute; None where it does not fit its declared type, as conditions do not see it either."""
    dtype = _ATTRIBUTES[kind]
    if type(value) not in _OF_JSON[dtype]:
        return None
    return value if dtype != "float64" or abs(value) <= sys.float_info.max else None


def _purposes(catalogue: Catalogue) -> list[str]:
    return list(dict.fromkeys(programme.purpose for programme in catalogue.programmes))
