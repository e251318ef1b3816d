"""Message texts in Liquid, with limits and mandatory fallbacks.

A placeholder reads `customer.…`, `event.…`, `features.…` or `offer.…`; all but an offer's own figures may be missing
for some customer, so each needs a `default`. Braze's `${first_name}` is read as `customer.first_name`.

Source: Liquid, https://shopify.github.io/liquid/.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.exceptions import LiquidError

from decisions.errors import ConditionError

_ROOTS = ("customer", "event", "features", "offer")
_BRAZE = re.compile(r"\$\{\s*([A-Za-z_]\w*)\s*\}")


class _Limited(Environment):
    context_depth_limit = 10
    loop_iteration_limit = 1_000
    local_namespace_limit = 10_000
    output_stream_limit = 50_000


_ENVIRONMENTS = {escaped: _Limited(autoescape=escaped) for escaped in (False, True)}


class Text:
    """A compiled text.

    Args:
        source: Liquid.
        html: Whether values are escaped for HTML.

    Raises:
        ConditionError: If the text does not parse.

    Example:
        >>> Text("Dear {{ ${first_name} | default: 'friend' }}").render(customer={})
        'Dear friend'
        >>> Text("{{ customer.first_name | default: '' }}", html=True).render(customer={"first_name": "<b>"})
        '&lt;b&gt;'
    """

    def __init__(self, source: str, *, html: bool = False) -> None:
        self.source = source
        self._template = _compile(source, html)

    def render(self, **values: Mapping[str, Any]) -> str:
        """The text for one customer.

        Args:
            values: Mappings for `customer`, `event`, `features` and `offer`.

        Raises:
            ConditionError: If a limit is passed or a filter fails.
        """
        try:
            return self._template.render(**values)
        except LiquidError as error:
            raise ConditionError(
                "a text that does not render", got=_first_line(error), where=self.source[:60]
            ) from None

    def unknown_names(self, known: Mapping[str, frozenset[str]]) -> list[str]:
        """Placeholders that no customer can have: another root, or a name that is not declared under its root."""
        names = self._names(self._template.analyze().globals)
        return [n for n in names if (parts := n.split(".", 1))[-1] not in known.get(parts[0], frozenset())]

    def without_fallback(self, certain: frozenset[str]) -> list[str]:
        """Placeholders that are printed without a `default` and are not certain to have a value."""
        printed = (expression for expression in _printed(self._template) if isinstance(expression.left, Path))
        missing = {
            str(expression.left)
            for expression in printed
            if not any(item.name == "default" for item in expression.filters or ())
        }
        return sorted(name for name in missing if name.split(".")[0] in _ROOTS and name not in certain)

    @staticmethod
    def _names(variables: Mapping[str, Any]) -> list[str]:
        return sorted({".".join(str(s) for s in use.segments[:2]) for uses in variables.values() for use in uses})


@lru_cache(maxsize=4096)
def _compile(source: str, html: bool) -> BoundTemplate:
    environment = _ENVIRONMENTS[html]
    try:
        template = environment.from_string(_BRAZE.sub(r"customer.\1", source))
    except LiquidError as error:
        raise ConditionError("a text that is not Liquid", got=_first_line(error), where=source[:60]) from None
    unknown = sorted(set(template.analyze().filters) - set(environment.filters))
    if unknown:
        raise ConditionError("a text that is not Liquid", got=f"filter {unknown[0]!r}", where=source[:60])
    return template


def _printed(template: BoundTemplate) -> Iterator[FilteredExpression]:
    context = RenderContext(template)
    pending: list[Node] = list(template.nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, OutputNode) and isinstance(node.expression, FilteredExpression):
            yield node.expression
        pending.extend(node.children(context, include_partials=False))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
