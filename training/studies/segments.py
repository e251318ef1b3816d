"""How a test looks within segments of its rows, and among its highest scores, with intervals over customers."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tactful.features.array_types import Floats
from tactful.models.base.metrics import Estimate, Outcomes, Statistic


class Bands(NamedTuple):
    """Rows sorted into segments.

    Attributes:
        names: Of the segments, in order.
        of: Position of each row's segment among the names, int64, shape (n,).
    """

    names: tuple[str, ...]
    of: NDArray[np.int64]


class Segment(NamedTuple):
    """The estimates of one segment.

    Attributes:
        name: Of the segment.
        rows: How many it has.
        customers: The customer of each row.
        estimate: With its 95 % interval.
    """

    name: str
    rows: int
    customers: int
    estimate: Estimate


def bands(values: Floats, edges: Sequence[float], unit: str) -> Bands:
    """Bands of a number, each from one edge to below the next; NaN is a band of its own.

    Args:
        values: Shape (n,).
        edges: Ascending, not empty.
        unit: Of the values, in the plural.

    Returns:
        Only bands that have rows.

    Example:
        >>> bands(np.array([3.0, 7.0, 40.0]), [7, 28], "days")
        Bands(names=('under 7 days', '7 to 28 days', '28 days or more'), of=array([0, 1, 2]))
    """
    between = [f"{low:g} to {high:g} {unit}" for low, high in pairwise(edges)]
    names = [f"under {edges[0]:g} {unit}", *between, f"{edges[-1]:g} {unit} or more", "unknown"]
    place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
    present, of = np.unique(place, return_inverse=True)
    return Bands(tuple(names[i] for i in present), of.astype(np.int64))


def groups(labels: Sequence[str]) -> Bands:
    """One segment for each label, in alphabetical order."""
    names, of = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    return Bands(tuple(names.tolist()), of.astype(np.int64))


def mean_by_segment(outcomes: Outcomes, values: Floats | NDArray[np.bool_], segments: Bands) -> list[Segment]:
    """The mean of a number in each segment; of outcomes, their share.

    Args:
        outcomes: Of the rows; only whose they are is read.
        values: The number, shape (n,).
        segments: Of the rows.
    """
    return [
        _segment(name, part, _mean(part, values[segments.of == number].astype(np.float64)))
        for number, (name, part) in enumerate(_parts(outcomes, segments))
    ]


def bias_by_segment(outcomes: Outcomes, probability: Floats, segments: Bands) -> list[Segment]:
    """The mean of probability less outcome in each segment: below 0 where the score is too low."""
    return mean_by_segment(outcomes, probability - outcomes.positive, segments)


def lift(outcomes: Outcomes, probability: Floats, shares: Sequence[float]) -> list[Estimate]:
    """How many times as often outcomes are positive among the highest scores as among all rows.

    Draws of customers keep the rows chosen in the sample. Rows of one score are chosen in the order they stand.

    Args:
        outcomes: Of the rows.
        probability: The score, shape (n,).
        shares: Of the rows that are chosen, in (0, 1].

    Example:
        >>> outcomes = Outcomes.of([True, False, False, False], list("abcd"))
        >>> lift(outcomes, np.array([0.9, 0.2, 0.1, 0.4]), [0.25, 1.0])[0].value
        4.0
    """
    rank = np.empty(len(probability), dtype=np.int64)
    rank[np.argsort(-probability, kind="stable")] = np.arange(len(probability))
    statistics = {share: _lift(outcomes, rank < round(share * len(rank))) for share in shares}
    return list(outcomes.estimate(statistics).values())


def _parts(outcomes: Outcomes, segments: Bands) -> list[tuple[str, Outcomes]]:
    chosen = [segments.of == number for number in range(len(segments.names))]
    parts = [Outcomes.of(outcomes.positive[mask], outcomes.customer[mask]) for mask in chosen]
    return list(zip(segments.names, parts, strict=True))


def _segment(name: str, part: Outcomes, statistic: Statistic) -> Segment:
    return Segment(name, len(part.positive), part.customers, part.estimate({"": statistic})[""])


def _mean(part: Outcomes, values: Floats) -> Statistic:
    sums, rows = _by_customer(part, values), _by_customer(part, np.ones(len(values)))
    return Statistic(lambda counts: _divide(counts @ sums, counts @ rows), float(values.min()), float(values.max()))


def _lift(outcomes: Outcomes, chosen: NDArray[np.bool_]) -> Statistic:
    positives, rows = _by_customer(outcomes, outcomes.positive), _by_customer(outcomes, np.ones(len(chosen)))
    found, asked = _by_customer(outcomes, chosen & outcomes.positive), _by_customer(outcomes, chosen)
    return Statistic(
        lambda counts: _divide((counts @ found) * (counts @ rows), (counts @ asked) * (counts @ positives)), most=np.inf
    )


def _by_customer(outcomes: Outcomes, values: NDArray[np.generic]) -> Floats:
    return np.asarray(np.bincount(outcomes.customer, values.astype(float), outcomes.customers), dtype=np.float64)


def _divide(above: Floats, below: Floats) -> Floats:
    """NaN over 0: a draw may lack what is counted."""
    ratio = np.full(below.shape, np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio
