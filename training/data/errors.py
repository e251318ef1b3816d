"""Errors of training.

TactfulError
└── TrainingError           a log that cannot show what is to be learnt
    └── UndecidedError      a log that cannot judge a candidate; a live experiment can
"""

from tactful.features.errors import TactfulError


class TrainingError(TactfulError):
    """A log that cannot show what is to be learnt."""


class UndecidedError(TrainingError):
    """A log that cannot judge a candidate; a live experiment can."""
