"""After which event not: suppression by a complaint, a dismissal or a purchase."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from tactful.decisions.base.durations import Duration, format_duration
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.ledger import Ledger
from tactful.decisions.base.snapshot import Event
from tactful.decisions.base.values import Names
from tactful.decisions.catalogue.policies.base import ContactPolicy, ago


class Suppression(ContactPolicy):
    """No contact in scope for a time after an event, such as a complaint, a dismissal or a purchase.

    With `per`, only events of the same channel, programme or message suppress.

    Args:
        on: The types of event that suppress.
        lasts: How long such an event suppresses.
    """

    kind: Literal["suppression"]
    on: Names = Field(min_length=1)
    lasts: Duration = Field(gt=timedelta())

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where such an event is that recent."""
        matching = (event for event in ledger.events_of(self.on) if self._concerns(event))
        latest = max(matching, key=lambda event: event.time, default=None)
        if latest is None or ledger.moment - latest.time >= self.lasts:
            return None
        return Exclusion(
            "suppression",
            self.id,
            observed=f"{latest.type} {ago(ledger.moment - latest.time)} ago",
            limit=f"not for {format_duration(self.lasts)} after {' or '.join(self.on)}",
            until=latest.time + self.lasts,
        )

    def _concerns(self, event: Event) -> bool:
        if self.per is None:
            return True
        return {
            "channel": event.channel in self.scope.channel,
            "programme": event.programme in self.scope.programme,
            "message": event.subject in self.scope.message,
        }[self.per]
