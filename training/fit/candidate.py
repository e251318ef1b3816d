"""A fitted model with its evidence, as it asks to be let into use: what tracking, gate and registry need to know."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tactful.features.definitions.definitions import FeatureSet
from tactful.features.timestamps import EARLIEST
from tactful.models.base.model import Model
from tactful.models.bundles.manifest import FORMAT

Interval = Mapping[str, float | None]
"""`value`, `low` and `high`."""


def _nothing() -> dict[str, Figure]:
    return {}


def _no_fallback() -> "Candidate | None":
    return None


def _incomparable(_: Model) -> dict[str, Interval]:
    return {}


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A fitted model that asks to be let into use.

    Attributes:
        name: Of the score it gives.
        label: The predicted outcome, in words; models of different labels are not compared.
        model: The model for the bundle.
        feature_set: The features that it reads.
        data_digest: Digest of what it was fitted to.
        parameters: The settings of labels and fit.
        metrics: How it did: numbers, texts and mappings of them; estimates as `{value, low, high}`.
        refusals: Why its own figures forbid it; empty where they do not.
        tolerances: By how much it may be worse than the champion at the low end, by measure; infinite for measures that
            are reported and refuse nothing. In no other measure may it be worse for certain.
        gains_over: By how much it is better than another model on the same test rows, by measure, paired and with
            intervals; empty where that cannot be told.
        figures: Draws its plots, by name.
        fallback: Gives a simpler model of the same, which may be the first champion where this one is refused; None if
            there is none.
    """

    name: str
    model: Model
    feature_set: FeatureSet
    data_digest: str
    parameters: Mapping[str, int | float | str]
    metrics: dict[str, Any]
    label: str = ""
    refusals: tuple[str, ...] = ()
    tolerances: Mapping[str, float] = field(default_factory=dict)
    gains_over: Callable[[Model], Mapping[str, Interval]] = field(default=_incomparable)
    figures: Callable[[], Mapping[str, Figure]] = field(default=_nothing)
    fallback: "Callable[[], Candidate | None]" = field(default=_no_fallback)


def job_key(name: str, data_digest: str, feature_set: FeatureSet, settings: Mapping[str, Any]) -> str:
    """The identity of a job: equal keys would give equal models, so that the second need not run.

    Args:
        name: Of the score.
        data_digest: Digest of what it learns from.
        feature_set: The features that it reads.
        settings: Everything else it depends on, as JSON's values.

    Example:
        >>> from tactful.features.definitions.standard import STANDARD
        >>> job_key("clv", "d1", STANDARD, {"window": 84}) == job_key("clv", "d2", STANDARD, {"window": 84})
        False
    """
    said = [name, data_digest, feature_set.fingerprint, dict(settings), version("tactful"), FORMAT]
    return hashlib.sha256(json.dumps(said, sort_keys=True, allow_nan=False).encode()).hexdigest()


def latest(settled: NDArray[np.int64]) -> datetime:
    """The latest of moments in microseconds since the epoch: until when what was learnt from them reaches.

    Example:
        >>> latest(np.array([0, 86_400_000_000])).isoformat()
        '1970-01-02T00:00:00+00:00'
    """
    return EARLIEST + timedelta(microseconds=int(settled.max()))


def shown(estimate: Interval) -> str:
    """An estimate with its interval, as reasons tell it."""
    value, low, high = ("?" if estimate[name] is None else f"{estimate[name]:.4f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def short_of(estimate: Interval, bound: float) -> str:
    """By how much the low end of an interval misses a bound that it must exceed.

    Example:
        >>> short_of({"value": 0.01, "low": -0.002, "high": 0.03}, 0.0)
        'low end above 0 wanted, 0.0020 short'
    """
    low = estimate["low"]
    missing = "" if low is None else f", {bound - low:.4f} short"
    return f"low end above {bound:g} wanted{missing}"


def above(estimate: Interval, bound: float) -> bool:
    """Whether a whole interval lies above a bound."""
    low = estimate["low"]
    return low is not None and low > bound
