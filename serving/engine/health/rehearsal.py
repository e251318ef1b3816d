"""Decides about customers under two catalogues at the same moment, and records nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tactful.serving.engine.drafts import DecisionCommand, PendingDecision
from tactful.serving.engine.in_force.champion import Champion
from tactful.serving.engine.service import DecisionService

CHUNK = 200
SILENCE = "silence"


@dataclass
class Rehearsal:
    """The choices under two catalogues.

    Attributes:
        customers: Customers that were decided about under both.
        changed: Customers whose choice differs.
        failed: Customers about whom one of the catalogues could not decide, by the first line of the error.
        before: Choices under the first catalogue, by action; `silence` for none.
        after: Choices under the second one.
    """

    customers: int = 0
    changed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)


def rehearse(service: DecisionService, candidate: Champion, customers: Sequence[str]) -> Rehearsal:
    """Decides about customers now under the champion and under a candidate, with the same ids and seed.

    Args:
        service: Knows the customers and the champion.
        candidate: The same models with another catalogue.
        customers: Their ids; those that are not known are passed over.

    Raises:
        NotReadyError: There is nothing to decide with.
        StoreError: The store fails.
    """
    champion, moment, found = service.champions.present(), service.clock(), Rehearsal()
    for start in range(0, len(customers), CHUNK):
        commands = [
            DecisionCommand(customer, f"try:{customer}", moment) for customer in customers[start : start + CHUNK]
        ]
        known = service.store.customers(service.tenant, [(command.customer, command.moment) for command in commands])
        cases = [(command, one) for command, one in zip(commands, known, strict=True) if one is not None]
        both = (service.maker.make(cases, one) for one in (champion, candidate))
        for before, after in zip(*both, strict=True):
            _count(found, before, after)
    return found


def _count(found: Rehearsal, before: PendingDecision | Exception, after: PendingDecision | Exception) -> None:
    if isinstance(before, Exception) or isinstance(after, Exception):
        error = before if isinstance(before, Exception) else after
        found.failed[str(error).partition("\n")[0]] += 1
        return
    chosen = [_chosen(one) for one in (before, after)]
    found.customers += 1
    found.changed += chosen[0] != chosen[1]
    found.before[chosen[0]] += 1
    found.after[chosen[1]] += 1


def _chosen(made: PendingDecision) -> str:
    choice = made.draft.decision.choice
    return SILENCE if choice is None else choice.action.id
