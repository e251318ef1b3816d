"""The text of a message for one customer.

A text is personal data and is not stored: it is rendered each time it is told, always from the inputs kept beside the
decision and by the catalogue the decision was made with, so that it is the same text each time.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from decisions.case import event_facts
from decisions.catalogue import Action, Catalogue
from decisions.errors import ConditionError
from decisions.snapshot import Snapshot
from decisions.texts import Text
from serving.errors import UnrenderableError


@dataclass(frozen=True, slots=True)
class RenderedText:
    """What a customer reads; `subject` is None on a channel that has none."""

    subject: str | None
    body: str


@dataclass(frozen=True, slots=True, eq=False)
class Renderer:
    """Renders the messages of a catalogue.

    Args:
        catalogue: The catalogue.
        feature_names: Names of the features in a snapshot, in order.
    """

    catalogue: Catalogue
    feature_names: tuple[str, ...]

    def render(self, action: Action, snapshot: Snapshot, opened_by: str = "") -> RenderedText:
        """The text of an action.

        Args:
            action: The chosen action.
            snapshot: What it was chosen on.
            opened_by: Id of the event that opened its programme, if one did.

        Raises:
            UnrenderableError: A limit is passed, a filter fails, or the text is too long for its channel.
        """
        channel = self.catalogue.channels[action.channel]
        content = self.catalogue.message(action.message).content
        values = self._values(action, snapshot, opened_by)
        try:
            subject = Text(content.subject).render(**values) if channel.subject and content.subject else None
            body = Text(content.body, html=channel.html).render(**values)
        except ConditionError as error:
            raise UnrenderableError(error.message, got=error.got, where=action.id) from error
        if channel.max_length is not None and len(body) > channel.max_length:
            limit = f"at most {channel.max_length}"
            raise UnrenderableError("a text too long for its channel", got=len(body), wanted=limit, where=action.id)
        return RenderedText(subject, body)

    def to_json(self) -> str:
        """The catalogue and the names, to be kept with the decisions made with them."""
        return json.dumps({"catalogue": self.catalogue.model_dump(mode="json"), "features": self.feature_names})

    @classmethod
    def from_json(cls, content: str) -> "Renderer":
        """The inverse of `to_json`; also reads what the first release wrote, which sorted levels by their names."""
        found = json.loads(content)
        tier = (found["catalogue"].get("loyalty") or {}).get("tier")
        if tier:
            tier["levels"] = dict(sorted(tier["levels"].items(), key=itemgetter(1)))
        return cls(Catalogue.model_validate(found["catalogue"]), tuple(found["features"]))

    def _values(self, action: Action, snapshot: Snapshot, opened_by: str) -> dict[str, Mapping[str, Any]]:
        event = next((event for event in snapshot.events if opened_by and event.id == opened_by), None)
        features = zip(self.feature_names, snapshot.features, strict=True)
        return {
            "customer": {**self.catalogue.defaults(), **snapshot.attributes},
            "event": event_facts(event, snapshot.moment) if event else {},
            "features": {name: value for name, value in features if math.isfinite(value)},
            "offer": self.catalogue.message(action.message).offer or {},
        }
