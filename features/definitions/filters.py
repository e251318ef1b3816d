"""Which events count, and which of their columns can be summed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tactful.features.errors import FeatureError
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

COLUMNS = ("amount", "discount", "quantity")


def require_name(name: str) -> None:
    """Refuses what is no name of a feature."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise FeatureError("unfit feature name", got=name, wanted="lower case letters, digits and _")


def _require_known(what: str, given: tuple[Any, ...], known: Iterable[Any]) -> None:
    if unknown := [item for item in given if item not in known]:
        raise FeatureError(f"unknown {what}", got=unknown, wanted=f"some of {list(known)}")


@dataclass(frozen=True, slots=True)
class Where:
    """Which events count. An empty field admits all.

    Attributes:
        types: Names out of `EVENT_TYPES`.
        channels: Names out of `CHANNELS`.
        weekdays: Local weekdays, Monday is 0.
        discounted: Only events with a discount above zero, or only those without.
    """

    types: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    discounted: bool | None = None

    def __post_init__(self) -> None:
        _require_known("event type", self.types, EVENT_TYPES)
        _require_known("channel", self.channels, CHANNELS)
        _require_known("weekday", self.weekdays, range(7))


EVERY_EVENT = Where()
