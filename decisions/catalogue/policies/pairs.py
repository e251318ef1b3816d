"""In which order: contacts that exclude or require other contacts."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from tactful.decisions.base.durations import Duration, format_duration
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.ledger import Addressed, Ledger, Scope
from tactful.decisions.catalogue.policies.base import ContactPolicy, ago


class NeverAfter(ContactPolicy):
    """No contact in scope within a time after a contact of `first`.

    A contact of `first` waits in turn where one in scope lies ahead within that time. One that is dated ahead of the
    moment holds back too, since the clock that dated it may have been wrong.

    Args:
        first: The contacts that hold the actions in scope back.
        within: How long they hold them back.
    """

    kind: Literal["never_after"]
    first: Scope
    within: Duration = Field(gt=timedelta())

    def bound(self, actions: Iterable[Addressed]) -> "list[ContactPolicy]":
        """Itself, and what holds `first` back before a contact that lies ahead."""
        ahead = _NeverBefore(id=self.id, scope=self.first, then=self.scope, within=self.within, segment=self.segment)
        return [*super().bound(actions), ahead]

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where a contact of `first` is that near."""
        latest = max(ledger.times(self.first, since=ledger.moment - self.within, uncounted=True), default=None)
        if latest is None or ledger.moment - latest >= self.within:
            return None
        return _pair(self.id, ledger.moment - latest, self.within, latest + self.within)


class _NeverBefore(ContactPolicy):
    """No contact in scope where one of `then` lies ahead within a time."""

    kind: Literal["never_after"] = "never_after"
    then: Scope
    within: timedelta

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where a contact of `then` lies ahead that near; it could pass once that one was made."""
        times = ledger.times(self.then, since=ledger.moment, uncounted=True)
        ahead = [t for t in times if ledger.moment < t < ledger.moment + self.within]
        return _pair(self.id, ledger.moment - ahead[0], self.within, ahead[-1]) if ahead else None


class NeverWith(ContactPolicy):
    """No contact in scope within a time of one of `other`, before or after it, nor the other way round.

    Args:
        other: The contacts that exclude the actions in scope.
        within: The shortest time between the two.
    """

    kind: Literal["never_with"]
    other: Scope
    within: Duration = Field(gt=timedelta())

    def bound(self, actions: Iterable[Addressed]) -> "list[ContactPolicy]":
        """A rule for each order of the pair."""
        orders = ((self.scope, self.other), (self.other, self.scope))
        return [policy for first, then in orders for policy in self._never_after(first, then).bound(actions)]

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """The first exclusion among both orders of the pair."""
        return next((found for policy in self.bound(()) if (found := policy.verdict(ledger))), None)

    def _never_after(self, first: Scope, then: Scope) -> NeverAfter:
        return NeverAfter(
            id=self.id, kind="never_after", scope=then, first=first, within=self.within, segment=self.segment
        )


class OnlyAfter(ContactPolicy):
    """A contact in scope only within a time after a contact of `first`.

    Args:
        first: The contacts that must come before.
        within: The longest time after such a contact.
    """

    kind: Literal["only_after"]
    first: Scope
    within: Duration = Field(gt=timedelta())

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where no contact of `first` is that near."""
        latest = _latest(self.first, ledger)
        if latest is not None and ledger.moment - latest < self.within:
            return None
        observed = f"such a contact {ago(ledger.moment - latest)} ago" if latest else "no such contact"
        return Exclusion("pair", self.id, observed=observed, limit=f"only within {format_duration(self.within)}")


def _latest(scope: Scope, ledger: Ledger) -> datetime | None:
    """The last contact in scope up to the moment, whether it counts toward caps or not."""
    times = ledger.times(scope, uncounted=True)
    return max((time for time in times if time <= ledger.moment), default=None)


def _pair(rule: str, since: timedelta, within: timedelta, until: datetime) -> Exclusion:
    where = f"{ago(since)} ago" if since >= timedelta() else f"{ago(-since)} ahead"
    limit = f"not within {format_duration(within)}"
    return Exclusion("pair", rule, observed=f"such a contact {where}", limit=limit, until=until)
