"""Whether a condition can ever hold, and whether one condition implies another.

A comparison of a name with a constant cuts the name's values into regions within which it does not change, so one
sample of each region represents all its values. Any other comparison (of arithmetic, a function, two names) counts as
possibly true, false or without a value. So `never` is always right, and the search misses a contradiction that only
arithmetic could show.

The samples are tried by backtracking. CEL itself prunes: an expression that reads names without a value still is
false where its other parts make it so.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tactful.decisions.base.conditions import Condition, Conditions, Failure
from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.expressions import tokenised

BUDGET = 5_000
"""Evaluations a question may cost; beyond, it counts as open."""

_FREE = tuple(f"free.x{i}" for i in range(32))
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_ORDERINGS = {"<", "<=", ">", ">="}
_COMPARISONS = {"==", "!=", "in", *_ORDERINGS}


@dataclass(frozen=True, slots=True)
class Domain:
    """The values a name can have.

    Args:
        kind: Its type, as declared to `Conditions`.
        low: Least number, or None.
        high: Greatest number, or None.
        only: Every possible value, where they are few; None among them means no value.
        unknown: Another possible value: None where it may be unknown.
    """

    kind: str
    low: float | None = None
    high: float | None = None
    only: tuple[Any, ...] | None = None
    unknown: tuple[Any, ...] = ()

    def samples(self, constants: Iterable[Any]) -> list[Any]:
        """One value of each region into which comparisons with these constants cut the domain.

        Example:
            >>> Domain("number", low=0.0).samples([10.0])
            [0.0, 5.0, 10.0, 20.0]
        """
        if self.only is not None:
            return list(self.only)
        if self.kind == "boolean":
            return [True, False, *self.unknown]
        if self.kind == "string":
            known = sorted(set(constants))
            return [*known, "".join(known) + "?", *self.unknown]
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        inside = sorted({*(c for c in constants if self._holds(c)), *bounds})
        return [*self._regions(inside), *self.unknown]

    def _holds(self, value: Any) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _regions(self, cuts: list[Any]) -> list[Any]:
        if not cuts:
            return [0.0] if self.kind == "number" else [0] if self.kind == "integer" else []
        if self.kind == "integer":
            return [n for n in sorted({c + d for c in cuts for d in (-1, 0, 1)}) if self._holds(n)]
        between = [a + (b - a) / 2 for a, b in pairwise(cuts)]
        outside = [cuts[0] - _beyond(cuts[0])] if self.low is None else []
        outside += [cuts[-1] + _beyond(cuts[-1])] if self.high is None else []
        return sorted([*cuts, *between, *outside])


def _beyond(cut: Any) -> Any:
    return max(1.0, abs(cut)) if isinstance(cut, float) else timedelta(days=1)


@dataclass(slots=True)
class _Skeleton:
    """The logic of some expressions, their leaves made comparisons with constants or free variables."""

    constants: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))
    free: dict[str, str] = field(default_factory=dict)


class Logic:
    """Answers questions about the conditions of one catalogue.

    Args:
        domains: The values of each declared name.
        segments: Named conditions.

    Example:
        >>> logic = Logic({"scores.lapse": Domain("number")}, {"at_risk": "scores.lapse >= 0.4"})
        >>> logic.can_hold("segment.at_risk && scores.lapse < 0.3")
        False
        >>> logic.can_hold("segment.at_risk && scores.lapse * 2.0 < 0.3")
        True
        >>> logic.implies("scores.lapse > 0.5", "segment.at_risk")
        True
    """

    def __init__(self, domains: Mapping[str, Domain], segments: Mapping[str, str]) -> None:
        self._domains = dict(domains)
        declared = {name: domain.kind for name, domain in domains.items()}
        self._conditions = Conditions({**declared, **dict.fromkeys(_FREE, "boolean")}, segments)
        self._constants = Conditions({})

    def can_hold(self, source: str, given: Mapping[str, Domain] | None = None) -> bool:
        """Whether an expression can be true; also where that is too costly to find out.

        Args:
            source: The expression.
            given: Known values of other names, such as the type of the event that opened a programme.
        """
        return self._possible(source, "false", given or {})

    def implies(self, premise: str, conclusion: str, given: Mapping[str, Domain] | None = None) -> bool:
        """Whether the conclusion is certainly true wherever the premise is.

        Args:
            premise: An expression.
            conclusion: An expression.
            given: As for `can_hold`.
        """
        return not self._possible(premise, conclusion, given or {})

    def _possible(self, source: str, other: str, given: Mapping[str, Domain]) -> bool:
        """Whether the one expression can be true without the other being so."""
        skeleton = _Skeleton()
        texts = [self._relaxed(expression, skeleton) for expression in (source, other)]
        if len(skeleton.free) > len(_FREE):
            return True
        domains = {**self._domains, **given}
        samples = {name: domains[name].samples(constants) for name, constants in skeleton.constants.items()}
        samples |= {variable: [True, False, None] for variable in skeleton.free.values()}
        held, failed = (self._conditions.compile(text) for text in texts)
        search = Search(self._conditions, held, failed, samples)
        return search.found() is not None or search.exhausted

    def _relaxed(self, source: str, skeleton: _Skeleton) -> str:
        """The expression with every leaf that is no comparison with a constant made a free variable."""
        tokens = tokenised(self._conditions.expand(source))
        return " ".join(_rewritten(tokens, lambda leaf: self._leaf(leaf, skeleton)))

    def _leaf(self, tokens: Sequence[str], skeleton: _Skeleton) -> str:
        text = " ".join(tokens)
        if text in ("true", "false"):
            return text
        comparison = self._comparison(tokens)
        if comparison is None:
            return skeleton.free.setdefault(text, _FREE[len(skeleton.free) % len(_FREE)])
        name, constants = comparison
        skeleton.constants[name].update(constants)
        return text

    def _comparison(self, tokens: Sequence[str]) -> tuple[str, list[Any]] | None:
        """The name and the constants that a leaf compares, if that is what it does."""
        if len(tokens) == 1:
            return (tokens[0], []) if tokens[0] in self._domains else None
        places = [i for i in _top_level(tokens) if tokens[i] in _COMPARISONS]
        if len(places) != 1:
            return None
        operator, left, right = tokens[places[0]], tokens[: places[0]], tokens[places[0] + 1 :]
        name, other = (left, right) if len(left) == 1 and left[0] in self._domains else (right, left)
        if len(name) != 1 or name[0] not in self._domains or (operator == "in" and name is right):
            return None
        kind = self._domains[name[0]].kind
        if kind == "string" and operator in _ORDERINGS:
            return None
        texts = _elements(other) if operator == "in" else [" ".join(other)]
        constants = [self._constant(text, kind) for text in texts]
        return None if any(isinstance(constant, Failure) for constant in constants) else (name[0], constants)

    def _constant(self, text: str, kind: str) -> Any:
        """The value of an expression that reads nothing, or a `Failure`."""
        try:
            value = self._constants.compile(text, kind).evaluate(self._constants.facts({}))
        except ConditionError as error:
            return Failure(str(error))
        return Failure("not a finite number") if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(slots=True)
class Search:
    """Looks for values with which one condition is true and another is not.

    Args:
        conditions: The conditions' compiler.
        held: The condition that must be true.
        failed: The condition that must not be true.
        samples: The values to try for each name; None means no value.
        budget: Evaluations it may cost.
    """

    conditions: Conditions
    held: Condition
    failed: Condition
    samples: Mapping[str, Sequence[Any]]
    budget: int = BUDGET

    @property
    def exhausted(self) -> bool:
        """Whether it ended because it became too costly."""
        return self.budget <= 0

    def found(self) -> dict[str, Any] | None:
        """The values found, or None."""
        return self._extended({}, tuple(self.samples))

    def _extended(self, values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any] | None:
        if self.exhausted:
            return None
        self.budget -= 1
        activation = self.conditions.facts(values)
        held, failed = self.held.evaluate(activation), self.failed.evaluate(activation)
        if held is False or failed is True:
            return None
        if held is True and (failed is False or not names):
            return values
        for sample in self.samples[names[0]] if names else ():
            found = self._extended({**values, names[0]: sample}, names[1:])
            if found is not None:
                return found
        return None


def _rewritten(tokens: Sequence[str], leaf: Callable[[Sequence[str]], str]) -> list[str]:
    """The tokens of an expression with each leaf of its logic put through a function."""
    top = _top_level(tokens)
    if not any(tokens[i] == "?" for i in top):
        junction = next((i for i in top if tokens[i] in ("&&", "||")), None)
        if junction is not None:
            return [
                *_rewritten(tokens[:junction], leaf),
                tokens[junction],
                *_rewritten(tokens[junction + 1 :], leaf),
            ]
        if tokens[0] == "!" and _is_operand(tokens[1:]):
            return ["!", *_rewritten(tokens[1:], leaf)]
        if _is_group(tokens):
            return ["(", *_rewritten(tokens[1:-1], leaf), ")"]
    return [leaf(tokens)]


def _is_operand(tokens: Sequence[str]) -> bool:
    return len(tokens) == 1 or _is_group(tokens) or (tokens[0] == "!" and _is_operand(tokens[1:]))


def _is_group(tokens: Sequence[str]) -> bool:
    """Whether one pair of brackets holds the whole."""
    return tokens[0] == "(" and tokens[-1] == ")" and not _top_level(tokens)


def _top_level(tokens: Sequence[str]) -> list[int]:
    """Where the tokens outside all brackets stand."""
    depth, found = 0, []
    for i, token in enumerate(tokens):
        step = _BRACKETS.get(token, 0)
        depth += step
        if depth == 0 and step == 0:
            found.append(i)
    return found


def _elements(tokens: Sequence[str]) -> list[str]:
    """The elements of a list literal."""
    if len(tokens) < 3 or tokens[0] != "[" or tokens[-1] != "]":
        return [" ".join(tokens)]
    inner = tokens[1:-1]
    commas = [i for i in _top_level(inner) if inner[i] == ","]
    starts, ends = [0, *(i + 1 for i in commas)], [*commas, len(inner)]
    return [" ".join(inner[start:end]) for start, end in zip(starts, ends, strict=True)]
