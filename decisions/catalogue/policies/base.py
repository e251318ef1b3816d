"""Contact policies: what protects a customer from too much, the wrong time, or the wrong order.

A policy looks at a customer's ledger and events, never at the action's worth; its verdict holds for every action in
its scope, so it is reached once a customer. Windows are rolling and half open: a window of length w that starts at s
holds what lies in `[s, s + w)`.
"""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.ledger import Addressed, Grouping, Ledger, Scope
from tactful.decisions.base.values import Value


class ContactPolicy(Value):
    """A named rule about contacts.

    Args:
        id: Its name in explanations.
        scope: The actions it binds.
        segment: Bind only customers of this segment; all where None.
        per: Apply it to each channel, programme or message of the scope on its own.
    """

    id: str = Field(min_length=1)
    scope: Scope = Scope()
    segment: str | None = None
    per: Grouping | None = None

    limits_frequency: ClassVar[bool] = False

    def bound(self, actions: Iterable[Addressed]) -> "list[ContactPolicy]":
        """The policies that this one becomes among these actions: itself, or one for each group of `per`."""
        if self.per is None:
            return [self]
        grouping = self.per
        names = {getattr(a, grouping) for a in actions if self.scope.covers(a.channel, a.programme, a.message, a.tags)}
        return [
            self.model_copy(update={"id": f"{self.id}[{name}]", "scope": self.scope.narrowed(grouping, name)})
            for name in sorted(names)
        ]

    @abstractmethod
    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """The exclusion of every action in scope, or None."""


def ago(span: timedelta) -> str:
    """A span in words, in hours or days."""
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"
