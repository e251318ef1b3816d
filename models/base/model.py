"""The interface of every model of a bundle: its target, its columns, and its file."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Self

from tactful.features.array_types import Floats


class Target(Enum):
    """The target of a model's scores."""

    CUSTOMERS = "customers"
    ACTIONS = "actions"
    EFFECTS = "effects"


class Model(ABC):
    """A fitted model as a bundle keeps it.

    Attributes:
        KIND: Its kind's name in a manifest.
        SUFFIX: Ending of its file: `.txt` for LightGBM's native text, `.json` for numbers.
        data_digest: Digest of what it was fitted to.
        metrics: How it did, for the record: numbers, texts and mappings of them.
        learnt_until: The latest moment whose outcome it learnt from, aware; None where that is not known.
    """

    __slots__ = ()
    KIND: ClassVar[str]
    SUFFIX: ClassVar[str] = ".json"
    data_digest: str
    metrics: Mapping[str, Any]
    learnt_until: datetime | None

    @property
    def target(self) -> Target:
        """The target of its scores."""
        return Target.CUSTOMERS

    @property
    @abstractmethod
    def customer_columns(self) -> tuple[str, ...]:
        """The features of the customer it reads, in order."""

    @abstractmethod
    def dump(self) -> str:
        """The contents of its file."""

    def settings(self) -> dict[str, Any]:
        """The manifest's entry besides the file and the record, as JSON's values."""
        return {}

    @classmethod
    @abstractmethod
    def load(cls, text: str, entry: Mapping[str, Any]) -> Self:
        """The model of a file's contents and its entry in the manifest, apart from until when it learnt.

        Args:
            text: The result of `dump`.
            entry: The record (`data_digest`, `metrics`) and what `settings` gave.

        Raises:
            ModelError: The contents are not of this kind.
        """


class CustomerModel(Model):
    """A model that gives a customer a score."""

    __slots__ = ()

    @abstractmethod
    def score(self, rows: Floats) -> Floats:
        """The scores of complete rows, shape (n, len(customer_columns)), as shape (n,)."""


def as_json(values: Mapping[str, Any]) -> str:
    """Values as a model's file holds them: the same text for the same values."""
    return json.dumps(values, indent=1, sort_keys=True, allow_nan=False) + "\n"
