"""Renderings that say what each part of a text printed, and where."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.output import LimitedStringIO

from tactful.decisions.base.texts.environment import Context, TextEnvironment
from tactful.decisions.base.texts.filters import MOST_CHARACTERS
from tactful.decisions.base.texts.text import reason


@dataclass(frozen=True, slots=True)
class Piece:
    """The output of one node, and where it starts."""

    start: int
    printed: str


@dataclass(frozen=True, slots=True)
class Rendering:
    """One rendering: the text, the piece of each node at each turn, and all nodes that had a turn; or an error."""

    output: str = ""
    pieces: Mapping[tuple[Node, int], Piece] = field(default_factory=dict)
    reached: frozenset[Node] = frozenset()
    error: str = ""
    work: int = 0


class _Context(Context):
    """A rendering that keeps what each node prints to the output itself, and not into a variable."""

    __slots__ = ("buffer", "pieces", "turns")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.buffer: StringIO = LimitedStringIO(limit=MOST_CHARACTERS)
        self.pieces: dict[tuple[Node, int], Piece] = {}
        self.turns: Counter[Node] = Counter()


class _Traced:
    """A node that says what it printed."""

    __slots__ = ()

    def render_to_output(self, context: _Context, buffer: StringIO) -> int:
        start = buffer.tell() if buffer is context.buffer else 0
        written: int = super().render_to_output(context, buffer)  # type: ignore[misc]
        context.turns[self] += 1  # type: ignore[index]
        if buffer is context.buffer:
            context.pieces[self, context.turns[self]] = Piece(start, buffer.getvalue()[start:])  # type: ignore[index]
        return written


class _Environment(TextEnvironment):
    """The same Liquid, whose nodes say what they print."""

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in self.tags.values():
            made = getattr(tag, "node_class", None)
            if made is not None:
                traced = type(f"Traced{made.__name__}", (_Traced, made), {"__slots__": ()})
                setattr(tag, "node_class", traced)  # noqa: B010 - tags share no type that has it


ENVIRONMENTS = {escaped: _Environment(autoescape=escaped) for escaped in (False, True)}


def trace(template: BoundTemplate, values: Mapping[str, Any]) -> Rendering:
    """Render a text of one of the `ENVIRONMENTS` here.

    Args:
        template: The text.
        values: The values that it reads, by root.
    """
    context = _Context(template, globals=values)
    try:
        template.render_with_context(context, context.buffer)
    except Exception as error:
        return Rendering(error=reason(error), work=context.work)
    return Rendering(context.buffer.getvalue(), context.pieces, frozenset(context.turns), work=context.work)
