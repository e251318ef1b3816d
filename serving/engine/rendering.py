"""The text of a message for one customer.

A text is personal data and is not stored: it is rendered each time it is told, always from the inputs kept beside the
decision and by the catalogue the decision was made with, so that it is the same text each time.
"""

import json
from dataclasses import dataclass
from operator import itemgetter

from decisions.base.errors import ConditionError
from decisions.base.snapshot import Snapshot
from decisions.catalogue.messages import MessageText, Reader, RenderedText
from decisions.catalogue.model import Action, Catalogue
from serving.errors import UnrenderableError


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
        message = self.catalogue.message(action.message)
        event = next((event for event in snapshot.events if opened_by and event.id == opened_by), None)
        reader = Reader(snapshot, self.catalogue, self.feature_names)
        try:
            text = MessageText(message.content, self.catalogue.channels[action.channel])
            return text.render(reader.values(message, event), reader.now)
        except ConditionError as error:
            raise UnrenderableError(error.message, got=error.got, wanted=error.wanted, where=action.id) from error

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
