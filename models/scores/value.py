"""The expected spend of a customer: boosted trees for spend in a window, extended to the horizon of a lifetime value.

Spend is nothing for many and skewed for the rest: a compound Poisson-gamma distribution, whose mean the trees give
(Jørgensen 1987, Exponential dispersion models, JRSS B 49; Smyth and Jørgensen 2002, Fitting Tweedie's compound
Poisson model to insurance claims data, ASTIN Bulletin 32).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self

import lightgbm
import numpy as np

from tactful.features.array_types import Floats
from tactful.models.base.errors import ModelError
from tactful.models.base.gbm import Parameters, Rows, TreeModel
from tactful.models.base.model import CustomerModel

POWER = 1.2
"""Variance grows as the mean to this power: between 1 (counts) and 2 (amounts without zeros)."""

PARAMETERS = Parameters(rounds=300, leaves=7)
_SETTINGS = ("window_days", "horizon_days", "retention", "margin")


@dataclass(frozen=True, slots=True, eq=False)
class ValueModel(CustomerModel):
    """Features to expected value over a horizon, in currency.

    Attributes:
        trees: Expected spend in a window of `window_days`.
        window_days: The window that it was fitted to.
        horizon_days: The horizon of the score.
        retention: Spend of a window relative to the one before it, in (0, 1].
        margin: Share of spend that is margin, in (0, 1].
        data_digest: Digest of the events it was fitted to.
        metrics: How it did, for the record.
        learnt_until: The latest moment whose outcome it learnt from, aware; None where that is not known.
    """

    KIND: ClassVar[str] = "value"
    SUFFIX: ClassVar[str] = ".txt"
    trees: TreeModel
    window_days: int
    horizon_days: int
    retention: float
    margin: float
    data_digest: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    learnt_until: datetime | None = None

    @property
    def customer_columns(self) -> tuple[str, ...]:
        """The features it reads, in order."""
        return self.trees.columns

    @property
    def extension(self) -> float:
        """Windows that the horizon is worth, see `extension`."""
        return extension(self.window_days, self.horizon_days, self.retention)

    def score(self, rows: Rows) -> Floats:
        """Expected margin over the horizon of complete rows, in currency, at least 0, shape (n,)."""
        return self.trees.predict(rows) * (self.extension * self.margin)

    def dump(self) -> str:
        """The trees as LightGBM's native text."""
        return self.trees.text

    def settings(self) -> dict[str, Any]:
        """Window, horizon, retention and margin."""
        return {name: getattr(self, name) for name in _SETTINGS}

    @classmethod
    def load(cls, text: str, entry: Mapping[str, Any]) -> Self:
        """The inverse of `dump` and `settings`."""
        settings = {name: entry[name] for name in (*_SETTINGS, "data_digest", "metrics")}
        return cls(TreeModel(text), **settings)


def extension(window_days: int, horizon_days: int, retention: float) -> float:
    """How many windows' spend a horizon is worth where each window keeps a share of the spend of the one before.

    `(1 − ρ^n) / (1 − ρ)` with `n` windows in the horizon, and `n` where nothing is lost: the lifetime value of a
    constant retention (Gupta and Lehmann 2003, Customers as assets, Journal of Interactive Marketing 17), without
    discounting.

    Raises:
        ModelError: Days that are not above 0, or a retention outside (0, 1].

    Example:
        >>> extension(73, 365, 1.0), round(extension(73, 365, 0.9), 3)
        (5.0, 4.095)
    """
    if not (window_days > 0 and horizon_days > 0):
        raise ModelError("unfit days", got=f"window {window_days}, horizon {horizon_days}", wanted="above 0")
    if not 0 < retention <= 1:
        raise ModelError("unfit retention", got=retention, wanted="above 0, at most 1")
    windows = horizon_days / window_days
    return windows if retention == 1 else (1 - retention**windows) / (1 - retention)


def fit_spend(rows: Rows, spend: Floats, columns: Sequence[str], parameters: Parameters = PARAMETERS) -> TreeModel:
    """Fits trees whose prediction is the mean of spend.

    Args:
        rows: Shape (n, k); NaN is missing.
        spend: At least 0, shape (n,).
        columns: Their k names.
        parameters: How to fit.

    Raises:
        ModelError: Spend below 0, unknown, or nowhere above 0.

    Example:
        >>> generator = np.random.default_rng(0)
        >>> rows = generator.normal(size=(2000, 1))
        >>> spend = generator.poisson(1, 2000) * generator.gamma(2, 5, 2000) * np.exp(rows[:, 0])
        >>> trees = fit_spend(rows, spend, ["taste"], Parameters(rounds=50, leaves=4))
        >>> bool(trees.predict(np.array([[1.0]]))[0] > trees.predict(np.array([[-1.0]]))[0])
        True
    """
    if not (np.isfinite(spend).all() and (spend >= 0).all() and (spend > 0).any()):
        raise ModelError("unfit spend", got=f"from {spend.min():g} to {spend.max():g}", wanted="at least 0, some above")
    dataset = lightgbm.Dataset(
        np.ascontiguousarray(rows), spend, feature_name=list(columns), params={"verbosity": -1, "deterministic": True}
    )
    settings = {
        **parameters.lightgbm(), "objective": "tweedie", "tweedie_variance_power": POWER, "metric": "None",
    }  # fmt: skip
    return TreeModel(lightgbm.train(settings, dataset, parameters.rounds).model_to_string())


def deviance(spend: Floats, expected: Floats) -> Floats:
    """Unit deviance of each row under the distribution that is fitted, at least 0, shape (n,).

    Args:
        spend: At least 0, shape (n,).
        expected: Above 0, shape (n,).
    """
    p = POWER
    parts = (
        spend ** (2 - p) / ((1 - p) * (2 - p)) - spend * expected ** (1 - p) / (1 - p) + expected ** (2 - p) / (2 - p)
    )
    return np.asarray(2 * parts)
