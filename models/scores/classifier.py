"""A fitted model as one value: trees, calibration, and what its columns mean."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tactful.models.base import calibration as calibrations
from tactful.models.base.calibration import Beta, Identity, Platt
from tactful.models.base.errors import ModelError
from tactful.models.base.gbm import Rows, TreeModel
from tactful.models.base.model import CustomerModel, Target
from tactful.models.scores.bgnbd import BGNBD_FEATURES, HISTORY, Outlook


@dataclass(frozen=True, slots=True)
class ActionFeature:
    """A property of an offer that a model reads besides the customer's features.

    Attributes:
        name: The offer's key.
        categories: The values a category can take, their position is their code; empty for a number.
    """

    name: str
    categories: tuple[str, ...] = ()

    def encode(self, offer: Mapping[str, float | str]) -> float:
        """The offer's value as the model's column; NaN, which is missing, for an absent value or new category.

        Raises:
            ModelError: A text where the model takes a number.

        Example:
            >>> ActionFeature("campaign_type", ("A", "B")).encode({"campaign_type": "B"})
            1.0
        """
        value = offer.get(self.name)
        if value is None:
            return float("nan")
        if self.categories:
            return float(self.categories.index(value)) if value in self.categories else float("nan")
        if isinstance(value, str):
            raise ModelError("unfit value of an offer", got=value, wanted="a number", where=self.name)
        return float(value)


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel(CustomerModel):
    """Features to calibrated probabilities.

    Attributes:
        trees: Its columns are features of the customer, then the outlook's predictions or the properties of the action.
        calibration: Applied to what the trees say.
        per_action: Whether it scores a customer and an offer, or a customer.
        action_features: The last columns; empty unless `per_action`.
        data_digest: Digest of the events it was fitted to.
        metrics: How it did on the test rows, for the record: numbers, texts and mappings of them.
        outlook: Predicts the last columns from the customer's history; None where there are none, as per action.
        learnt_until: The latest moment whose outcome it learnt from, aware; None where that is not known.
    """

    KIND: ClassVar[str] = "trees"
    SUFFIX: ClassVar[str] = ".txt"
    trees: TreeModel
    calibration: Identity | Platt | Beta
    per_action: bool
    action_features: tuple[ActionFeature, ...]
    data_digest: str
    metrics: Mapping[str, Any]
    outlook: Outlook | None = None
    learnt_until: datetime | None = None

    @property
    def target(self) -> Target:
        """The target of its scores."""
        return Target.ACTIONS if self.per_action else Target.CUSTOMERS

    @property
    def customer_columns(self) -> tuple[str, ...]:
        """The features of the customer it reads, in order: those of the trees, then what else the outlook reads."""
        if self.outlook is None:
            return self.trees.columns[: len(self.trees.columns) - len(self.action_features)]
        own = self.trees.columns[: -len(BGNBD_FEATURES)]
        return (*own, *(name for name in HISTORY if name not in own))

    def score(self, rows: Rows) -> NDArray[np.float64]:
        """Calibrated probabilities of complete rows, shape (n,).

        Args:
            rows: Shape (n, len(customer_columns) + len(action_features)).
        """
        return self.calibration.apply(self.trees.predict(self.tree_rows(rows)))

    def tree_rows(self, rows: Rows) -> NDArray[np.float64]:
        """Complete rows as the trees read them, shape (n, len(trees.columns)).

        Raises:
            ModelError: The rows have another number of columns.
        """
        if self.outlook is None:
            return rows
        names, own = self.customer_columns, len(self.trees.columns) - len(BGNBD_FEATURES)
        if rows.ndim != 2 or rows.shape[1] != len(names):
            raise ModelError("rows do not fit the model", got=rows.shape, wanted=f"(n, {len(names)})")
        complete = np.empty((len(rows), len(self.trees.columns)))
        complete[:, :own] = rows[:, :own]
        complete[:, own:] = self.outlook.columns(rows[:, [names.index(name) for name in HISTORY]])
        return complete

    def encode(self, offers: Sequence[Mapping[str, float | str]]) -> NDArray[np.float64]:
        """The action's columns of offers, shape (n, len(action_features))."""
        codes = [[feature.encode(offer) for feature in self.action_features] for offer in offers]
        return np.array(codes, dtype=np.float64).reshape(len(offers), len(self.action_features))

    def dump(self) -> str:
        """The trees as LightGBM's native text."""
        return self.trees.text

    def settings(self) -> dict[str, Any]:
        """Calibration, offer columns and outlook, as JSON's values."""
        return {
            "per_action": self.per_action,
            "action_features": [asdict(feature) for feature in self.action_features],
            "calibration": calibrations.to_json(self.calibration),
            "outlook": None if self.outlook is None else self.outlook.to_json(),
        }

    @classmethod
    def load(cls, text: str, entry: Mapping[str, Any]) -> Self:
        """The inverse of `dump` and `settings`; an entry of the first two formats knows no outlook.

        Raises:
            ModelError: The text is not LightGBM's, or the calibration is of an unknown kind.
        """
        outlook = entry.get("outlook")
        features = (ActionFeature(one["name"], tuple(one["categories"])) for one in entry["action_features"])
        return cls(
            trees=TreeModel(text),
            calibration=calibrations.from_json(entry["calibration"]),
            per_action=entry["per_action"],
            action_features=tuple(features),
            data_digest=entry["data_digest"],
            metrics=entry["metrics"],
            outlook=None if outlook is None else Outlook.from_json(outlook),
        )
