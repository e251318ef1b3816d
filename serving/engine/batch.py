"""Decides for everybody at one moment, in chunks, as the API does for one."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tactful.decisions.analysis.explain import why_silence
from tactful.decisions.kernel.decision import Decision
from tactful.serving.engine.drafts import DecisionCommand, DecisionResult
from tactful.serving.engine.service import DecisionService
from tactful.serving.telemetry import tracing

CHUNK = 1_000
Progress = Callable[[int, int], None]
"""Called with the number of customers done, and of all."""


@dataclass(frozen=True, slots=True)
class BatchRun:
    """The result of a run.

    Args:
        run: Its name; running again under the same name gives the same decisions.
        moment: The moment of every decision.
        decisions: The decisions, in the order of the customers.
        failures: Customers without a decision, each with the reason.
    """

    run: str
    moment: datetime
    decisions: tuple[Decision, ...]
    failures: Mapping[str, str]

    @property
    def messages(self) -> dict[str, dict[str, int]]:
        """How many messages were chosen, by programme and channel."""
        counts: dict[str, dict[str, int]] = {}
        for decision in self.decisions:
            if decision.choice is not None:
                by_channel = counts.setdefault(decision.choice.action.programme, {})
                channel = decision.choice.action.channel
                by_channel[channel] = by_channel.get(channel, 0) + 1
        return counts

    @property
    def silences(self) -> dict[str, int]:
        """How many customers are left alone, by reason, the most frequent first."""
        reasons = Counter(why_silence(decision) for decision in self.decisions if decision.choice is None)
        return dict(reasons.most_common())


def decide_all(
    service: DecisionService,
    run: str,
    *,
    moment: datetime | None = None,
    customers: Sequence[str] | None = None,
    progress: Progress = lambda _done, _of: None,
) -> BatchRun:
    """Decide for many customers, and record the decisions and reservations a chunk at a time.

    A run that broke off is run again under its name: the decisions that were recorded stand, the others are made.

    Args:
        service: Decides.
        run: Names the run.
        moment: The moment of every decision; the service's clock where None.
        customers: Whom to decide about; everybody where None.
        progress: Told how far it is, after each chunk.

    Raises:
        NotReadyError: There is nothing to decide with.
        StoreError: The store fails.
    """
    moment = moment or service.clock()
    wanted = service.store.customer_ids(service.tenant) if customers is None else customers
    decisions: list[Decision] = []
    failures: dict[str, str] = {}
    with tracing.span("batch", customers=len(wanted)):
        for start in range(0, len(wanted), CHUNK):
            commands = [
                DecisionCommand(customer, decision_id(run, customer), moment)
                for customer in wanted[start : start + CHUNK]
            ]
            for command, outcome in zip(commands, service.decide_many(commands), strict=True):
                if isinstance(outcome, DecisionResult):
                    decisions.append(outcome.decision)
                else:
                    failures[command.customer] = str(outcome)
            progress(start + len(commands), len(wanted))
    return BatchRun(run, moment, tuple(decisions), failures)


def decision_id(run: str, customer: str) -> str:
    """The id of the decision that a run makes about a customer.

    Example:
        >>> decision_id("2026-05-04", "c1")
        '8399d9476834093f1a5ac6c12512b2d7'
    """
    return hashlib.sha256(f"{run}\0{customer}".encode()).hexdigest()[:32]
