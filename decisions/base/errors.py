"""Errors of the decision core.

TactfulError
├── ConditionError          an expression that does not compile or has the wrong type
├── CatalogueError          a catalogue with mistakes: all of them, each with file and line
├── SnapshotError           inputs of a decision that contradict themselves
└── AllocationError         values and capacities that do not fit
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tactful.features.errors import TactfulError


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake or doubt in a catalogue.

    Args:
        file: The file that holds it, as the caller named it.
        line: Line in that file, from 1.
        severity: An `error` keeps the catalogue from loading; a `warning` does not.
        message: The mistake, in words.
        mend: A way to correct it, or an empty string.

    Example:
        >>> print(Finding("retail.yaml", 12, "error", "unknown channel 'fax'", "declare it under channels"))
        retail.yaml:12: error: unknown channel 'fax' (declare it under channels)
    """

    file: str
    line: int
    severity: Literal["error", "warning"]
    message: str
    mend: str = ""

    def __str__(self) -> str:
        hint = f" ({self.mend})" if self.mend else ""
        return f"{self.file}:{self.line}: {self.severity}: {self.message}{hint}"


class ConditionError(TactfulError):
    """An expression that does not compile, or whose type is not the one wanted."""


class CatalogueError(TactfulError):
    """A catalogue that cannot be used.

    Args:
        findings: Every mistake found, in the order of their lines.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        count = len(self.findings)
        heading = f"the catalogue has {count} mistake{'s' if count != 1 else ''}"
        super().__init__("\n".join([heading, *(f"  {finding}" for finding in self.findings)]))


class SnapshotError(TactfulError):
    """Inputs of a decision that contradict themselves."""


class AllocationError(TactfulError):
    """Values and capacities that do not fit."""
