"""Why an action may not be taken, as a value."""

import json
from dataclasses import dataclass
from datetime import datetime

from tactful.decisions.base import canonical_json as canonical

_TEMPLATE = '{"gate":%s,"limit":%s,"observed":%s,"rule":%s,"until":%s}'


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The recorded reason an action did not pass a gate.

    Args:
        gate: The kind of rule: `cap`, `consent`, `quiet_hours`, `state`, …
        rule: The rule's own name in the catalogue.
        observed: The observed value, in words or figures.
        limit: The value that the rule wants.
        until: The earliest moment at which the action could pass, or None where time alone does not help.

    Example:
        >>> Exclusion("cap", "weekly", observed="3 contacts in 7d", limit="at most 2 in 7d").sentence
        'cap weekly (3 contacts in 7d; wanted at most 2 in 7d)'
    """

    gate: str
    rule: str
    observed: str
    limit: str
    until: datetime | None = None

    def as_json(self) -> str:
        """The exclusion as canonical JSON."""
        return _TEMPLATE % (
            canonical.text(self.gate),
            canonical.text(self.limit),
            canonical.text(self.observed),
            canonical.text(self.rule),
            canonical.moment(self.until),
        )

    def as_dict(self) -> dict[str, str | None]:
        """The same as values."""
        found: dict[str, str | None] = json.loads(self.as_json())
        return found

    @property
    def sentence(self) -> str:
        """The exclusion in one line."""
        moment = f", possible from {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        name = f"{self.gate} {self.rule}" if self.rule != self.gate else self.gate
        return f"{name} ({self.observed}; wanted {self.limit}{moment})"
