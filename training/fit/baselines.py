"""The baselines that a churn model must beat: simple models of few numbers, fitted to the same rows."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tactful.features.array_types import Floats
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.models.scores.bgnbd import HISTORY, BgNbd, Repeats

Mask = NDArray[np.bool_]

RFM = ("days_since_purchase", "purchase_days_total", "spend_total")
GAPS_AND_WINDOWS = (
    *RFM, "days_since_first_purchase", "purchase_days_28d", "purchase_days_56d", "purchase_days_112d", "spend_28d",
    "spend_84d", "gap_mean_182d", "gap_std_182d", "gap_longest_182d", "gap_last",
)  # fmt: skip


class Baseline(Protocol):
    """A simple model."""

    @property
    def feature_set(self) -> FeatureSet:
        """The columns it reads."""
        ...

    def predict(self, values: Floats, positive: Mask, fit_to: Mask) -> Floats:
        """Probabilities of the outcome.

        Args:
            values: The features, shape (n, k).
            positive: Outcomes, shape (n,).
            fit_to: The rows to fit to.

        Returns:
            A probability for each row, shape (n,).
        """
        ...


@dataclass(frozen=True, slots=True)
class Logit:
    """A logistic regression on the logarithms of features, each with an indicator where it may be undefined.

    Attributes:
        names: Of standard features, such as recency, frequency and monetary value.
    """

    names: tuple[str, ...] = RFM

    @property
    def feature_set(self) -> FeatureSet:
        """The columns it reads."""
        return STANDARD.subset(self.names)

    def predict(self, values: Floats, positive: Mask, fit_to: Mask) -> Floats:
        """See `Baseline`."""
        absent = np.isnan(values)
        logs = np.nan_to_num(np.sign(values) * np.log1p(np.abs(values)))
        design = np.hstack([logs, absent[:, absent[fit_to].any(axis=0)]])
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(design[fit_to], positive[fit_to])
        return np.asarray(model.predict_proba(design)[:, 1])


@dataclass(frozen=True, slots=True)
class NoPurchase:
    """The BG/NBD model's probability of no purchase; it learns from histories and reads no outcome.

    Attributes:
        horizon_days: For how long nothing is bought.
    """

    horizon_days: float

    @property
    def feature_set(self) -> FeatureSet:
        """The columns it reads."""
        return STANDARD.subset(HISTORY)

    def predict(self, values: Floats, positive: Mask, fit_to: Mask) -> Floats:  # noqa: ARG002 - like the others
        """See `Baseline`."""
        repeats = Repeats.of(values)
        return BgNbd.fit(Repeats(*(part[fit_to] for part in repeats))).no_purchase(repeats, self.horizon_days)
