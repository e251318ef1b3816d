"""Recorded decisions as a log: each survivor an option, and another policy's probabilities beside the logged ones."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from decisions.decide import distribution
from decisions.decision import SILENCE, Candidate, Decision
from decisions.policies import Policy
from experiments.errors import LogError
from experiments.logs import ROUNDING, Floats, Log


def from_decisions(
    decisions: Iterable[Decision],
    rewards: Mapping[str, float],
    target: Policy,
) -> Log:
    """Logged decisions as arrays, with what another policy would have done with the same priorities.

    Args:
        decisions: The records; those without survivors are decisions too.
        rewards: What came of each, by decision id; also 0 must be told.
        target: The policy to judge.

    Returns:
        A log whose first column is silence; an action has one column for each opening that brings it up at once.

    Raises:
        LogError: If a decision has no reward, or its probabilities contradict each other.
    """
    records = list(decisions)
    columns = {SILENCE: 0}
    rows = [_options(decision, columns) for decision in records]
    logged, judged, options = (np.zeros((len(records), len(columns))) for _ in range(3))
    choices = np.zeros(len(records), dtype=np.int64)
    for i, (decision, places) in enumerate(zip(records, rows, strict=True)):
        where = [*places.values(), 0]
        options[i, where] = 1
        logged[i, where] = [*(c.probability for c in decision.survivors), decision.silence_probability]
        judged[i, where] = distribution(list(decision.survivors), target, f"{decision.seed}:{decision.id}")
        choices[i] = 0 if decision.choice is None else places[_key(decision.choice)]
        if abs(logged[i, choices[i]] - decision.probability) > ROUNDING:
            raise LogError(
                "a choice with two probabilities",
                got=decision.probability,
                wanted=float(logged[i, choices[i]]),
                where=f"decision {decision.id}",
            )
    customers = np.array([decision.customer for decision in records], dtype=object)
    return Log(choices, logged, judged, _rewards(records, rewards), customers, options, tuple(columns))


def _key(candidate: Candidate) -> tuple[str, str]:
    return candidate.action.id, candidate.opening


def _options(decision: Decision, columns: dict[str, int]) -> dict[tuple[str, str], int]:
    """The column of each survivor, in their order; new columns are added."""
    found: dict[tuple[str, str], int] = {}
    for candidate in decision.survivors:
        before = sum(action == candidate.action.id for action, _ in found)
        name = f"{candidate.action.id} ({before + 1})" if before else candidate.action.id
        found[_key(candidate)] = columns.setdefault(name, len(columns))
    return found


def _rewards(records: Sequence[Decision], rewards: Mapping[str, float]) -> Floats:
    missing = next((decision.id for decision in records if decision.id not in rewards), None)
    if missing is not None:
        raise LogError("a decision without a reward", wanted="what came of it, also 0", where=f"decision {missing}")
    return np.array([rewards[decision.id] for decision in records], dtype=np.float64)
