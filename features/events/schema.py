"""The event vocabulary, the table events cross the border in, and the arrays they are computed from.

At the border an event is a row of a pandas frame with the columns of `DEFAULTS`:

=============  ====================  =======================================================================
customer_id    text                  who; required
time           datetime64[us, UTC]   when; required
type           text                  one of `EVENT_TYPES`; required
event_id       text                  identifies duplicates; derived from the row where absent
amount         float64               currency received: a purchase >= 0, a refund <= 0
discount       float64               currency not asked for, >= 0
quantity       float64               units bought, points earned or spent
categories     uint64                set of up to 64 categories, bit i for the i-th name of the vocabulary
channel        text                  one of `CHANNELS`, "" where there is none
subject        text                  the campaign, message or product concerned, "" where there is none
=============  ====================  =======================================================================

Inside, `Events` holds the same as a struct of arrays, sorted by customer and time.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tactful.features.errors import EventError
from tactful.features.events.history import ARRAYS, Events, history, origins, spent
from tactful.features.ids import canonical_id, fault_of
from tactful.features.timestamps import EARLIEST, LATEST, customers_days
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES, LARGEST

__all__ = ["CHANNELS", "EVENT_TYPES", "Events", "Validated", "encode", "history", "validate"]


REQUIRED = ("customer_id", "time", "type")
DEFAULTS: dict[str, Any] = {
    "event_id": None, "amount": 0.0, "discount": 0.0, "quantity": 0.0, "categories": 0, "channel": "", "subject": "",
}  # fmt: skip
SCHEMA = pa.schema(
    {
        "customer_id": pa.string(),
        "time": pa.timestamp("us", "UTC"),
        "type": pa.uint8(),
        "channel": pa.uint8(),
        "amount": pa.float64(),
        "discount": pa.float64(),
        "quantity": pa.float64(),
        "categories": pa.uint64(),
        "subject": pa.string(),
        "event_id": pa.string(),
    }
)
_CODES = {
    "type": {name: code for code, name in enumerate(EVENT_TYPES)},
    "channel": {name: code for code, name in enumerate(CHANNELS)},
}


class Validated(NamedTuple):
    """The outcome of `validate`: every row that came in is in exactly one of the two.

    Attributes:
        events: Canonical events, all columns, in the order they came, index kept.
        rejected: The other rows as they came, index kept, with a column `reason`.
    """

    events: pd.DataFrame
    rejected: pd.DataFrame


def validate(frame: pd.DataFrame, placeholders: Collection[str] = ()) -> Validated:
    """Separates the rows that are events from those that are not, with a reason for each of the latter.

    Of rows with one `event_id` the first is kept. Where the column is absent, the id is a digest of the
    row, so that rows alike in every column count as one event delivered twice.

    Args:
        frame: Columns `customer_id` (text or integers), `time` (datetimes with a zone) and `type`, and any
            of those in `DEFAULTS`; others are dropped.
        placeholders: Words that are no ids, as `tactful.features.ids.folded` gives them; none by default.

    Raises:
        EventError: A required column is missing, or a column's type admits no valid row.

    Example:
        >>> row = {"customer_id": "7", "time": pd.Timestamp("2026-03-01 12:00", tz="UTC")}
        >>> valid, rejected = validate(pd.DataFrame([row | {"type": "purchase"}, row | {"type": "purchas"}]))
        >>> len(valid), rejected["reason"].tolist()
        (1, ['unknown type'])
    """
    if missing := [name for name in REQUIRED if name not in frame.columns]:
        raise EventError("missing column", got=list(frame.columns), wanted=", ".join(missing))
    rows = _canonical(frame)
    reason = pd.Series("", index=rows.index, dtype=object)
    for text, wrong in (*_faults_of_ids(rows["customer_id"], placeholders), *_faults(rows)):
        reason = reason.mask((reason == "") & wrong, text)
    good = reason == ""
    reason = reason.mask(good & rows["event_id"].where(good).duplicated(), "duplicate event_id")
    good = reason == ""
    return Validated(rows[good], frame[~good].assign(reason=reason[~good]))


def _faults_of_ids(ids: "pd.Series[str]", placeholders: Collection[str]) -> Iterator[tuple[str, "pd.Series[bool]"]]:
    """The mistakes in ids that are there, each with its rows."""
    found = {id_: fault_of(id_, placeholders) for id_ in ids.dropna().unique() if id_}
    for fault in dict.fromkeys(filter(None, found.values())):
        yield f"customer_id is {fault}", ids.isin([id_ for id_, its in found.items() if its == fault])


def _faults(rows: pd.DataFrame) -> list[tuple[str, "pd.Series[bool]"]]:
    amount, kind = rows["amount"], rows["type"]
    return [
        ("missing customer_id", rows["customer_id"].fillna("").str.strip() == ""),
        ("missing time", rows["time"].isna()),
        ("time out of range", (rows["time"] < EARLIEST) | (rows["time"] >= LATEST)),
        ("unknown type", ~kind.isin(EVENT_TYPES)),
        ("unknown channel", ~rows["channel"].isin(CHANNELS)),
        *((f"{name} not a number", ~np.isfinite(rows[name])) for name in ("amount", "discount", "quantity")),
        *((f"{name} out of range", rows[name].abs() > LARGEST) for name in ("amount", "discount", "quantity")),
        ("negative discount", rows["discount"] < 0),
        ("purchase with a negative amount", (kind == "purchase") & (amount < 0)),
        ("refund with a positive amount", (kind == "refund") & (amount > 0)),
        ("missing event_id", rows["event_id"].fillna("") == ""),
    ]


def _canonical(frame: pd.DataFrame) -> pd.DataFrame:
    rows = pd.DataFrame(index=frame.index)
    rows["customer_id"] = _canonical_ids(_ids(frame["customer_id"]))
    rows["time"] = _moments(frame["time"])
    for name in ("type", "channel", "subject"):
        rows[name] = frame[name].astype("str").fillna("") if name in frame else ""
    for name in ("amount", "discount", "quantity"):
        rows[name] = _as_type(frame[name], "float64") if name in frame else 0.0
    rows["quantity"] = rows["quantity"].mask(rows["type"] == "spent", rows["quantity"].abs())
    rows["categories"] = _as_type(frame["categories"], "uint64") if "categories" in frame else np.uint64(0)
    rows["event_id"] = _ids(frame["event_id"]) if "event_id" in frame else _digests(rows)
    return rows[["customer_id", "time", "type", *DEFAULTS]]


def _ids(column: "pd.Series[Any]") -> "pd.Series[str]":
    if column.dtype.kind not in "OiuUT" and not isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype):
        raise EventError("unfit identifiers", got=str(column.dtype), wanted="text or integers", where=column.name)
    return column.astype("str")


def _canonical_ids(column: "pd.Series[str]") -> "pd.Series[str]":
    written = {id_: canonical_id(id_) or "" for id_ in column.dropna().unique()}
    changed = {id_: canonical for id_, canonical in written.items() if canonical != id_}
    return column.replace(changed) if changed else column


def _moments(column: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        raise EventError("unfit times", got=str(column.dtype), wanted="datetimes with a zone", where=column.name)
    moments: pd.Series[pd.Timestamp] = column.dt.tz_convert("UTC").dt.as_unit("us")
    return moments


def _as_type(column: "pd.Series[Any]", dtype: Any) -> "pd.Series[Any]":
    try:
        return column.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise EventError("unfit values", got=str(error), wanted=dtype, where=column.name) from error


def _digests(rows: pd.DataFrame) -> NDArray[np.str_]:
    """Sixteen hexadecimal digits a row, the same for the same contents in any process."""
    hashes = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    return np.frombuffer(hashes.astype(">u8").tobytes().hex().encode(), dtype="S16").astype("U16")


def encode(frame: pd.DataFrame, zone: str, zones: Mapping[str, str] | None = None) -> Events:
    """Canonical events as arrays.

    Args:
        frame: The result of `validate`, rows in any order.
        zone: The IANA zone of customers whose own is unknown; local days are counted in a customer's zone.
        zones: The zones of customers, by their ids.

    Raises:
        EventError: A column is missing, or a type or channel is unknown.

    Example:
        >>> times = pd.to_datetime(["2026-03-02", "2026-03-01"], utc=True)
        >>> frame = pd.DataFrame({"customer_id": ["7", "7"], "time": times, "type": ["view", "purchase"]})
        >>> encode(validate(frame).events, "UTC").type.tolist()
        [0, 2]
    """
    return from_sorted(to_table(frame), zone, zones)


def to_table(frame: pd.DataFrame) -> pa.Table:
    """Canonical events as an Arrow table of `SCHEMA`: names as codes, sorted by customer, time and contents."""
    if missing := [name for name in SCHEMA.names if name not in frame.columns]:
        raise EventError("not a canonical frame", got=list(frame.columns), wanted=", ".join(missing))
    coded = {name: _code(frame[name], codes) for name, codes in _CODES.items()}
    moments = {"time": frame["time"].dt.tz_convert(None).to_numpy()}
    columns = frame[list(SCHEMA.names)].assign(**coded, **moments)
    table = pa.Table.from_pandas(columns, preserve_index=False).cast(SCHEMA)
    return table.take(pc.sort_indices(table, [(name, "ascending") for name in SCHEMA.names]))


def from_table(table: pa.Table) -> pd.DataFrame:
    """The canonical frame of a table of `SCHEMA`; the inverse of `to_table` up to the order of rows."""
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    for name, codes in _CODES.items():
        frame[name] = pd.Series(list(codes), dtype="str").take(frame[name].to_numpy()).set_axis(frame.index)
    return frame[["customer_id", "time", "type", *DEFAULTS]]


def _code(column: "pd.Series[str]", codes: dict[str, int]) -> "pd.Series[int]":
    coded = column.map(codes)
    if coded.isna().any():
        raise EventError(f"unknown {column.name}", got=column[coded.isna()].iloc[0], wanted=", ".join(codes))
    return coded.astype("uint8")


def from_sorted(table: pa.Table, zone: str, zones: Mapping[str, str] | None = None) -> Events:
    """Arrays of a table sorted as `to_table` sorts it; of the columns after `time`, absent ones are zero."""
    ids = table["customer_id"]
    ids = ids if pa.types.is_dictionary(ids.type) else ids.dictionary_encode()
    ids = ids.unify_dictionaries().combine_chunks()
    code = ids.indices.to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.append(True, code[1:] != code[:-1])) if len(code) else np.empty(0, np.int64)
    time = table["time"].cast(pa.int64()).to_numpy()
    customers = ids.dictionary.take(pa.array(code[starts])).to_numpy(zero_copy_only=False)
    starts = np.append(starts, len(code))
    names, zone_of = _zones_of(customers, zone, zones or {})
    customer_of_row = np.repeat(np.arange(len(customers)), np.diff(starts))
    arrays = {
        name: table[name].to_numpy() if name in table.column_names else np.zeros(len(time), dtype)
        for name, dtype in ARRAYS.items()
    }
    arrays["quantity"] = spent(arrays["type"], arrays["quantity"])
    subject = table["subject"].cast(pa.string()).to_pylist() if "subject" in table.column_names else None
    return Events(
        customers=customers,
        zones=names,
        zone_of=zone_of,
        starts=starts,
        time=time,
        day=customers_days(time, customer_of_row, names, zone_of),
        origin=origins(time, arrays["type"], customer_of_row, subject),
        **arrays,
    )


def _zones_of(
    customers: NDArray[np.object_], zone: str, zones: Mapping[str, str]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The zones of customers, without repetition, the default first, and the index of each customer's."""
    if not zones:
        return (zone,), np.zeros(len(customers), dtype=np.int32)
    own = [zones.get(customer, zone) for customer in customers]
    names = tuple(dict.fromkeys((zone, *own)))
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places[name] for name in own], dtype=np.int32)
