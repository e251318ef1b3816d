"""The BG/NBD model by itself as a score of lapse: what a shop can begin with before trees earn their place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tactful.models.base.model import CustomerModel, as_json
from tactful.models.scores.bgnbd import HISTORY, Outlook, Repeats


@dataclass(frozen=True, slots=True, eq=False)
class RhythmModel(CustomerModel):
    """The probability of no purchase in a horizon, from the rhythm of a customer's purchases.

    See `tactful.models.scores.bgnbd`.

    Attributes:
        outlook: The fitted population and the horizon.
        data_digest: Digest of the events it was fitted to.
        metrics: How it did on the test rows, for the record: numbers, texts and mappings of them.
        learnt_until: The latest moment whose outcome it may have learnt from, aware; None where that is not known.

    Example:
        >>> from tactful.models.scores.bgnbd import BgNbd
        >>> model = RhythmModel(Outlook(BgNbd(r=0.25, alpha=30.0, a=0.8, b=2.5), horizon_days=28.0), "digest", {})
        >>> model.score(np.array([[200.0, 1.0, 200.0], [np.nan, 0.0, np.nan]])).round(3).tolist()
        [0.972, nan]
    """

    KIND: ClassVar[str] = "rhythm"
    outlook: Outlook
    data_digest: str
    metrics: Mapping[str, Any]
    learnt_until: datetime | None = None

    @property
    def customer_columns(self) -> tuple[str, ...]:
        """The features of the customer it reads, in order."""
        return HISTORY

    def score(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """The probability of no purchase, shape (n,); NaN for customers who never bought.

        Args:
            rows: Shape (n, 3), the features named `HISTORY`.
        """
        history = np.asarray(rows, dtype=np.float64)
        return self.outlook.population.no_purchase(Repeats.of(history), self.outlook.horizon_days)

    def dump(self) -> str:
        """The fitted population and the horizon, as JSON."""
        return as_json(self.outlook.to_json())

    @classmethod
    def load(cls, text: str, entry: Mapping[str, Any]) -> Self:
        """The inverse of `dump`, with the record of the manifest."""
        return cls(Outlook.from_json(json.loads(text)), entry["data_digest"], entry["metrics"])
