"""The text of a message for one customer: the values that it may print, and whether it fits its channel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from tactful.decisions.base.calendars import zone_or
from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.snapshot import Event, Snapshot, event_facts
from tactful.decisions.base.texts.filters import MOST_CHARACTERS
from tactful.decisions.base.texts.text import Text
from tactful.decisions.catalogue.model import Catalogue, Channel, Content, Message
from tactful.features.one_line import one_line

Values = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class RenderedText:
    """The words of a message for one customer; `subject` is None on a channel that has none."""

    subject: str | None
    body: str


class Reader:
    """The values of one customer that texts may print.

    Args:
        snapshot: The customer at the moment.
        catalogue: The catalogue, which has defaults and a zone.
        feature_names: Names of the features in the snapshot, in order.
    """

    def __init__(self, snapshot: Snapshot, catalogue: Catalogue, feature_names: tuple[str, ...]) -> None:
        self._snapshot = snapshot
        self._catalogue = catalogue
        self._feature_names = feature_names

    @cached_property
    def now(self) -> datetime:
        """The moment on the customer's clock, else the catalogue's, else UTC."""
        zone = zone_or(self._snapshot.zone, self._catalogue.timezone)
        return self._snapshot.moment.astimezone(zone or UTC)

    def values(self, message: Message, event: Event | None) -> Values:
        """The values that the text of a message may print, by root.

        Args:
            message: The message, which may have an offer.
            event: The event that opened its programme, if one did.
        """
        facts = event_facts(event, self._snapshot.moment) if event else {}
        return {**self._own, "event": facts, "offer": message.offer or {}}

    @cached_property
    def _own(self) -> dict[str, Mapping[str, Any]]:
        attributes = {name: value for name, value in self._snapshot.attributes.items() if value is not None}
        features = _Named(_positions(self._feature_names), self._snapshot.features)
        return {"customer": {**self._catalogue.defaults(), **attributes}, "features": features}


class _Named(Mapping[str, float]):
    """Features by name, without a copy of them."""

    __slots__ = ("_positions", "_values")

    def __init__(self, positions: Mapping[str, int], values: Sequence[float]) -> None:
        self._positions = positions
        self._values = values

    def __getitem__(self, name: str) -> float:
        return self._values[self._positions[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


@lru_cache(maxsize=64)
def _positions(names: tuple[str, ...]) -> Mapping[str, int]:
    return {name: position for position, name in enumerate(names)}


class MessageText:
    """The text of a message on one channel.

    Args:
        content: The texts.
        channel: The channel.

    Raises:
        ConditionError: If a text does not parse.
    """

    def __init__(self, content: Content, channel: Channel) -> None:
        self.body = Text(content.body, html=channel.html)
        self.subject = Text(content.subject) if channel.subject and content.subject is not None else None
        self.limit = channel.max_length

    @property
    def parts(self) -> tuple[Text, ...]:
        """The subject, where there is one, and the body."""
        return (self.subject, self.body) if self.subject else (self.body,)

    def render(self, values: Values, now: datetime) -> RenderedText:
        """The text for one customer.

        Args:
            values: The values that it may print.
            now: The moment on the customer's clock.

        Raises:
            ConditionError: If a limit is passed, a filter fails, or the body is too long for its channel.
        """
        subject = one_line(self.subject.render(now, **values)) if self.subject else None
        body = self.body.render(now, **values)
        if self.limit is not None and len(body) > self.limit:
            got, wanted = f"{len(body)} characters", f"at most {self.limit} characters"
            raise ConditionError("a text too long for its channel", got=got, wanted=wanted)
        return RenderedText(subject, body)

    def certainly_fits(self, values: Values) -> bool:
        """Whether the text renders and is short enough for sure; where not, only `render` tells."""
        most = MOST_CHARACTERS // 4 if self.limit is None else min(self.limit, MOST_CHARACTERS // 4)
        lengths = [part.longest(values) for part in self.parts]
        return all(length is not None and length <= most for length in lengths)
