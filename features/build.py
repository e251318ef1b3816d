"""Feature frames: the rows a model reads, computed by the one kernel."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.errors import FeatureError
from tactful.features.events.dataset import EventDataset, bucket
from tactful.features.events.history import Events
from tactful.features.kernel.arrays import Histories, Program, Rows
from tactful.features.kernel.kernel import compute
from tactful.features.kernel.program import columns_read, compile_features
from tactful.features.timestamps import customers_days, local_days, microseconds

Moment = datetime | int
"""An aware datetime, or microseconds since the epoch."""
Progress = Callable[[int, int], None]
"""Called with the number of buckets done, and of all."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureFrame:
    """Features of customers as of moments.

    Attributes:
        customers: Customer ids, object, shape (n,).
        as_of: Microseconds since the epoch, int64, shape (n,); no event at or after it has any part.
        values: float64, shape (n, k), rows contiguous, NaN where a feature is undefined.
        feature_set: The definitions of the columns.
    """

    customers: NDArray[np.object_]
    as_of: NDArray[np.int64]
    values: NDArray[np.float64]
    feature_set: FeatureSet

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> NDArray[np.float64]:
        """One feature, shape (n,).

        Raises:
            FeatureError: The set has no such feature.
        """
        if name not in self.feature_set.names:
            raise FeatureError("unknown feature", got=name, wanted=", ".join(self.feature_set.names))
        return self.values[:, self.feature_set.names.index(name)]

    def to_pandas(self) -> pd.DataFrame:
        """One column a feature, indexed by `customer_id` and `as_of`."""
        as_of = pd.to_datetime(self.as_of, unit="us", utc=True).as_unit("us")
        index = pd.MultiIndex.from_arrays([self.customers, as_of], names=["customer_id", "as_of"])
        return pd.DataFrame(self.values, index=index, columns=list(self.feature_set.names))

    @property
    def fingerprint(self) -> str:
        """Sha256 of the definitions, the rows and the values."""
        digest = hashlib.sha256(self.feature_set.fingerprint.encode())
        digest.update("\0".join(self.customers).encode())
        digest.update(self.as_of.tobytes())
        digest.update(self.values.tobytes())
        return digest.hexdigest()


def build(
    events: Events, as_of: Sequence[Moment], feature_set: FeatureSet = STANDARD, *, everyone: bool = False
) -> FeatureFrame:
    """Features of every customer as of every moment.

    Args:
        events: Histories.
        as_of: The moments.
        feature_set: What to compute.
        everyone: Also rows of customers without an event before the moment.

    Returns:
        Rows by customer, in the order of `events.customers`, then by moment, in the order given.

    Example:
        >>> from tactful.features.events.history import history
        >>> from tactful.features.timestamps import DAY
        >>> frame = build(history("UTC", [DAY, 9 * DAY], [0, 0]), [10 * DAY])
        >>> frame.column("purchases_total").tolist(), frame.column("purchases_7d").tolist()
        ([2.0], [1.0])
    """
    return _build(events, _rows(events, _microseconds(as_of), everyone), feature_set)


def build_pairs(
    events: Events, customers: Sequence[str], as_of: Sequence[Moment], feature_set: FeatureSet = STANDARD
) -> FeatureFrame:
    """Features of the i-th customer as of the i-th moment, for each i; an unknown customer has no events.

    Args:
        events: Histories.
        customers: Ids, length n.
        as_of: Moments, length n.
        feature_set: What to compute.

    Returns:
        n rows in the order given.
    """
    if len(customers) != len(as_of):
        raise FeatureError("pairs of different lengths", got=len(as_of), wanted=len(customers), where="as_of")
    index_of = {customer: index for index, customer in enumerate(events.customers)}
    stranger = len(index_of)
    customer = np.array([index_of.get(name, stranger) for name in customers], dtype=np.int64)
    moments = _microseconds(as_of)
    rows = _rows_of(events, customer, np.arange(len(customer)), moments)
    frame = _build(events, rows, feature_set)
    return replace(frame, customers=np.array(customers, dtype=object))


def build_one(events: Events, as_of: Moment, program: Program) -> NDArray[np.float64]:
    """Features of one customer as of one moment: what a decision is made on.

    Args:
        events: The customer's history, from `tactful.features.events.history.history`.
        as_of: The moment.
        program: From `tactful.features.kernel.program.compile_features`, once.

    Returns:
        Shape (k,), the same bits as in any frame.
    """
    moments = _microseconds((as_of,))
    rows = Rows(_FIRST, _FIRST, moments, local_days(moments, events.zones[0]))
    return compute(_histories(events), rows, program).reshape(-1)


def build_dataset(
    dataset: EventDataset,
    as_of: Sequence[Moment],
    feature_set: FeatureSet = STANDARD,
    *,
    everyone: bool = False,
    progress: Progress | None = None,
) -> FeatureFrame:
    """`build` over a data set, a bucket at a time on every core.

    Args:
        dataset: From `tactful.features.events.dataset.open_events`.
        as_of: The moments.
        feature_set: What to compute.
        everyone: Also rows of customers without an event before the moment.
        progress: Called with (buckets done, buckets) after each.

    Returns:
        Rows by bucket, customer and moment.
    """
    columns, moments = columns_read(feature_set), _microseconds(as_of)
    places = np.cumsum([0, *dataset.customers]) * len(moments)
    values = np.empty((places[-1], len(feature_set)))

    def build_bucket(number: int) -> FeatureFrame:
        events = dataset.events(number, columns)
        rows = _rows(events, moments, everyone)
        return _build(events, rows, feature_set, values[places[number] :][: len(rows.customer)])

    parts = list(_each_bucket(build_bucket, dataset, progress))
    end = 0
    for part, place in zip(parts, places, strict=False):
        begin, end = end, end + len(part)
        if begin < place:
            values[begin:end] = part.values
    return FeatureFrame(
        np.concatenate([part.customers for part in parts]),
        np.concatenate([part.as_of for part in parts]),
        values[:end],
        feature_set,
    )


def build_dataset_pairs(
    dataset: EventDataset,
    customers: Sequence[str],
    as_of: Sequence[Moment],
    feature_set: FeatureSet = STANDARD,
    *,
    progress: Progress | None = None,
) -> FeatureFrame:
    """`build_pairs` over a data set, a bucket at a time on every core; rows in the order given."""
    moments = _microseconds(as_of)
    columns = columns_read(feature_set)
    ids = np.array(customers, dtype=object)
    bucket_of = np.array([bucket(customer, dataset.buckets) for customer in customers], dtype=np.int64)
    if len(ids) != len(moments):
        raise FeatureError("pairs of different lengths", got=len(moments), wanted=len(ids), where="as_of")

    def build_bucket(number: int) -> FeatureFrame:
        chosen = bucket_of == number
        return build_pairs(dataset.events(number, columns), ids[chosen], moments[chosen], feature_set)

    values = np.empty((len(ids), len(feature_set)))
    for number, part in enumerate(_each_bucket(build_bucket, dataset, progress)):
        values[bucket_of == number] = part.values
    return FeatureFrame(ids, moments, values, feature_set)


def _each_bucket(
    build_bucket: Callable[[int], FeatureFrame], dataset: EventDataset, progress: Progress | None
) -> Iterator[FeatureFrame]:
    """The frames of the buckets, in order; Arrow and the kernel release the interpreter lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, part in enumerate(pool.map(build_bucket, range(dataset.buckets))):
            yield part
            if progress is not None:
                progress(number + 1, dataset.buckets)


def _rows(events: Events, moments: NDArray[np.int64], everyone: bool) -> Rows:
    """Every customer as of every moment, by default only where there is an event before it."""
    customer = np.repeat(np.arange(len(events.customers)), len(moments))
    moment = np.tile(np.arange(len(moments)), len(events.customers))
    if not everyone:
        known = _first_moments(events)[customer] < moments[moment]
        customer, moment = customer[known], moment[known]
    return _rows_of(events, customer, moment, moments)


def _rows_of(
    events: Events, customer: NDArray[np.int64], moment: NDArray[np.int64], moments: NDArray[np.int64]
) -> Rows:
    """Rows with their days in the customers' zones; a stranger, after the last customer, has the default zone."""
    zone_of = np.append(events.zone_of, np.int32(0))
    return Rows(customer, moment, moments, customers_days(moments[moment], customer, events.zones, zone_of))


def _build(events: Events, rows: Rows, feature_set: FeatureSet, out: NDArray[np.float64] | None = None) -> FeatureFrame:
    values = compute(_histories(events), rows, compile_features(feature_set), out)
    names = np.append(events.customers, "")[rows.customer]
    return FeatureFrame(names, rows.as_of[rows.moment], values, feature_set)


_FIRST = np.zeros(1, dtype=np.int64)


def _histories(events: Events) -> Histories:
    """The arrays, with an empty history after the last customer's, all read-only: one type to compile for."""
    arrays = Histories(
        np.append(events.starts, events.starts[-1]),
        events.time.view(),
        events.day.view(),
        events.type.view(),
        events.channel.view(),
        events.amount.view(),
        events.discount.view(),
        events.quantity.view(),
        events.categories.view(),
        events.origin.view(),
    )
    for array in arrays:
        array.setflags(write=False)
    return arrays


def _first_moments(events: Events) -> NDArray[np.int64]:
    first = np.full(len(events.customers), np.iinfo(np.int64).max)
    begun = events.starts[:-1] < events.starts[1:]
    first[begun] = events.time[events.starts[:-1][begun]]
    return first


def _microseconds(moments: Sequence[Moment] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([microseconds(m) if isinstance(m, datetime) else m for m in moments], dtype=np.int64)
