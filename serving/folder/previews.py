"""A message as one customer would read it, without deciding anything."""

from tactful.decisions.catalogue.messages import RenderedText
from tactful.decisions.catalogue.model import Action
from tactful.serving.engine.snapshots import snapshot
from tactful.serving.errors import UnknownCustomerError, UnknownMessageError
from tactful.serving.folder.service_folder import ServiceFolder


def preview(folder: ServiceFolder, customer: str, message: str) -> dict[str, RenderedText]:
    """The texts of a message on each of its channels.

    Facts of the event that would open the programme have their fallbacks, since nothing has opened it.

    Args:
        folder: The service's folder.
        customer: The reader.
        message: Id of the message.

    Raises:
        UnknownCustomerError: Nothing is known of the customer.
        UnknownMessageError: The catalogue has no such message.
        UnrenderableError: A text cannot be rendered.
        NotReadyError: There is no catalogue, or it has mistakes.
        StoreError: The store fails.
    """
    champion, moment = folder.champion, folder.now
    actions = {m.id: (p.id, m) for p in champion.compiled.catalogue.programmes for m in p.messages}
    if message not in actions:
        raise UnknownMessageError("unknown message", got=message, wanted=", ".join(sorted(actions)))
    programme, found = actions[message]
    (known,) = folder.store.customers(folder.tenant, [(customer, moment)])
    if known is None:
        raise UnknownCustomerError("unknown customer", got=customer, wanted="a customer whose history was loaded")
    reader = snapshot(known, moment, champion)
    return {
        channel: champion.renderer.render(Action(programme, message, channel, found.tags), reader)
        for channel in found.channels
    }
