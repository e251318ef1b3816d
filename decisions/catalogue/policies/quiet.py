"""When not: quiet hours and quiet days on the customer's clock and calendar."""

from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator

from tactful.decisions.base.calendars import instant, is_holiday, next_instant, supported_countries
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.ledger import Ledger
from tactful.decisions.base.values import as_tuple
from tactful.decisions.catalogue.policies.base import ContactPolicy

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Weekdays = Annotated[
    tuple[Weekday, ...], BeforeValidator(as_tuple, json_schema_input_type=Weekday | tuple[Weekday, ...])
]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class QuietHours(ContactPolicy):
    """No contact between two local times; `start` after `end` spans midnight. An unknown zone is always quiet.

    Args:
        start: The first quiet minute on the customer's clock, such as 21:00.
        end: The first minute that is not quiet, such as 08:00.
    """

    kind: Literal["quiet_hours"]
    start: time
    end: time

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"quiet hours that never start: got start and end {self.start:%H:%M}; wanted two times")
        return self

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where the customer's clock shows a quiet hour."""
        limit = f"never from {self.start:%H:%M} to {self.end:%H:%M}"
        if ledger.zone is None or ledger.local is None:
            return Exclusion("quiet_hours", self.id, observed="no time zone known", limit=limit)
        clock = ledger.local.time()
        spans_midnight = self.start > self.end
        quiet = clock >= self.start or clock < self.end if spans_midnight else self.start <= clock < self.end
        if not quiet:
            return None
        days = 1 if spans_midnight and clock >= self.start else 0
        end = next_instant(ledger.moment, ledger.local.date() + timedelta(days=days), self.end, ledger.zone)
        return Exclusion("quiet_hours", self.id, observed=f"{clock:%H:%M} local time", limit=limit, until=end)


class QuietDays(ContactPolicy):
    """No contact on these local weekdays, nor on public holidays of a country. An unknown zone is always quiet.

    Args:
        weekdays: The quiet weekdays, such as sunday.
        holidays: The ISO 3166 code of the country whose public holidays are quiet; none where null.
    """

    kind: Literal["quiet_days"]
    weekdays: Weekdays = ()
    holidays: str | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if not self.weekdays and self.holidays is None:
            raise ValueError("quiet days without a day: wanted weekdays or holidays")
        if self.holidays is not None and self.holidays not in supported_countries():
            raise ValueError(f"unknown country: got {self.holidays!r}; wanted an ISO 3166 code such as US or FR")
        if len(set(self.weekdays)) == len(WEEKDAYS):
            raise ValueError("every weekday is quiet: wanted at least one day for contacts")
        return self

    def verdict(self, ledger: Ledger) -> Exclusion | None:
        """Excludes where the customer's calendar shows a quiet day."""
        if ledger.zone is None or ledger.local is None:
            return Exclusion("quiet_days", self.id, observed="no time zone known", limit=self._limit)
        day = ledger.local.date()
        if not self._quiet(ledger.local):
            return None
        following = ledger.local
        while self._quiet(following):
            following += timedelta(days=1)
        end = instant(following.date(), time(), ledger.zone)
        return Exclusion("quiet_days", self.id, observed=f"{day:%A %Y-%m-%d}", limit=self._limit, until=end)

    @property
    def _limit(self) -> str:
        quiet = [*self.weekdays, *([f"holidays of {self.holidays}"] if self.holidays else [])]
        return f"not on {', '.join(quiet)}"

    def _quiet(self, local: datetime) -> bool:
        holiday = self.holidays is not None and is_holiday(local.date(), self.holidays)
        return holiday or WEEKDAYS[local.weekday()] in self.weekdays
