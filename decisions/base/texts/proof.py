"""A proof by evaluation that a text replaces whatever a customer may lack.

The text is rendered with every set of its optional names missing, and each rendering is compared with the one in which
one name more is there. Wherever that name's value was printed, something else must be printed without it: a fallback,
or, where a whole block is left out, nothing, if the block was a sentence of its own. Values that the text's conditions
compare with are tried too; a placeholder that no rendering reaches needs a `default` of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain, combinations
from typing import Any

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions.primitive import Literal

from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.texts.bounds import ROOTS
from tactful.decisions.base.texts.environment import MOST_WORK, expressions, nodes
from tactful.decisions.base.texts.filters import printable
from tactful.decisions.base.texts.gaps import is_cut, is_gap
from tactful.decisions.base.texts.reading import sources, unreplaced
from tactful.decisions.base.texts.text import Names, parsed, scope
from tactful.decisions.base.texts.tracing import ENVIRONMENTS, Rendering, trace
from tactful.features.one_line import is_blank

ALL_SUBSETS = 8
"""Up to so many optional names every set of them is tried; of more, each one, each pair, all but one, and all."""
MOST_RENDERINGS_WORK = 20 * MOST_WORK
"""What all renderings of a proof together may do."""
MOST_PROFILES = 24
"""Sets of values that are tried, so that conditions on values come out both ways."""

Missing = frozenset[str]
_NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
_SAMPLES: Mapping[str, tuple[Any, Any]] = {
    "string": ("kqxv", "wzjbm"),
    "number": (27.4, 58.9),
    "integer": (27, 58),
    "boolean": (True, False),
    "date": (date(1987, 3, 14), date(1992, 11, 27)),
}
"""Two values of each type that have no character of their printed forms in the same place."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of rendering a text with sets of names missing.

    Args:
        faults: Each fault as a message and a way to correct it.
        shortest: The length of the shortest rendering, in characters; 0 where none came about.
    """

    faults: tuple[tuple[str, str], ...]
    shortest: int


@dataclass(frozen=True, slots=True)
class Readable:
    """The names that the texts of a message may read.

    Args:
        optional: The type of each name that a customer may lack, by its full name.
        certain: The value of each name that is always there.
    """

    optional: Mapping[str, str]
    certain: Mapping[str, Any]

    @classmethod
    def of(cls, kinds: Mapping[str, str], defaults: Mapping[str, Any], offer: Mapping[str, Any]) -> "Readable":
        """From the type of each fact, the defaults of attributes, and the figures of an offer.

        A default that is blank replaces nothing.
        """
        given = {f"customer.{name}": value for name, value in defaults.items()}
        given |= {f"offer.{name}": value for name, value in offer.items()}
        certain = {name: value for name, value in given.items() if printable(value) is not None}
        optional = {name: kind for name, kind in kinds.items() if name.split(".")[0] in ROOTS and name not in certain}
        return cls(optional, certain)

    @property
    def names_in_full(self) -> list[str]:
        """Every name, with its root."""
        return [*self.optional, *self.certain]

    @property
    def names(self) -> dict[str, frozenset[str]]:
        """The names under each root."""
        found: dict[str, set[str]] = {}
        for full in self.names_in_full:
            root, _, name = full.partition(".")
            found.setdefault(root, set()).add(name)
        return {root: frozenset(names) for root, names in found.items()}


def prove(source: str, html: bool, readable: Readable) -> Proof:
    """Render a text with what customers have and lack.

    Args:
        source: Liquid.
        html: Whether values are escaped for HTML.
        readable: The names that it may read.

    Raises:
        ConditionError: If the text does not parse.
    """
    _, names = parsed(ENVIRONMENTS[html], source)
    read = [".".join(name) for name in names]
    optional = tuple((name, readable.optional[name]) for name in read if name in readable.optional)
    certain = tuple((name, readable.certain[name]) for name in read if name in readable.certain)
    return _proved(source, html, optional, certain)


@lru_cache(maxsize=4096)
def _proved(
    source: str, html: bool, optional: tuple[tuple[str, str], ...], certain: tuple[tuple[str, Any], ...]
) -> Proof:
    template, names = parsed(ENVIRONMENTS[html], source)
    return _Evaluation(template, names, dict(optional), dict(certain)).proof()


class _Evaluation:
    """A text, the names that it reads, and its renderings so far."""

    def __init__(
        self, template: BoundTemplate, names: Names, kinds: Mapping[str, str], certain: Mapping[str, Any]
    ) -> None:
        self._template = template
        self._names = names
        self._kinds = kinds
        self._certain = certain
        self._sources = sources(template, kinds)
        self._numbers, self._texts = _compared(template)
        self._renderings: dict[tuple[Missing, str, int], Rendering] = {}
        self._work = 0

    def proof(self) -> Proof:
        faults = dict.fromkeys(chain(self._failures(), self._unreplaced(), self._unreached(), self._never_printed()))
        lengths = [len(found.output) for found in self._renderings.values() if not found.error]
        return Proof(tuple(faults), min(lengths, default=0))

    def _failures(self) -> Iterator[tuple[str, str]]:
        """Sets of missing names without which the text does not render."""
        for missing in _subsets(tuple(self._kinds)):
            error = self._rendered(missing).error
            if error and not any(self._rendered(missing - {name}).error for name in missing):
                where = f" where {_listed(missing)} is missing" if missing else ""
                mend = "give a number as fallback, before the filter, or write a sentence without it"
                yield f"the text does not render{where}: {error}", mend if missing else ""

    def _unreplaced(self) -> Iterator[tuple[str, str]]:
        """Names that are printed where they are there, and replaced by nothing where they are not."""
        for profile in range(self._profiles):
            for missing in _subsets(tuple(self._kinds), thorough=profile == 0):
                for name in sorted(missing):
                    if self._prints_nothing_for(name, missing, profile):
                        mend = f"write {{{{ {name} | default: '…' }}}}, or leave out the whole sentence"
                        yield f"placeholder {name!r} has no fallback", mend

    def _prints_nothing_for(self, name: str, missing: Missing, profile: int) -> bool:
        without = self._rendered(missing, profile=profile)
        there = self._rendered(missing - {name}, profile=profile)
        if without.error or there.error or without.output == there.output:
            return False
        for key, piece in without.pieces.items():
            before = there.pieces.get(key)
            if before is None or not is_cut(before.printed, piece.printed):
                continue
            changed = self._rendered(missing - {name}, other=name, profile=profile).pieces.get(key)
            if changed is not None and is_gap(key[0], piece, before, changed, without.output, self._kinds[name]):
                return True
        return False

    def _unreached(self) -> Iterator[tuple[str, str]]:
        """Optional names that are printed without a `default` where no rendering came by."""
        reached = {node for found in self._renderings.values() for node in found.reached}
        for node in nodes(self._template):
            name = None if node in reached else unreplaced(node, self._sources)
            if name:
                yield f"placeholder {name!r} has no fallback", f"write {{{{ {name} | default: '…' }}}}"

    def _never_printed(self) -> Iterator[tuple[str, str]]:
        """Optional names whose placeholder printed nothing in any rendering, as `customer.first_name[0]` does."""
        printed: dict[Node, bool] = {}
        for found in self._renderings.values():
            for (node, _), piece in found.pieces.items():
                printed[node] = printed.get(node, False) or not is_blank(piece.printed)
        for node, is_printed in printed.items():
            name = None if is_printed else unreplaced(node, self._sources)
            if name:
                yield (
                    f"a placeholder of {name!r} prints nothing, also where the name is there",
                    "correct it, or remove it",
                )

    @property
    def _profiles(self) -> int:
        return min(MOST_PROFILES, 1 + max(len(self._numbers), len(self._texts)))

    def _rendered(self, missing: Missing, other: str = "", profile: int = 0) -> Rendering:
        """A rendering without some names, in which one of the others has another value."""
        key = (missing, other, profile)
        if key not in self._renderings:
            self._renderings[key] = self._render(missing, other, profile)
        return self._renderings[key]

    def _render(self, missing: Missing, other: str, profile: int) -> Rendering:
        values: dict[str, dict[str, Any]] = {}
        for full in [*self._certain, *(name for name in self._kinds if name not in missing)]:
            root, _, name = full.partition(".")
            values.setdefault(root, {})[name] = self._value(full, full == other, profile)
        rendering = trace(self._template, scope(self._names, values, _NOW))
        self._work += rendering.work
        if self._work > MOST_RENDERINGS_WORK:
            raise ConditionError("a text that takes too long to check", wanted="fewer loops and names")
        return rendering

    def _value(self, name: str, is_other: bool, profile: int) -> Any:
        if name in self._certain:
            return self._certain[name]
        kind = self._kinds[name]
        compared = self._numbers if kind in ("number", "integer") else self._texts if kind == "string" else ()
        if profile and compared and not is_other:
            value = compared[(profile - 1) % len(compared)]
            return int(value) if kind == "integer" else value
        return _SAMPLES[kind][is_other]


def _compared(template: BoundTemplate) -> tuple[list[float], list[str]]:
    """The numbers of a text, each with those next to it, and its words."""
    literals = [literal.value for literal in expressions(template) if isinstance(literal, Literal)]
    numbers = {float(value) + step for value in literals if isinstance(value, int | float) for step in (-1, 0, 1)}
    return sorted(numbers), sorted({value for value in literals if isinstance(value, str) and value.strip()})


def _subsets(names: tuple[str, ...], *, thorough: bool = True) -> Iterator[Missing]:
    """The sets of missing names to try, small ones first."""
    count = len(names)
    everything = range(count + 1) if count <= ALL_SUBSETS else (0, 1, 2, count - 1, count)
    for size in everything if thorough else sorted({0, min(1, count), count}):
        yield from map(frozenset, combinations(names, size))


def _listed(missing: Missing) -> str:
    return " and ".join(repr(name) for name in sorted(missing))
