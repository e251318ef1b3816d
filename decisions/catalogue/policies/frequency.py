"""How often: caps in rolling windows, and gaps between contacts."""

from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from tactful.decisions.base.durations import Duration, format_duration
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.ledger import Ledger
from tactful.decisions.catalogue.policies.base import ContactPolicy, ago


class Cap(ContactPolicy):
    """At most `max` contacts in scope in any window of this length.

    Args:
        max: The largest number of contacts.
        window: The length of the rolling window.

    Example:
        >>> from datetime import UTC
        >>> from tactful.decisions.base.snapshot import Contact
        >>> at = datetime(2026, 5, 4, 9, tzinfo=UTC)
        >>> cap = Cap(id="weekly", kind="cap", max=1, window="7d")
        >>> print(cap.verdict(Ledger(at, [Contact(at - timedelta(days=2), "email")], [], None)).sentence)
        cap weekly (1 contact in 7d; wanted at most 1 in 7d, possible from 2026-05-09 09:00 UTC)
    """

    limits_frequency = True

    kind: Literal["cap"]
    max: int = Field(ge=0)
    window: Duration = Field(gt=timedelta())

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where some window that holds the moment is already full."""
        times = ledger.times(self.scope, since=ledger.moment - self.window)
        if len(times) < self.max:
            return None
        fullest = self._fullest(times, ledger.moment)
        if fullest < self.max:
            return None
        span = format_duration(self.window)
        return Exclusion(
            "cap",
            self.id,
            observed=f"{fullest} contact{'s' if fullest != 1 else ''} in {span}",
            limit=f"at most {self.max} in {span}",
            until=self._free(times, ledger.moment),
        )

    def fullest(self, ledger: Ledger) -> int:
        """Contacts in scope that share a window with the moment, in the window that holds most."""
        return self._fullest(ledger.times(self.scope, since=ledger.moment - self.window), ledger.moment)

    def _fullest(self, times: list[datetime], moment: datetime) -> int:
        """How many of the times share a window with the moment, at the worst."""
        starts = [t for t in times if moment - self.window < t <= moment] + [moment]
        return max(bisect_left(times, start + self.window) - bisect_left(times, start) for start in starts)

    def _free(self, times: list[datetime], moment: datetime) -> datetime | None:
        """The earliest moment at which no window would be full."""
        ends = (t + self.window for t in times if t + self.window > moment)
        return next((end for end in ends if self._fullest(times, end) < self.max), None)


class Gap(ContactPolicy):
    """At least `min` between two contacts in scope.

    Args:
        min: The shortest time between two contacts.
    """

    limits_frequency = True

    kind: Literal["gap"]
    min: Duration = Field(gt=timedelta())

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where a contact in scope lies nearer than the gap, before or after the moment."""
        times = ledger.times(self.scope, since=ledger.moment - self.min)
        nearest = min((abs(t - ledger.moment) for t in times), default=None)
        if nearest is None or nearest >= self.min:
            return None
        return Exclusion(
            "gap",
            self.id,
            observed=f"a contact {ago(nearest)} away",
            limit=f"at least {format_duration(self.min)} apart",
            until=_free(times, ledger.moment, self.min),
        )


def _free(times: list[datetime], moment: datetime, apart: timedelta) -> datetime:
    """The first moment from this one on that is so far from each of the times."""
    for time_ in times:
        if abs(time_ - moment) < apart:
            moment = time_ + apart
    return moment
