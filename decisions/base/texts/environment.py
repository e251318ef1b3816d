"""The Liquid that texts are written in: its tags and filters, and the limits of a rendering."""

from collections.abc import Iterator, Sequence
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext, Undefined
from liquid.ast import Node
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Blank, Empty, FloatLiteral, StringLiteral
from liquid.exceptions import LiquidSyntaxError, ResourceLimitError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag

from tactful.decisions.base.texts.filters import FILTERS, MOST_CHARACTERS, MOST_ITEMS, Number

MOST_WORK = 10_000
"""What a rendering may do: one for each turn of a loop, each filter, and each hundred characters that it handles."""


class Context(RenderContext):
    """The state of one rendering, with an allowance of work."""

    __slots__ = ("work",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.work = 0

    def spend(self, amount: int) -> None:
        """Take some work from the allowance.

        Raises:
            ResourceLimitError: It is used up.
        """
        self.work += amount
        if self.work > MOST_WORK:
            raise ResourceLimitError("more work than a text may cause", token=None)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Refuse a loop that is too long, or that the allowance does not cover."""
        super().raise_for_loop_limit(length)
        self.spend(length)


class Template(BoundTemplate):
    """A parsed text."""

    context_class = Context


class _Refused(Tag):
    """A tag that would read another template."""

    def parse(self, stream: TokenStream) -> Node:
        message = f"tag {self.name!r} reads another text, and a message has no other"
        raise LiquidSyntaxError(message, token=stream.current)


class Include(_Refused):
    """`{% include %}`, refused."""

    name = "include"


class Render(_Refused):
    """`{% render %}`, refused."""

    name = "render"


class TextEnvironment(Environment):
    """Liquid with the tags and filters that a text may use."""

    template_class = Template
    context_depth_limit = 10
    loop_iteration_limit = MOST_ITEMS
    local_namespace_limit = 10_000
    output_stream_limit = MOST_CHARACTERS

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register the tags and filters."""
        super().setup_tags_and_filters(extra=extra)
        self.filters = dict(FILTERS)
        del self.tags["tablerow"]
        self.add_tag(Include)
        self.add_tag(Render)

    def from_string(self, source: str, *arguments: Any, **options: Any) -> BoundTemplate:
        """Parse a text: its numbers are printed as a customer's are, and what is missing equals `blank` and `empty`."""
        template = super().from_string(source, *arguments, **options)
        for expression in list(expressions(template)):
            if isinstance(expression, FloatLiteral):
                expression.value = Number(expression.value)
            elif isinstance(expression, EqExpression | NeExpression):
                if _is_nothing(expression.right):
                    expression.left = _OrNothing(expression.left)
                if _is_nothing(expression.left):
                    expression.right = _OrNothing(expression.right)
        return template


class _OrNothing(Expression):
    """An expression that gives an empty text where it is missing."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def evaluate(self, context: RenderContext) -> object:
        value = self.inner.evaluate(context)
        return "" if value is None or isinstance(value, Undefined) else value

    def children(self) -> list[Expression]:
        return [self.inner]


def _is_nothing(expression: Expression) -> bool:
    """Whether an expression is `blank`, `empty` or an empty text."""
    return isinstance(expression, Blank | Empty) or (isinstance(expression, StringLiteral) and not expression.value)


def nodes(template: BoundTemplate, top: Sequence[Node] | None = None) -> Iterator[Node]:
    """Every node of a parsed text, or of these nodes of it, each before what is within it."""
    context = RenderContext(template)
    pending = list(reversed(template.nodes if top is None else top))
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(list(node.children(context, include_partials=False))))


def expressions(template: BoundTemplate) -> Iterator[Expression]:
    """Every expression of a parsed text."""
    pending = [expression for node in nodes(template) for expression in node.expressions()]
    while pending:
        expression = pending.pop()
        yield expression
        pending.extend(expression.children())
