"""A message as one customer would read it, without deciding anything."""

from tactful.decisions.catalogue.messages import RenderedText
from tactful.decisions.catalogue.model import Action
from tactful.features.definitions.standard import STANDARD
from tactful.serving.engine.in_force.champion import load_champion
from tactful.serving.engine.snapshots import snapshot
from tactful.serving.errors import UnknownCustomerError, UnknownMessageError
from tactful.serving.settings import Settings, clock
from tactful.serving.store.opening import open_store


def preview(settings: Settings, customer: str, message: str) -> dict[str, RenderedText]:
    """The texts of a message on each of its channels.

    Facts of the event that would open the programme have their fallbacks, since nothing has opened it.

    Args:
        settings: Of the service.
        customer: The reader.
        message: Id of the message.

    Raises:
        UnknownCustomerError: Nothing is known of the customer.
        UnknownMessageError: The catalogue has no such message.
        UnrenderableError: A text cannot be rendered.
    """
    champion = load_champion(settings.champion, settings.catalogue, STANDARD)
    actions = {m.id: (p.id, m) for p in champion.compiled.catalogue.programmes for m in p.messages}
    if message not in actions:
        raise UnknownMessageError("unknown message", got=message, wanted=", ".join(sorted(actions)))
    programme, found = actions[message]
    moment = clock(settings.now)()
    store = open_store(settings.store)
    try:
        (known,) = store.customers(settings.tenant, [(customer, moment)])
    finally:
        store.close()
    if known is None:
        raise UnknownCustomerError("unknown customer", got=customer, wanted="a customer whose history was loaded")
    reader = snapshot(known, moment, champion)
    return {
        channel: champion.renderer.render(Action(programme, message, channel, found.tags), reader)
        for channel in found.channels
    }
