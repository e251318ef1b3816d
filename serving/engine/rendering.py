"""The text of a message for one customer.

A text is personal data and is not stored: it is rendered each time anew, always from the inputs kept beside the
decision and by the catalogue the decision was made with, so that it is the same text each time.
"""

from dataclasses import dataclass

from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.messages import MessageText, Reader, RenderedText
from tactful.decisions.catalogue.model import Action, Catalogue
from tactful.serving.errors import UnrenderableError


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
            snapshot: The snapshot of its decision.
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
