"""Recorded decisions as a log, and what another policy would have done with them, beside the logged ones."""

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from tactful.decisions.catalogue.selection import Policy
from tactful.decisions.kernel.decide import distribution
from tactful.decisions.kernel.decision import SILENCE, Candidate, Decision
from tactful.experiments.base.errors import LogError
from tactful.experiments.offpolicy.log import ROUNDING, Log
from tactful.features.array_types import Floats

Option: TypeAlias = tuple[str, str]
"""An action's id and the opening that brings it up; silence is `("silence", "")`."""

Target: TypeAlias = Policy | Callable[[Decision], Mapping[Option, float]]
"""What to judge: a policy on the recorded priorities, or whatever tells the probabilities of a decision's options."""

LEFT_ALONE: Option = (SILENCE, "")


def from_decisions(decisions: Iterable[Decision], rewards: Mapping[str, float], target: Target) -> Log:
    """Logged decisions as arrays, with what another policy would have done with the same priorities.

    The decisions are read once, one at a time: a log may be longer than memory holds records.

    Args:
        decisions: The records; those without survivors are decisions too.
        rewards: The reward of each, by decision id, also where it is 0.
        target: What to judge.

    Returns:
        A log whose first column is silence; an action has one column for each opening that brings it up at once.

    Raises:
        LogError: If a decision has no reward, or its probabilities contradict each other.
    """
    return _read(decisions, rewards, (target,))[0]


def compared(
    decisions: Iterable[Decision], rewards: Mapping[str, float], candidate: Target, incumbent: Target
) -> tuple[Log, Log]:
    """The same for two policies at once, as `tactful.experiments.offpolicy.estimators.difference` takes them.

    Raises:
        LogError: As `from_decisions`.
    """
    first, second = _read(decisions, rewards, (candidate, incumbent))
    return first, second


def as_decided(again: Callable[[Decision], Decision]) -> Target:
    """A target that decides anew, as with another catalogue or other models.

    An action that passed no gate when the decision was logged could not be chosen: probability on it has no support.

    Args:
        again: From a record to the decision that would be made in its place.
    """

    def target(decision: Decision) -> Mapping[Option, float]:
        made = again(decision)
        return {LEFT_ALONE: made.silence_probability, **{_key(c): c.probability for c in made.survivors}}

    return target


def _read(decisions: Iterable[Decision], rewards: Mapping[str, float], targets: tuple[Target, ...]) -> list[Log]:
    gathered = _Gathered(targets)
    for decision in decisions:
        if decision.id not in rewards:
            raise LogError("a decision without a reward", wanted="what came of it, also 0", where=_named(decision))
        gathered.add(decision, rewards[decision.id])
    return gathered.logs()


@dataclass
class _Gathered:
    """Probabilities by decision and column, as they are read: a few numbers for each option."""

    targets: tuple[Target, ...]
    columns: dict[str, int] = field(default_factory=lambda: {SILENCE: 0})
    rows: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("q"))
    logged: "array[float]" = field(default_factory=lambda: array("d"))
    judged: "list[array[float]]" = field(init=False)
    choices: "array[int]" = field(default_factory=lambda: array("q"))
    rewards: "array[float]" = field(default_factory=lambda: array("d"))
    customers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.judged = [array("d") for _ in self.targets]

    def add(self, decision: Decision, reward: float) -> None:
        """Takes a decision in."""
        logged = {LEFT_ALONE: decision.silence_probability}
        logged |= {_key(candidate): candidate.probability for candidate in decision.survivors}
        chosen = LEFT_ALONE if decision.choice is None else _key(decision.choice)
        if abs(logged[chosen] - decision.probability) > ROUNDING:
            raise LogError(
                "a choice with two probabilities",
                got=decision.probability,
                wanted=logged[chosen],
                where=_named(decision),
            )
        judged = [_asked(target, decision) for target in self.targets]
        options = list(dict.fromkeys([*logged, *(option for one in judged for option in one)]))
        columns = self._columns(options)
        self.rows.extend([len(self.choices)] * len(options))
        self.places.extend(columns)
        self.logged.extend(logged.get(option, 0.0) for option in options)
        for kept, one in zip(self.judged, judged, strict=True):
            kept.extend(one.get(option, 0.0) for option in options)
        self.choices.append(columns[options.index(chosen)])
        self.rewards.append(reward)
        self.customers.append(decision.customer)

    def logs(self) -> list[Log]:
        """A log for each target."""
        shape = (len(self.choices), len(self.columns))
        where = np.array(self.rows, dtype=np.int64), np.array(self.places, dtype=np.int64)

        def filled(values: "array[float]") -> Floats:
            matrix = np.zeros(shape)
            matrix[where] = values
            return matrix

        options = np.zeros(shape, dtype=bool)
        options[where] = True
        logged = filled(self.logged)
        choices, rewards = np.array(self.choices, dtype=np.int64), np.array(self.rewards)
        customers = np.array(self.customers, dtype=object)
        return [
            Log(choices, logged, filled(one), rewards, customers, options, tuple(self.columns)) for one in self.judged
        ]

    def _columns(self, options: list[Option]) -> list[int]:
        """The column of each option, in their order; new columns are added."""
        seen: dict[str, int] = {}
        found = []
        for action, _ in options:
            seen[action] = seen.get(action, 0) + 1
            name = action if seen[action] == 1 else f"{action} ({seen[action]})"
            found.append(self.columns.setdefault(name, len(self.columns)))
        return found


def _asked(target: Target, decision: Decision) -> Mapping[Option, float]:
    if not isinstance(target, Policy):
        return target(decision)
    survivors = list(decision.survivors)
    probabilities = distribution(survivors, target, f"{decision.seed}:{decision.id}").tolist()
    return {**{_key(c): p for c, p in zip(survivors, probabilities, strict=False)}, LEFT_ALONE: probabilities[-1]}


def _key(candidate: Candidate) -> Option:
    return candidate.action.id, candidate.opening


def _named(decision: Decision) -> str:
    return f"decision {decision.id}"
