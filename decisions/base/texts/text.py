"""A message text in Liquid, compiled.

A placeholder reads `customer.…`, `event.…`, `features.…` or `offer.…`. Braze's `${first_name}` is read as
`customer.first_name`. `now` and `today` are the moment of the decision on the customer's clock.

Source: Liquid, https://shopify.github.io/liquid/.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate

from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.texts.bounds import Bound, bound
from tactful.decisions.base.texts.environment import TextEnvironment
from tactful.decisions.base.texts.filters import MOST_CHARACTERS, printable
from tactful.decisions.base.texts.markup import Markup, markup

Names = tuple[tuple[str, ...], ...]
CLOCK: Names = (("now",), ("today",))
"""What every text may read."""
_BRAZE = re.compile(r"\$\{\s*([A-Za-z_]\w*)\s*\}")
_ENVIRONMENTS = {escaped: TextEnvironment(autoescape=escaped) for escaped in (False, True)}


class Text:
    """A compiled text.

    Args:
        source: Liquid.
        html: Whether values are escaped for HTML.

    Raises:
        ConditionError: If the text does not parse, or is too long.

    Attributes:
        names: The values that it reads, each as root and name, such as `("customer", "first_name")`.

    Example:
        >>> Text("Dear {{ ${first_name} | default: 'friend' }}").render(customer={})
        'Dear friend'
        >>> Text("{{ customer.first_name | default: 'you' }}", html=True).render(customer={"first_name": "<b>"})
        '&lt;b&gt;'
        >>> Text("Until {{ 'today' | date: '%-d %B' }}").render(now=datetime(2026, 5, 1, 12))
        'Until 1 May'
    """

    def __init__(self, source: str, *, html: bool = False) -> None:
        self.source = source
        self.html = html
        self._template, self.names, self._bound, self._markup = _compile(source, html)

    def render(self, now: datetime | None = None, **values: Mapping[str, Any]) -> str:
        """The text for one customer. A value that is None, not finite, or a blank text counts as missing.

        Args:
            now: The moment of the decision on the customer's clock; without it a text that reads the clock fails.
            values: Mappings for `customer`, `event`, `features` and `offer`.

        Raises:
            ConditionError: If a limit is passed, a filter fails, or a value makes an address that could run a script.
        """
        try:
            rendered = self._template.render(**scope(self.names, values, now))
        except Exception as error:
            raise ConditionError("a text that does not render", got=reason(error), where=self.source[:60]) from None
        scheme = self._markup and self._markup.foreign_scheme(rendered)
        if scheme:
            got, wanted = f"an address of {scheme}", "one of the web, of mail or of a telephone"
            raise ConditionError("a value that is no safe address", got=got, wanted=wanted, where=self.source[:60])
        return rendered

    def longest(self, values: Mapping[str, Mapping[str, Any]]) -> int | None:
        """A length in characters that the text does not exceed for some values; None where only rendering tells."""
        return self._bound.longest(values) if self._bound else None

    @property
    def unsafe(self) -> tuple[str, ...]:
        """Each place of its HTML where a value cannot be printed safely."""
        return self._markup.faults if self._markup else ()

    def unknown_names(self, known: Mapping[str, frozenset[str]]) -> list[str]:
        """Placeholders that no customer can have: another root, or a name that is not declared under its root."""
        return [
            ".".join(name)
            for name in self.names
            if name not in CLOCK and name[-1] not in known.get(name[0], frozenset())
        ]


def scope(names: Names, values: Mapping[str, Mapping[str, Any]], now: datetime | None) -> dict[str, Any]:
    """The values that a template names, as they are printed, and the clock."""
    found: dict[str, Any] = {"now": now, "today": now.date() if now else None}
    for root, *rest in names:
        value = printable(values[root].get(rest[0])) if rest and root in values else None
        if value is not None:
            found.setdefault(root, {})[rest[0]] = value
    return found


def parsed(environment: TextEnvironment, source: str) -> tuple[BoundTemplate, Names]:
    """A text, parsed, and what it reads.

    Raises:
        ConditionError: If it does not parse, names an unknown filter, or is too long.
    """
    if len(source) > MOST_CHARACTERS:
        got = f"{len(source):,} characters"
        raise ConditionError("a text that is too long", got=got, wanted=f"at most {MOST_CHARACTERS:,}")
    try:
        template = environment.from_string(_BRAZE.sub(r"customer.\1", source))
        analysis = template.analyze()
    except Exception as error:
        raise ConditionError("a text that is not Liquid", got=reason(error), where=source[:60]) from None
    unknown = sorted(set(analysis.filters) - set(environment.filters))
    if unknown:
        wanted = ", ".join(sorted(environment.filters))
        raise ConditionError("an unknown filter in a text", got=unknown[0], wanted=wanted, where=source[:60])
    uses = (use for variables in analysis.globals.values() for use in variables)
    return template, tuple(sorted({tuple(str(segment) for segment in use.segments[:2]) for use in uses}))


@lru_cache(maxsize=4096)
def _compile(source: str, html: bool) -> tuple[BoundTemplate, Names, Bound | None, Markup | None]:
    template, names = parsed(_ENVIRONMENTS[html], source)
    found = markup(template) if html else None
    is_checked = found is not None and found.has_addresses
    return template, names, None if is_checked else bound(template, html=html), found


def reason(error: Exception) -> str:
    """The first line of an error."""
    return (str(error).splitlines() or [type(error).__name__])[0]
