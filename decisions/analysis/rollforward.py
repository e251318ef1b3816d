"""Decide past requests again in the order of time, each on the contacts that the same catalogue made before it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from tactful.decisions.base.snapshot import Contact
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.kernel.decide import Request, Scorer, decide
from tactful.decisions.kernel.decision import Decision


def contact_of(decision: Decision, catalogue: Catalogue) -> Contact | None:
    """The contact that a decision leads to, as the ledger keeps it; None for silence.

    Args:
        decision: The decision.
        catalogue: The catalogue it was made with.
    """
    if decision.choice is None:
        return None
    action = decision.choice.action
    return Contact(
        time=decision.moment,
        channel=action.channel,
        programme=action.programme,
        message=action.message,
        tags=action.tags,
        opening=decision.choice.opening,
        counts=catalogue.message(action.message).counts_toward_caps,
        id=decision.id,
    )


def decide_forward(requests: Sequence[Request], compiled: CompiledCatalogue, scorer: Scorer) -> list[Decision]:
    """Decides past requests under one catalogue, with its own policy and no limit of capacity.

    Each request sees the recorded contacts that no request of this list led to, and the contacts that the catalogue
    itself chose for the customer's earlier requests, all of them taken as made. Features, events and attributes are as
    they were recorded.

    Args:
        requests: Snapshots as they were recorded, in any order.
        compiled: The catalogue.
        scorer: The models.

    Returns:
        A decision for each request, in the order of the requests.
    """
    logged = {request.id for request in requests}
    made: dict[str, list[Contact]] = defaultdict(list)
    decisions: dict[int, Decision] = {}
    for turn in _turns(requests):
        asked = [_rolled(requests[i], logged, made[requests[i].snapshot.customer]) for i in turn]
        for i, decision in zip(turn, decide(asked, compiled, compiled.catalogue.policy, scorer), strict=True):
            decisions[i] = decision
            contact = contact_of(decision, compiled.catalogue)
            if contact is not None:
                made[decision.customer].append(contact)
    return [decisions[i] for i in range(len(requests))]


def _turns(requests: Sequence[Request]) -> list[list[int]]:
    """The requests by index: first the first of every customer, then the second of each, and so on."""
    by_customer: dict[str, list[int]] = defaultdict(list)
    for i in sorted(range(len(requests)), key=lambda i: requests[i].snapshot.moment):
        by_customer[requests[i].snapshot.customer].append(i)
    return [[i for i in turn if i is not None] for turn in zip_longest(*by_customer.values())]


def _rolled(request: Request, logged: set[str], made: Sequence[Contact]) -> Request:
    """A request whose ledger holds what was made elsewhere, and what the catalogue itself made."""
    recorded = request.snapshot.contacts
    if recorded is None:
        return request
    elsewhere = [contact for contact in recorded if contact.id not in logged]
    contacts = tuple(sorted([*elsewhere, *made], key=lambda contact: contact.time))
    return replace(request, snapshot=replace(request.snapshot, contacts=contacts))
