"""Catalogues as arms change them.

The catalogue of an arm holds the arm's change, so that its decisions explain and replay themselves like any other.
"""

from collections.abc import Collection, Iterable

from tactful.decisions.analysis.sensitivity import FACTORS
from tactful.decisions.catalogue.model import Catalogue, Message, Programme
from tactful.decisions.catalogue.objective import Holdout

_EVERYBODY = Holdout(share=1.0, salt="")


def silenced(catalogue: Catalogue) -> Catalogue:
    """Nobody is contacted, but for what is mandatory."""
    return catalogue.model_copy(update={"holdout": _EVERYBODY})


def left_out(catalogue: Catalogue, programmes: Collection[str], messages: Collection[str]) -> Catalogue:
    """Some programmes leave everybody alone, but for what is mandatory; some messages go to nobody."""
    return _with_programmes(
        catalogue,
        (
            _with_messages(p, [_never(m) if m.id in messages else m for m in p.messages]).model_copy(
                update={"holdout": _EVERYBODY} if p.id in programmes else {}
            )
            for p in catalogue.programmes
        ),
    )


def only(catalogue: Catalogue, message: str) -> Catalogue:
    """No message but one, and mandatory ones; that one is worth 1 over silence, so that the gates alone decide."""
    others = [p.id for p in catalogue.programmes if message not in [m.id for m in p.messages]]
    rivals = [m.id for p in catalogue.programmes for m in p.messages if m.id != message and not m.mandatory]
    return without_factors(_unasked(left_out(catalogue, others, rivals), message), FACTORS)


def without_factors(catalogue: Catalogue, factors: Collection[str]) -> Catalogue:
    """Some factors of the priority switched off, as `tactful.decisions.kernel.arbitration.Factors.without` does it."""
    dropped = sorted({*catalogue.arbitration.without, *factors})
    changed = catalogue.arbitration.model_copy(update={"without": tuple(dropped)})
    return catalogue.model_copy(update={"arbitration": changed})


def _unasked(catalogue: Catalogue, message: str) -> Catalogue:
    """The same, without the offer of a message, so that no score of its response need be known."""
    return _with_programmes(
        catalogue,
        (
            _with_messages(p, [m.model_copy(update={"offer": None}) if m.id == message else m for m in p.messages])
            for p in catalogue.programmes
        ),
    )


def _never(message: Message) -> Message:
    return message.model_copy(update={"eligible": "false"})


def _with_messages(programme: Programme, messages: Iterable[Message]) -> Programme:
    return programme.model_copy(update={"messages": tuple(messages)})


def _with_programmes(catalogue: Catalogue, programmes: Iterable[Programme]) -> Catalogue:
    return catalogue.model_copy(update={"programmes": tuple(programmes)})
