"""Errors of experiments.

TactfulError
└── ExperimentError         an experiment that cannot be read
    ├── DeclarationError    a file of experiments with mistakes: all of them, each with file and line
    ├── ReadoutError        a readout that is asked of what cannot give it
    ├── LogError            logged decisions that contradict themselves
    └── SupportError        a policy that the log cannot judge
"""

from collections.abc import Sequence

from tactful.decisions.base.errors import Finding
from tactful.features.errors import TactfulError


class ExperimentError(TactfulError):
    """An experiment that cannot be read."""


class DeclarationError(ExperimentError):
    """A file of experiments that cannot be used.

    Args:
        findings: Every mistake found, in the order of their lines.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        count = len(self.findings)
        heading = f"the experiments have {count} mistake{'s' if count != 1 else ''}"
        super().__init__("\n".join([heading, *(f"  {finding}" for finding in self.findings)]))


class ReadoutError(ExperimentError):
    """A readout that is asked of what cannot give it."""


class LogError(ExperimentError):
    """Logged decisions that contradict themselves."""


class SupportError(ExperimentError):
    """A policy that the log cannot judge."""
