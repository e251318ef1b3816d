"""Which placeholders of a text print a name that may be missing, read from its syntax.

The proof renders a text. A branch that no rendering takes is read here instead, and more strictly.
"""

from collections.abc import Collection, Iterable, Iterator

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.expression import Expression

from tactful.decisions.base.texts.environment import nodes

Sources = dict[str, str]
"""For each name and variable that may be missing, the name of a customer, event or feature that it comes from."""


def sources(template: BoundTemplate, optional: Collection[str]) -> Sources:
    """The optional names, and the variables that take their value from one without a `default`.

    Args:
        template: The text.
        optional: The names that a customer may lack, in full.
    """
    found = {name: name for name in optional}
    size = -1
    while size != len(found):
        size = len(found)
        for node in nodes(template):
            for variable, origin in _assigned(template, node, found):
                found.setdefault(variable, origin)
    return found


def unreplaced(node: Node, known: Sources) -> str | None:
    """The optional name that a node prints and no `default` replaces, if there is one.

    Args:
        node: Any node of the text; only a placeholder and a `cycle` print.
        known: From `sources`.
    """
    if isinstance(node, OutputNode):
        return _unguarded(node.expression, known)
    if isinstance(node, CycleNode):
        return _first(node.args, known)
    return None


def _assigned(template: BoundTemplate, node: Node, known: Sources) -> Iterator[tuple[str, str]]:
    """The variables that a node sets, each with the optional name that its value comes from."""
    if isinstance(node, AssignNode):
        variable, origin = str(node.name), _unguarded(node.expression, known)
    elif isinstance(node, ForNode):
        variable, origin = str(node.expression.identifier), _first([node.expression.iterable], known)
    elif isinstance(node, CaptureNode):
        inner = (unreplaced(child, known) for child in nodes(template, [node.block]))
        variable, origin = str(node.name), next(filter(None, inner), None)
    else:
        return
    if origin:
        yield variable, origin


def _unguarded(expression: Expression, known: Sources) -> str | None:
    origin = _first([expression], known)
    if origin is None or not isinstance(expression, FilteredExpression):
        return origin
    fallbacks = [filter_ for filter_ in expression.filters or () if filter_.name == "default"]
    is_replaced = any(_first(filter_.children(), known) is None for filter_ in fallbacks)
    return None if is_replaced else origin


def _first(expressions: Iterable[Expression], known: Sources) -> str | None:
    """The source of the first path within these expressions that may be missing."""
    pending = list(expressions)[::-1]
    while pending:
        expression = pending.pop()
        if isinstance(expression, Path):
            head = str(expression.path[0])
            origin = known.get(".".join(str(part) for part in expression.path[:2]), known.get(head))
            if origin:
                return origin
        pending.extend(list(expression.children())[::-1])
    return None
