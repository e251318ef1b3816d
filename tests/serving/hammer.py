"""One of several processes that decide about the same customers at once."""

from collections.abc import Sequence
from pathlib import Path

from tactful.serving.engine.drafts import DecisionCommand, DecisionResult
from tactful.serving.errors import ContendedError
from tactful.serving.settings import Settings
from tests.serving.shop import service_of


def hammer(data: Path, asks: Sequence[DecisionCommand], at_once: int) -> list[str]:
    """Decides in groups and returns the outcomes; a group that others hindered is asked again."""
    service = service_of(Settings.of(data))
    outcomes: list[str] = []
    waiting = list(asks)
    while waiting:
        group, waiting = waiting[:at_once], waiting[at_once:]
        for ask, outcome in zip(group, service.decide_many(group), strict=True):
            if isinstance(outcome, DecisionResult):
                outcomes.append(outcome.decision.outcome)
            elif isinstance(outcome, ContendedError):
                waiting.append(ask)
            else:
                raise outcome
    service.store.close()
    return outcomes
