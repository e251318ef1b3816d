"""The risk that one more contact now makes a customer leave our reach, by how often the customer was contacted.

A logistic regression of few columns, each of which can only raise the risk, drawn towards what the marketer states: the
event is rare, and the best fit of a rare event is an accident.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, logit

from tactful.features.array_types import Floats
from tactful.models.base.errors import ModelError
from tactful.models.base.model import CustomerModel, as_json

_MOST = 20.0
"""Contacts above this count as this: nobody knows what lies beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class PressureModel(CustomerModel):
    """Contacts so far to the risk of one more.

    Attributes:
        columns: Features that count recent contacts.
        intercept: Log-odds of the risk for a rested customer.
        slopes: Growth of the log-odds by contact, at least 0, shape (k,).
        data_digest: Digest of what it was fitted to.
        metrics: How it did, for the record.
        learnt_until: The latest moment whose outcome it learnt from, aware; None where that is not known.

    Raises:
        ModelError: Not a finite slope for each column, or no finite intercept.
    """

    KIND: ClassVar[str] = "pressure"
    columns: tuple[str, ...]
    intercept: float
    slopes: Floats
    data_digest: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    learnt_until: datetime | None = None

    def __post_init__(self) -> None:
        if self.slopes.shape != (len(self.columns),) or not np.isfinite([self.intercept, *self.slopes]).all():
            wanted, where = "an intercept and a slope for each column, finite", ", ".join(self.columns)
            got = (self.intercept, self.slopes.tolist())
            raise ModelError("unfit log-odds of contact pressure", got=got, wanted=wanted, where=where)

    @property
    def customer_columns(self) -> tuple[str, ...]:
        """The features it reads, in order."""
        return self.columns

    @classmethod
    def fit(
        cls,
        contacts: Floats,
        left: ArrayLike,
        columns: Sequence[str],
        *,
        risk: float = 0.001,
        growth: float = 0.5,
        weight: float = 50.0,
        data_digest: str = "",
    ) -> Self:
        """Maximises the likelihood less the distance from what was stated.

        The stated risk counts as `weight` contacts that answered as stated; the growth of the first column is drawn
        to the stated one and the others' to none, by a normal belief of standard deviation 0.25.

        Source: prior data as Bedrick, Christensen and Johnson (1996), A New Perspective on Priors for Generalized
        Linear Models; the ridge as le Cessie and van Houwelingen (1992), Ridge Estimators in Logistic Regression.

        Args:
            contacts: Recent contacts of delivered ones, shape (n, k); missing counts as none.
            left: Whether the customer left after it, shape (n,).
            columns: Names of the k columns; the shortest window first.
            risk: Stated risk of a rested customer, in (0, 1).
            growth: Stated growth of its log-odds by one more contact in the shortest window, at least 0.
            weight: Contacts the stated risk counts as, at least 0.
            data_digest: Digest of the rows.

        Raises:
            ModelError: Shapes differ, an outcome is no 0 or 1, nothing was stated that can be, or there is no row.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> contacts = rng.poisson(2.0, (20_000, 1)).astype(float)
            >>> left = rng.random(20_000) < 0.002 * np.exp(0.5 * contacts[:, 0])
            >>> model = PressureModel.fit(contacts, left, ["contacts_7d"])
            >>> model.score(np.array([[0.0], [4.0]])).round(3).tolist()
            [0.001, 0.013]
        """
        positive = np.asarray(left, dtype=np.float64)
        if contacts.shape != (len(positive), len(columns)) or not len(positive):
            raise ModelError("contacts and outcomes differ", got=contacts.shape, wanted=f"(n, {len(columns)})")
        if not np.isin(positive, (0.0, 1.0)).all():
            got = float(positive[~np.isin(positive, (0.0, 1.0))][0])
            raise ModelError("unfit outcome", got=got, wanted="whether the customer left, 0 or 1", where="left")
        if not (0 < risk < 1 and 0 <= growth < np.inf and 0 <= weight < np.inf):
            wanted = "a risk in (0, 1), finite growth and weight >= 0"
            raise ModelError("unfit belief", got=(risk, growth, weight), wanted=wanted, where="risk, growth, weight")
        found = _fitted(_bounded(contacts), positive, risk, growth, weight)
        return cls(tuple(columns), float(found[0]), found[1:], data_digest)

    def score(self, rows: Floats) -> Floats:
        """The risk of one more contact, in (0, 1), never less after more contacts.

        Args:
            rows: Recent contacts, shape (n, k); missing counts as none.

        Returns:
            Shape (n,).

        Raises:
            ModelError: Rows of another width.
        """
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            wanted, where = f"(n, {len(self.columns)})", ", ".join(self.columns)
            raise ModelError("rows of another shape", got=rows.shape, wanted=wanted, where=where)
        return np.asarray(expit(self.intercept + (_bounded(rows) * self.slopes).sum(axis=1)))

    def gradients(self, rows: Floats) -> Floats:
        """How the risk moves with intercept and slopes, shape (n, k + 1)."""
        risk = self.score(rows)
        return np.asarray((risk * (1 - risk))[:, None] * _design(rows))

    def covariance(self, contacts: Floats, left: ArrayLike, customers: ArrayLike, *, weight: float = 50.0) -> Floats:
        """How unsure intercept and slopes are: `(H + P)⁻¹ (M + P) (H + P)⁻¹`.

        H is the curvature of the likelihood, P that of what was stated, and M the spread of the customers' scores:
        what a customer did after one contact depends on what they did after another.

        Source: Huber (1967), The Behavior of Maximum Likelihood Estimates under Nonstandard Conditions; by customer as
        Liang and Zeger (1986), Longitudinal Data Analysis Using Generalized Linear Models.

        Args:
            contacts: The rows that it was fitted to, shape (n, k).
            left: Shape (n,).
            customers: The customer of each row, shape (n,).
            weight: Contacts the stated risk counts as, as in the fit.

        Returns:
            Shape (k + 1, k + 1).
        """
        risk, design = self.score(contacts), _design(contacts)
        rested = float(expit(self.intercept))
        stated = np.diag([weight * rested * (1 - rested), *np.full(len(self.slopes), 1 / _SPREAD**2)])
        bread = np.linalg.inv(design.T @ ((risk * (1 - risk))[:, None] * design) + stated)
        codes = np.unique(np.asarray(customers).astype(str), return_inverse=True)[1]
        scores = np.zeros((int(codes.max()) + 1, design.shape[1]))
        np.add.at(scores, codes, (np.asarray(left, dtype=np.float64) - risk)[:, None] * design)
        return np.asarray(bread @ (stated + scores.T @ scores) @ bread)

    def dump(self) -> str:
        """Columns, intercept and slopes, as JSON."""
        return as_json({"columns": list(self.columns), "intercept": self.intercept, "slopes": self.slopes.tolist()})

    @classmethod
    def load(cls, text: str, entry: Mapping[str, Any]) -> Self:
        """The inverse of `dump`, with the record of the manifest.

        Raises:
            ModelError: Something is missing, or does not fit.
        """
        record = (entry["data_digest"], entry["metrics"])
        try:
            values = json.loads(text)
            slopes = np.array(values["slopes"], dtype=np.float64)
            return cls(tuple(values["columns"]), float(values["intercept"]), slopes, *record)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError("no model of contact pressure", got=repr(error), wanted="what `dump` gave") from error


_SPREAD = 0.25


def _design(contacts: Floats) -> Floats:
    return np.column_stack([np.ones(len(contacts)), _bounded(contacts)])


def _bounded(contacts: Floats) -> Floats:
    return np.clip(np.nan_to_num(contacts, nan=0.0), 0.0, _MOST)


def _fitted(contacts: Floats, left: Floats, risk: float, growth: float, weight: float) -> Floats:
    """Intercept and slopes, shape (k + 1,)."""
    stated = np.array([growth, *[0.0] * (contacts.shape[1] - 1)])
    design = np.vstack([np.column_stack([np.ones(len(left)), contacts]), np.eye(1, contacts.shape[1] + 1)])
    positive = np.append(left, risk)
    counts = np.append(np.ones(len(left)), weight)

    def loss(found: Floats) -> tuple[float, Floats]:
        linear = design @ found
        distance = found[1:] - stated
        value = counts @ (np.logaddexp(0, linear) - positive * linear) + (distance**2).sum() / (2 * _SPREAD**2)
        gradient = design.T @ (counts * (expit(linear) - positive))
        gradient[1:] += distance / _SPREAD**2
        return float(value), gradient

    start = np.append(logit(np.clip(left.mean(), risk / 10, 0.5)), stated)
    bounds = [(None, None), *[(0.0, None)] * contacts.shape[1]]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12}).x)
