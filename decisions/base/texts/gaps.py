"""Whether a text that lacks a name leaves a hole where its value was printed."""

import re
from html import unescape

from liquid.ast import Node
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.cycle_tag import CycleNode

from tactful.decisions.base.texts.tracing import Piece
from tactful.features.one_line import INVISIBLE, is_blank

_BLOCK = r"(?:p|div|td|tr|li|ul|ol|table|h[1-6])\b"
_BEGINS = re.compile(rf"(?:[.!?…:]|<(?:/?{_BLOCK}[^>]*|br\s*/?)>)\Z", re.I)
_FOLLOWED = re.compile(rf"<(?:/?{_BLOCK}|br\b)", re.I)
_ENDED = re.compile(rf"(?:[.!?…](?:\s?</\w+>)*|</{_BLOCK}[^>]*>|<br\s*/?>)\Z", re.I)
_NEAR = 200
"""Characters around a gap that are looked at."""


def is_gap(node: Node, without: Piece, before: Piece, changed: Piece, output: str, kind: str) -> bool:
    """Whether a node printed a value of a name and, without it, nothing in its place.

    Args:
        node: The node.
        without: Its output without the name.
        before: Its output with the name.
        changed: Its output with another value of the name.
        output: The whole text without the name.
        kind: The type of the name.
    """
    is_print = isinstance(node, OutputNode | CycleNode)
    if before.printed == changed.printed or (kind == "boolean" and not is_print):
        return False
    if not is_blank(unescape(without.printed)):
        return _squeezed(without.printed) == _squeezed(_around(before.printed, changed.printed))
    return is_print or not _is_sentence(before.printed, output[: without.start], output[without.start :])


def is_cut(whole: str, part: str) -> bool:
    """Whether a text is another with one piece cut out, blanks aside."""
    whole, part = _squeezed(whole), _squeezed(part)
    return len(part) < len(whole) and len(_squeezed(_around(whole, part))) >= len(part)


def _around(one: str, other: str) -> str:
    """The beginning and the end that two texts share."""
    shorter = min(len(one), len(other))
    start = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    left = shorter - start
    end = next((i for i in range(left) if one[-1 - i] != other[-1 - i]), left)
    return one[:start] + one[len(one) - end :]


def _squeezed(text: str) -> str:
    return INVISIBLE.sub(" ", unescape(text)).strip()


def _is_sentence(printed: str, before: str, after: str) -> bool:
    """Whether what was left out began and ended like a sentence, so that its absence leaves no hole."""
    left, right, said = before.rstrip(), after.lstrip(), printed.strip()
    is_alone_above = not left or before[len(left) :].count("\n") > 1
    is_alone_below = not right or after[: len(after) - len(right)].count("\n") > 1
    begins = is_alone_above or _BEGINS.search(left[-_NEAR:])
    ends = is_alone_below or _ENDED.search(said[-_NEAR:]) or _FOLLOWED.match(right[:_NEAR])
    return bool(said and begins and ends)
