"""Errors of experiments.

TactfulError
└── ExperimentError         an experiment that cannot be read
    ├── LogError            logged decisions that contradict themselves
    └── SupportError        a policy that the log cannot judge
"""

from features.errors import TactfulError


class ExperimentError(TactfulError):
    """An experiment that cannot be read."""


class LogError(ExperimentError):
    """Logged decisions that contradict themselves."""


class SupportError(ExperimentError):
    """A policy that the log cannot judge."""
