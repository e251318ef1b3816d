"""Errors of training.

TactfulError
└── TrainingError           a log that cannot show what is to be learnt
"""

from features.errors import TactfulError


class TrainingError(TactfulError):
    """A log that cannot show what is to be learnt."""
