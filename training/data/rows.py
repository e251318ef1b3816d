"""Settled decisions as arrays: what models of responses and effects learn from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tactful.features.array_types import Floats
from tactful.training.data.errors import TrainingError


@dataclass(frozen=True, slots=True, eq=False)
class DecisionRows:
    """n settled decisions among k arms.

    Attributes:
        ids: Of the decisions, shape (n,).
        customers: The customer of each row, shape (n,).
        moments: When each was made, microseconds since the epoch, shape (n,).
        settled: When its window ended, shape (n,).
        features: As logged at the moment, shape (n, p); NaN is missing.
        feature_names: Of the p columns.
        arms: The k arms; the first is silence, the others are messages, by name.
        taken: Position of the arm that was taken, shape (n,).
        probabilities: Of each arm when it was drawn, shape (n, k), rows summing to one; 0 for what a gate excluded.
        outcomes: 1 where what counts happened within the window, else 0, shape (n,).
        values: The total value of each row, in currency, shape (n,).
        left_out: Numbers of decisions without a row, by reason.
        channels: Of the contact that was made, empty for silence, shape (n,); None where not known.

    Raises:
        TrainingError: Arrays of different lengths, or no row.
    """

    ids: NDArray[np.object_]
    customers: NDArray[np.object_]
    moments: NDArray[np.int64]
    settled: NDArray[np.int64]
    features: Floats
    feature_names: tuple[str, ...]
    arms: tuple[str, ...]
    taken: NDArray[np.int64]
    probabilities: Floats
    outcomes: Floats
    values: Floats
    left_out: Mapping[str, int] = field(default_factory=dict)
    channels: NDArray[np.object_] | None = None

    def __post_init__(self) -> None:
        n = len(self.taken)
        if not n:
            raise TrainingError("no decision to learn from", got=0, wanted="settled decisions")
        wanted = {
            "features": (n, len(self.feature_names)),
            "probabilities": (n, len(self.arms)),
            **dict.fromkeys(("ids", "customers", "moments", "settled", "outcomes", "values"), (n,)),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise TrainingError("arrays that do not fit", got=getattr(self, name).shape, wanted=shape, where=name)

    def __len__(self) -> int:
        return len(self.taken)

    @property
    def taken_arms(self) -> NDArray[np.object_]:
        """Name of the arm that was taken, shape (n,)."""
        return np.array(self.arms, dtype=object)[self.taken]

    @property
    def digest(self) -> str:
        """SHA-256 of the rows in the order of their ids: equal rows, equal digests, whatever order the log came in."""
        order = np.argsort(self.ids.astype(str), kind="stable")
        found = hashlib.sha256(repr((self.arms, self.feature_names)).encode())
        for texts in (self.ids, self.customers, *(() if self.channels is None else (self.channels,))):
            found.update("\0".join(texts[order].tolist()).encode())
        for name in ("settled", "features", "taken", "probabilities", "outcomes", "values"):
            found.update(np.ascontiguousarray(getattr(self, name)[order]).tobytes())
        return found.hexdigest()

    def where(self, mask: NDArray[np.bool_]) -> "DecisionRows":
        """The rows of a mask."""
        names = (
            "ids", "customers", "moments", "settled", "features", "taken", "probabilities", "outcomes", "values",
        )  # fmt: skip
        channels = None if self.channels is None else self.channels[mask]
        return replace(self, channels=channels, **{name: getattr(self, name)[mask] for name in names})

    def columns(self, names: Sequence[str]) -> Floats:
        """The features of these names, shape (n, len(names)).

        Raises:
            TrainingError: A feature was not logged.
        """
        if unknown := sorted(set(names) - set(self.feature_names)):
            raise TrainingError("features that were not logged", got=unknown, wanted=list(self.feature_names)[:5])
        return self.features[:, [self.feature_names.index(name) for name in names]]
