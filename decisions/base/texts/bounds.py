"""How long a text can become, where that can be said without rendering it.

A rendering costs as much as all the other gates of an action together. Most texts are fixed words and a name or two:
they cannot fail, and a sum of lengths shows that they fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from liquid import BoundTemplate
from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path
from liquid.builtin.expressions import logical as comparing
from liquid.builtin.expressions import primitive as values_of_text
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from tactful.decisions.base.texts.environment import nodes
from tactful.decisions.base.texts.filters import MOST_NUMBER, printable

_GROWTH = {"default": 1, "strip": 1, "upcase": 3, "downcase": 3, "capitalize": 3, "escape": 6}
"""By how much a filter of words can lengthen a value."""
_OF_NUMBERS = frozenset({"round", "floor", "ceil", "abs"})
_ESCAPED = 5
ROOTS = ("customer", "event", "features", "offer")
"""The roots of placeholders."""
_CONDITIONS = (
    BooleanExpression,
    Path,
    values_of_text.Literal,
    values_of_text.Nil,
    comparing.LogicalAndExpression,
    comparing.LogicalOrExpression,
)
_ORDERS = (
    comparing.GtExpression,
    comparing.GeExpression,
    comparing.LtExpression,
    comparing.LeExpression,
    comparing.EqExpression,
    comparing.NeExpression,
)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value that a text prints.

    Args:
        root: `customer`, `event`, `features` or `offer`.
        name: Its name there.
        growth: By how much its filters can lengthen it.
        needed: Whether its filters fail where it is missing.
    """

    root: str
    name: str
    growth: int
    needed: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """The greatest length of a text, as a sum.

    Args:
        fixed: Characters that do not depend on a customer, those of all branches together.
        printed: Each placeholder.
    """

    fixed: int
    printed: tuple[Placeholder, ...]

    def longest(self, values: Mapping[str, Mapping[str, Any]]) -> int | None:
        """The greatest length in characters for some values; None where one of them has no certain length."""
        total = self.fixed
        for placeholder in self.printed:
            value = printable(values.get(placeholder.root, {}).get(placeholder.name))
            length = _length(value)
            if length is None or (value is None and placeholder.needed):
                return None
            total += placeholder.growth * length
        return total


def bound(template: BoundTemplate, *, html: bool) -> Bound | None:
    """The bound of a parsed text; None where it can fail, or its length is not such a sum."""
    fixed, printed = 0, list[Placeholder]()
    for node in nodes(template):
        if isinstance(node, ContentNode):
            fixed += len(node.text)
        elif isinstance(node, OutputNode):
            found = _of_output(node.expression, html)
            if found is None:
                return None
            fixed += found.fixed
            printed += found.printed
        elif not _only_branches(node):
            return None
    return Bound(fixed, tuple(printed))


def _only_branches(node: Node) -> bool:
    """Whether a node chooses among branches by a condition that cannot fail."""
    if isinstance(node, BlockNode):
        return True
    return isinstance(node, IfNode | UnlessNode | ConditionalBlockNode) and all(map(_is_sure, node.expressions()))


def _is_sure(condition: Expression) -> bool:
    if isinstance(condition, _ORDERS):
        return all(_is_number(operand) for operand in condition.children())
    return isinstance(condition, _CONDITIONS) and all(map(_is_sure, condition.children()))


def _is_number(operand: Expression) -> bool:
    is_literal = isinstance(operand, values_of_text.IntegerLiteral | values_of_text.FloatLiteral)
    return is_literal or (isinstance(operand, Path) and operand.path[0] == "features" and len(operand.path) == 2)


def _of_output(expression: Expression, html: bool) -> Bound | None:
    """The bound of an output, or None."""
    if not isinstance(expression, FilteredExpression):
        return None
    growth, fixed = _ESCAPED if html else 1, 0
    fallbacks, needed = list[Any](), False
    for filter_ in expression.filters or ():
        literal = _default(filter_)
        if literal is not None:
            fallbacks.append(literal)
            fixed += len(str(literal)) * growth
        elif filter_.name in _OF_NUMBERS:
            if filter_.args or not _are_numbers(expression.left, fallbacks):
                return None
            needed = needed or not fallbacks
        elif filter_.args or filter_.name not in _GROWTH:
            return None
        growth *= _GROWTH.get(filter_.name, 1)
    left = expression.left
    if isinstance(left, values_of_text.StringLiteral | values_of_text.IntegerLiteral):
        return Bound(fixed + len(str(left.value)) * growth, ())
    if not isinstance(left, Path) or len(left.path) != 2 or not all(isinstance(part, str) for part in left.path):
        return None
    root, name = (str(part) for part in left.path)
    return Bound(fixed, (Placeholder(root, name, growth, needed),)) if root in ROOTS else None


def _are_numbers(left: Expression, fallbacks: Sequence[Any]) -> bool:
    """Whether a placeholder gives a number, and so do its fallbacks."""
    of_event = isinstance(left, Path) and list(left.path) in (["event", "amount"], ["event", "age_days"])
    return (_is_number(left) or of_event) and all(isinstance(f, int | float) for f in fallbacks)


def _default(filter_: Filter) -> Any:
    """The literal of a `default`; None where the filter is another or its argument is no literal."""
    argument = filter_.args[0].value if filter_.name == "default" and len(filter_.args) == 1 else None
    return argument.value if isinstance(argument, values_of_text.Literal) else None


def _length(value: Any) -> int | None:
    """The greatest length of a printed value; None where it is of no ordinary type or size."""
    if value is None:
        return 0
    if isinstance(value, str):
        return len(value)
    if isinstance(value, int | float):
        return len(str(value)) if abs(value) <= MOST_NUMBER else None
    return 10 if type(value) is date else None
