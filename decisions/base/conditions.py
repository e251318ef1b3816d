"""Conditions in CEL, compiled and type-checked when a catalogue loads.

The one module that knows the rule library. Names are flat and declared: `features.recency_days`, `scores.lapse`,
`customer.tier`, `event.amount`, `segment.at_risk`. A condition that fails while it runs has the value of its
failure, never an exception: the caller excludes the action and records the reason.

Source: Common Expression Language, https://cel.dev.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_strings

from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.expressions import check_calls, expanded, names_in
from tactful.decisions.base.values import did_you_mean

TYPES = {
    "number": cel.Type.DOUBLE,
    "integer": cel.Type.INT,
    "string": cel.Type.STRING,
    "boolean": cel.Type.BOOL,
    "date": cel.Type.TIMESTAMP,
    "moment": cel.Type.TIMESTAMP,
}
_NO_ERRORS = (bool, float)
"""What an error is never given as; asking the library for a value's type costs as much as the value."""
_EXTENSIONS = (ext_strings.ExtStrings(), ext_math.ExtMath())
_MISSING = re.compile(r'No value with name "([^"]+)" found')
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_PROBLEM = re.compile(r"ERROR: <input>:\d+:(\d+): (.*)")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a condition has no value, in the words of the rule library."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A compiled expression.

    Args:
        source: The expression as it was written, segments not yet replaced.
        names: The declared names it reads, in order.
        of_event: Whether one of them is of an event.
    """

    source: str
    names: tuple[str, ...]
    of_event: bool
    _expression: Any

    def evaluate(self, activation: Any) -> Any:
        """The value of the expression, or a `Failure`."""
        try:
            found = self._expression.eval(activation)
        except RuntimeError as error:
            return Failure(_readable(str(error)))
        value = found.value()
        if not isinstance(value, _NO_ERRORS) and found.type() == cel.Type.ERROR:
            return Failure(_readable(str(value)))
        return value


class Conditions:
    """Compiles the expressions of one catalogue and evaluates them for one customer after another.

    Args:
        declared: The type of each name an expression may use: a key of `TYPES`.
        segments: Named conditions, replaced where `segment.NAME` stands.

    Example:
        >>> conditions = Conditions({"scores.lapse": "number"}, {"at_risk": "scores.lapse >= 0.4"})
        >>> leaving = conditions.compile("segment.at_risk")
        >>> leaving.evaluate(conditions.facts({"scores.lapse": 0.7}))
        True
        >>> leaving.evaluate(conditions.facts({}))
        Failure(reason='scores.lapse is unknown')
    """

    def __init__(self, declared: Mapping[str, str], segments: Mapping[str, str] | None = None) -> None:
        self._declared = dict(declared)
        self._segments = dict(segments or {})
        types = {name: TYPES[kind] for name, kind in declared.items()}
        self._environment = cel.NewEnv(variables=types, extensions=_EXTENSIONS)
        self._compiled: dict[tuple[str, str], Condition] = {}

    @property
    def names(self) -> frozenset[str]:
        """Every declared name that some compiled expression reads."""
        return frozenset().union(*(condition.names for condition in self._compiled.values()))

    @property
    def count(self) -> int:
        """How many expressions were compiled."""
        return len(self._compiled)

    def compile(self, source: str, kind: str = "boolean") -> Condition:
        """Compile an expression and check its type.

        Args:
            source: The expression.
            kind: The type it must have: `boolean`, `number` or `string`.

        Raises:
            ConditionError: If it does not parse, names what is not declared, or has another type.
        """
        key = (source, kind)
        if key not in self._compiled:
            self._compiled[key] = self._compile(source, kind)
        return self._compiled[key]

    def facts(self, values: Mapping[str, Any]) -> Any:
        """Bind values to names, once a customer; a name without a value, or with one that is not finite, is unknown."""
        return self._environment.Activation({name: _to_cel(v) for name, v in values.items() if not _unknown(v)})

    def expand(self, source: str) -> str:
        """Write each `segment.NAME` out as its condition in brackets.

        Raises:
            ConditionError: If a segment is unknown, refers to itself, or makes the expression too long.
        """
        return expanded(source, self._segments)

    def _compile(self, source: str, kind: str) -> Condition:
        text = self.expand(source)
        check_calls(text)
        try:
            expression = self._environment.compile(text)
        except RuntimeError as error:
            raise ConditionError(self._problems(str(error)), where=f"expression {source!r}") from None
        if expression.return_type() != TYPES[kind]:
            raise ConditionError(
                "an expression of another type",
                got=expression.return_type().name().lower(),
                wanted=kind,
                where=f"expression {source!r}",
            )
        names = tuple(sorted({".".join(name.split(".")[:2]) for name in names_in(text)} & self._declared.keys()))
        return Condition(source, names, any(name.startswith("event.") for name in names), expression)

    def _problems(self, text: str) -> str:
        problems = [
            f"{message}{self._nearest(message)} (column {column})" for column, message in _PROBLEM.findall(text)
        ]
        readable = "; ".join(problems) or text
        if "'(double, int)'" in readable or "'(int, double)'" in readable:
            readable += "; write numbers with a decimal point, such as 30.0"
        return readable

    def _nearest(self, problem: str) -> str:
        """The declared name nearest to the one that a problem says is undeclared."""
        undeclared = _UNDECLARED.search(problem)
        return did_you_mean(undeclared[1], self._declared) if undeclared else ""


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _readable(failure: str) -> str:
    """The failure in our words where it is a name without a value."""
    missing = _MISSING.search(failure)
    return f"{missing[1]} is unknown" if missing else failure


def _to_cel(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value
