"""The methods of each path, and whether the clients of Segment call it."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

TRACKING = "tracking"
"""The tag of the routes that the clients of Segment and RudderStack call."""


class Paths:
    """The routes of an application, matched by path alone.

    Args:
        routes: Every route.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._routes = [route for route in routes if isinstance(route, Route)]

    def methods(self, scope: Scope) -> list[str]:
        """The methods of a path in the order of the alphabet: of every route that matches it, and HEAD beside GET."""
        found = {method for route in self._matching(scope) for method in route.methods or ()}
        return sorted(found | {"HEAD"} if "GET" in found else found)

    def is_tracking(self, scope: Scope) -> bool:
        """Whether a client of Segment or RudderStack may be the caller."""
        return any(TRACKING in getattr(route, "tags", ()) for route in self._matching(scope))

    def _matching(self, scope: Scope) -> Iterable[Route]:
        return (route for route in self._routes if route.matches(scope)[0] is not Match.NONE)


def as_routed(scope: Scope) -> Scope:
    """The scope of a request as the routes know it: HEAD is answered like GET, and a slash at the end is left out.

    Example:
        >>> inner = as_routed({"type": "http", "method": "HEAD", "path": "/v1/programmes/"})
        >>> inner["method"], inner["path"]
        ('GET', '/v1/programmes')
    """
    changed = {"method": "GET"} if scope["method"] == "HEAD" else {}
    if scope["path"].endswith("/") and scope["path"] != "/":
        changed["path"] = scope["path"][:-1]
    return {**scope, **changed} if changed else scope
