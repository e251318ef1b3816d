"""Content of a page: a decision for the page's channels, which counts as a contact once the page has shown it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from tactful.serving.engine.contacts import report
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import UnknownDecisionError

LASTS = timedelta(minutes=5)
"""How long a customer is given the same content, and how long content that was not shown yet counts toward caps."""
ContentKind = Literal["shown", "clicked", "dismissed"]
"""What a page reports of its content."""
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")


def ask_for(customer: str, channels: Sequence[str], moment: datetime) -> DecisionCommand:
    """The decision command of a page.

    The decision is the same for five minutes, however often the page is loaded: its id follows from the customer, the
    channels and the time.

    Args:
        customer: The customer.
        channels: The channels that the page shows, in any order.
        moment: The present moment.

    Example:
        >>> noon = datetime.fromisoformat("2026-05-06T12:00:00Z")
        >>> first, again, later = (ask_for("7", ["web"], noon + timedelta(minutes=wait)).id for wait in (0, 4, 6))
        >>> (first == again, first == later)
        (True, False)
    """
    wanted = tuple(sorted(set(channels)))
    named = "\0".join((customer, *wanted, str((moment - _EPOCH) // LASTS)))
    return DecisionCommand(
        customer, f"c-{hashlib.sha256(named.encode()).hexdigest()[:30]}", moment, wanted, reservation=LASTS
    )


def report_content(service: DecisionService, decision_id: str, customer: str, kind: ContentKind) -> bool:
    """Keep what a page reports of content that it was given; the contact counts as made from then on.

    Args:
        service: The service.
        decision_id: The decision that chose the content.
        customer: The customer whose page it is.
        kind: The outcome.

    Returns:
        Whether it is new.

    Raises:
        UnknownDecisionError: There is none of this id about this customer.
        NothingToSendError: The decision was silence.
        StoreError: The store fails.
    """
    stored = service.store.decision(service.tenant, decision_id)
    theirs = service.store.resolve(service.tenant, customer)
    if stored is None or service.store.resolve(service.tenant, stored.customer) != theirs:
        raise UnknownDecisionError("unknown decision", got=decision_id, wanted="the id of this customer's content")
    if kind == "shown":
        return service.store.set_status(service.tenant, stored.customer, decision_id, "sent")
    return report(service, decision_id, kind, kind)
