"""The tokens of a CEL expression: where its names are, and what it may not call.

Source: the lexis of the Common Expression Language, https://github.com/google/cel-spec/blob/master/doc/langdef.md.
"""

import re
from collections.abc import Iterator, Mapping

from tactful.decisions.base.errors import ConditionError

LONGEST = 20_000
"""Characters that an expression may have once its segments are written out."""
_SEGMENT = "segment."
_TOKEN = re.compile(
    r"""\s+|//[^\n]*|([bB]?[rR][bB]?(?:\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|"[^"\n]*"|'[^'\n]*')
    |[bB]?(?:\"{3}(?s:(?:\\.|[^\\])*?)\"{3}|'{3}(?s:(?:\\.|[^\\])*?)'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |[A-Za-z_][\w.]*|\d[\w.]*(?:(?<=[eE])[-+]\d+)?|&&|\|\||[<>=!]=|.)""",
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_REFUSED = frozenset({"map", "join", "format"})
"""Functions whose result can be many times as long as what they read."""


def tokenised(source: str) -> list[str]:
    """The tokens of an expression, without spaces and comments; a dotted name is one, and so is a string.

    Example:
        >>> tokenised("!(customer.tier == 'a b') && features.spend >= 1e-3")
        ['!', '(', 'customer.tier', '==', "'a b'", ')', '&&', 'features.spend', '>=', '1e-3']
    """
    return [token for token in _TOKEN.findall(source) if token]


def names_in(source: str) -> set[str]:
    """The dotted names that an expression reads, with the functions that it calls on them; never those in strings.

    Example:
        >>> sorted(names_in("customer.tier == 'segment.gold' && segment.rich"))
        ['customer.tier', 'segment.rich']
    """
    return {token for token in tokenised(source) if "." in token and _NAME.fullmatch(token)}


def segments_in(source: str) -> set[str]:
    """The segments that an expression names.

    Example:
        >>> segments_in("segment.rich && customer.tier != 'segment.gold'")
        {'rich'}
    """
    return {name.removeprefix(_SEGMENT).partition(".")[0] for name in names_in(source) if name.startswith(_SEGMENT)}


def expanded(source: str, segments: Mapping[str, str], seen: tuple[str, ...] = (), room: int = LONGEST) -> str:
    """Write each `segment.NAME` out as its condition in brackets; a string that reads like one stays as it is.

    Args:
        source: The expression.
        segments: The condition of each segment.
        seen: The segments that led to this expression.
        room: Characters that the result may have.

    Raises:
        ConditionError: If a segment is unknown, refers to itself, or makes the expression longer than allowed.

    Example:
        >>> expanded("segment.rich && customer.tier != 'segment.rich'", {"rich": "features.spend > 9.0"})
        "(features.spend > 9.0) && customer.tier != 'segment.rich'"
    """
    parts: list[str] = []
    for text in _pieces(source):
        if text.startswith(_SEGMENT):
            text = _written_out(text.removeprefix(_SEGMENT), segments, seen, room)
        room -= len(text)
        if room < 0:
            wanted = f"at most {LONGEST:,} characters with every segment written out"
            raise ConditionError("an expression that is too long", wanted=wanted)
        parts.append(text)
    return "".join(parts)


def _pieces(source: str) -> Iterator[str]:
    """The expression cut into its tokens and what lies between them."""
    return (match[0] for match in _TOKEN.finditer(source))


def _written_out(name: str, segments: Mapping[str, str], seen: tuple[str, ...], room: int) -> str:
    if name in seen:
        raise ConditionError("a segment refers to itself", got=" → ".join([*seen, name]))
    if name not in segments:
        raise ConditionError("unknown segment", got=name, wanted=", ".join(segments) or "none is declared")
    return f"({expanded(segments[name], segments, (*seen, name), room)})"


def check_calls(source: str) -> None:
    """Refuse the functions with which a short expression makes a text of any length.

    `replace` takes two strings of which the second is no longer than the first.

    Raises:
        ConditionError: With the function.

    Example:
        >>> check_calls("customer.phone.replace('-', '').startsWith('+49')")
    """
    tokens = tokenised(source)
    for i, token in enumerate(tokens[:-1]):
        name = token.rpartition(".")[2]
        if tokens[i + 1] != "(":
            continue
        if name in _REFUSED:
            raise ConditionError("a function that no expression may call", got=name, wanted="another way to say it")
        if name == "replace" and not _shortens(tokens[i + 2 : i + 6]):
            wanted = "two strings, the second no longer than the first, such as replace('-', '')"
            raise ConditionError(
                "a replacement that could lengthen a text",
                got=f"replace({''.join(tokens[i + 2 : i + 5])}",
                wanted=wanted,
            )


def _shortens(tokens: list[str]) -> bool:
    """Whether these are the arguments of a replacement that lengthens nothing."""
    if len(tokens) < 4 or tokens[1] != "," or tokens[3] != ")":
        return False
    old, new = (_literal(tokens[i]) for i in (0, 2))
    return old is not None and new is not None and len(old) > 0 and len(new) <= len(old)


def _literal(token: str) -> str | None:
    """The text of a plain string literal without escapes, or None."""
    quoted = len(token) >= 2 and token[0] in "'\"" and token[-1] == token[0]
    return token[1:-1] if quoted and "\\" not in token and not token.startswith(token[0] * 3) else None
