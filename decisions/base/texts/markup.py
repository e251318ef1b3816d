"""Where in its HTML a text prints values: only in words and in quoted attributes can escaping make them harmless.

A text is read as a browser reads it, branch by branch. Each branch must end in the part of the HTML in which it began,
so that the part of every placeholder is known without rendering.

Source: WHATWG, HTML, 13.2.5 Tokenization, https://html.spec.whatwg.org/multipage/parsing.html#tokenization.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser

from liquid import BoundTemplate, RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import Literal, StringLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.expression import Expression

SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms", "cid"})
"""The schemes of addresses that a value may give; an address without a scheme is always allowed."""
NEVER = frozenset({"javascript", "vbscript", "data"})
"""Schemes that run a script: no text may put a value behind them."""
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "poster", "background", "cite", "data", "xlink:href"})
_UNSAFE_ATTRIBUTES = frozenset({"style", "srcdoc", "srcset", "ping", "http-equiv"})
_RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"})
_ESCAPABLE = frozenset({"title", "textarea"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):", re.I)
_READ = 64
"""Characters of a name or an address that are read: more than any scheme or unsafe name has."""
_SPACES = re.compile(r"[\x00-\x20]+")


@dataclass(frozen=True, slots=True)
class Markup:
    """The HTML of a text.

    Args:
        faults: Each place where a value cannot be printed safely.
        has_addresses: Whether a value is printed in an address.
        schemes: The schemes that the text itself gives its addresses.
    """

    faults: tuple[str, ...]
    has_addresses: bool
    schemes: frozenset[str]

    def foreign_scheme(self, rendered: str) -> str | None:
        """The first scheme of an address in the rendered text that is neither common nor one of the text's own."""
        if not self.has_addresses:
            return None
        links = _Addresses()
        links.feed(rendered)
        links.close()
        return next((scheme for scheme in links.schemes if scheme not in SCHEMES | self.schemes), None)


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in HTML.

    Args:
        part: One of `_STEPS`.
        tag: The element whose tag or raw content this is.
        attribute: The attribute whose name or value this is.
        quote: The quote around the value; empty for none.
        read: The characters of the part that were read so far.
    """

    part: str = "words"
    tag: str = ""
    attribute: str = ""
    quote: str = ""
    read: str = ""

    @property
    def kind(self) -> tuple[str, str, str, str]:
        """The place without what was read: branches must agree on it."""
        is_named = self.part in ("value", "raw")
        return self.part, self.tag if is_named else "", self.attribute if is_named else "", self.quote


def markup(template: BoundTemplate) -> Markup:
    """Read the HTML of a parsed text."""
    reader = _Reader(template)
    reader.read(template.nodes, _Place())
    return Markup(tuple(dict.fromkeys(reader.faults)), reader.has_addresses, frozenset(reader.schemes - NEVER))


class _Addresses(HTMLParser):
    """Collects the schemes of all addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.schemes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        for name, value in attrs:
            found = _scheme(value or "") if name in _ADDRESSES else None
            if found:
                self.schemes.append(found)


def _scheme(address: str) -> str | None:
    found = _SCHEME.match(_SPACES.sub("", address))
    return found[1].lower() if found else None


class _Reader:
    """Follows a text through its HTML."""

    def __init__(self, template: BoundTemplate) -> None:
        self._context = RenderContext(template)
        self.faults: list[str] = []
        self.has_addresses = False
        self.schemes: set[str] = set()

    def read(self, nodes: Sequence[Node], place: _Place) -> _Place:
        """The place after some nodes."""
        for node in nodes:
            place = self._after(node, place)
        return place

    def _after(self, node: Node, place: _Place) -> _Place:
        if isinstance(node, ContentNode):
            return self._through(node.text, place)
        if isinstance(node, OutputNode):
            return self._printed(node.expression, place)
        if isinstance(node, CycleNode):
            for expression in node.args:
                self._printed(expression, place)
            return place
        children = list(node.children(self._context, include_partials=False))
        if isinstance(node, BlockNode):
            return self.read(children, place)
        before = _Place() if isinstance(node, CaptureNode) else place
        ends = [self.read([child], before) for child in children]
        if any(end.kind != before.kind for end in ends):
            self.faults.append(f"a branch begins in {_named(before)} and ends elsewhere")
        return place

    def _through(self, text: str, place: _Place) -> _Place:
        for character in text:
            after = _STEPS[place.part](place, character)
            if place.part == "value" and place.attribute in _ADDRESSES and (scheme := _scheme(after.read)):
                self.schemes.add(scheme)
            place = after
        return place

    def _printed(self, expression: Expression, place: _Place) -> _Place:
        """The place after a value, which stays the same; a word of the text itself is read as if it stood there."""
        left = expression.left if isinstance(expression, FilteredExpression) and not expression.filters else None
        if isinstance(left, StringLiteral):
            return self._through(left.value, place)
        if not _is_the_catalogues(expression):
            self._judge(expression, place)
        return replace(place, read=f"{place.read}…") if place.part == "value" else place

    def _judge(self, expression: Expression, place: _Place) -> None:
        if not _is_safe(place):
            self.faults.append(f"a value is printed in {_named(place)}: {{{{ {expression} }}}}")
        elif place.part == "value" and place.attribute in _ADDRESSES:
            self.has_addresses = True
            scheme = _scheme(place.read)
            if scheme in NEVER:
                self.faults.append(f"a value is printed in an address of {scheme}: {{{{ {expression} }}}}")


def _is_the_catalogues(expression: Expression) -> bool:
    """Whether an expression prints only literals and figures of the offer."""
    left = expression.left if isinstance(expression, FilteredExpression) else expression
    rest = [child for child in expression.children() if child is not left]
    is_own = isinstance(left, Literal) or (isinstance(left, Path) and left.path[0] == "offer")
    return is_own and all(map(_is_the_catalogues, rest))


def _is_safe(place: _Place) -> bool:
    if place.part == "words" or (place.part == "raw" and place.tag in _ESCAPABLE):
        return True
    attribute = place.attribute
    is_harmless = not attribute.startswith("on") and attribute not in _UNSAFE_ATTRIBUTES and place.tag != "meta"
    return place.part == "value" and bool(place.quote) and is_harmless


def _named(place: _Place) -> str:
    if place.part == "words":
        return "words"
    if place.part == "raw":
        return f"<{place.tag}>"
    if place.part == "comment":
        return "a comment"
    if place.part in ("value", "before value"):
        bare = "" if place.quote else "without quotes "
        return f"the attribute {place.attribute!r} {bare}of <{place.tag}>"
    return "a tag"


def _words(place: _Place, character: str) -> _Place:
    return _Place("open") if character == "<" else place


def _open(place: _Place, character: str) -> _Place:
    if character.isalpha() and character.isascii():
        return _Place("tag name", read=place.read + character.lower())
    if character in "!?" or (character == "/" and not place.read):
        return _Place("open", read="/") if character == "/" else _Place("comment", read=character)
    return _Place("open") if character == "<" else _Place()


def _tag_name(place: _Place, character: str) -> _Place:
    if character == ">":
        return _inside(place.read)
    if character.isspace() or character == "/":
        return _Place("tag", tag=place.read)
    return replace(place, read=(place.read + character.lower())[:_READ])


def _inside(tag: str) -> _Place:
    """The place after the end of a tag; `tag` begins with a slash for the end of an element."""
    return _Place("raw", tag=tag) if tag in _RAW | _ESCAPABLE else _Place()


def _tag(place: _Place, character: str) -> _Place:
    if character == ">":
        return _inside(place.tag)
    if character.isspace() or character == "/":
        return _Place("tag", tag=place.tag)
    return _Place("attribute name", tag=place.tag, attribute=character.lower())


def _attribute_name(place: _Place, character: str) -> _Place:
    if character == "=":
        return replace(place, part="before value")
    if character in "/>":
        return _tag(place, character)
    if character.isspace():
        return replace(place, part="after name")
    attribute = character if place.part == "after name" else place.attribute + character
    return replace(place, part="attribute name", attribute=attribute.lower()[:_READ])


def _before_value(place: _Place, character: str) -> _Place:
    if character.isspace():
        return place
    if character == ">":
        return _inside(place.tag)
    if character in "\"'":
        return replace(place, part="value", quote=character)
    return replace(place, part="value", read=character)


def _value(place: _Place, character: str) -> _Place:
    if character == place.quote:
        return _Place("tag", tag=place.tag)
    if not place.quote and (character.isspace() or character == ">"):
        return _tag(place, character)
    is_read = character.isspace() or len(place.read) == _READ
    return place if is_read else replace(place, read=place.read + character)


def _comment(place: _Place, character: str) -> _Place:
    read = place.read + character
    is_long = read.startswith("!--")
    ends = read.endswith("-->") and len(read) > len("!-->") if is_long else character == ">"
    return _Place() if ends else replace(place, read=read[:3] + read[3:][-3:])


def _raw(place: _Place, character: str) -> _Place:
    read = (place.read + character.lower())[-len(place.tag) - 2 :]
    return _Place("tag name", read=f"/{place.tag}") if read == f"</{place.tag}" else replace(place, read=read)


_STEPS = {
    "words": _words,
    "open": _open,
    "tag name": _tag_name,
    "tag": _tag,
    "attribute name": _attribute_name,
    "after name": _attribute_name,
    "before value": _before_value,
    "value": _value,
    "comment": _comment,
    "raw": _raw,
}
