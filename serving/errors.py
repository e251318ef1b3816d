"""Errors of the service.

TactfulError
└── ServingError
    ├── UnknownCustomerError    nothing is known of the customer
    ├── UnknownDecisionError    no decision bears the id
    ├── UnknownMessageError     the catalogue has no such message
    ├── ErasedError             the personal data of a decision were erased
    ├── DecisionConflictError   the id belongs to a decision about another customer
    ├── ContendedError          others changed the customer again and again while we decided
    ├── UnrenderableError       a text that cannot be rendered, or is too long for its channel
    ├── NotReadyError           no bundle and catalogue to decide with
    ├── SettingsError           a setting that is unknown or cannot be what it was set to
    └── StoreError              the store cannot be reached, read or written
"""

from features.errors import TactfulError


class ServingError(TactfulError):
    """An error of the service."""


class UnknownCustomerError(ServingError):
    """Nothing is known of the customer."""


class UnknownDecisionError(ServingError):
    """No decision bears the id."""


class UnknownMessageError(ServingError):
    """The catalogue has no such message."""


class ErasedError(ServingError):
    """The personal data of a decision were erased."""


class DecisionConflictError(ServingError):
    """The id belongs to a decision about another customer."""


class ContendedError(ServingError):
    """Others changed the customer again and again while we decided."""


class UnrenderableError(ServingError):
    """A text that cannot be rendered, or is too long for its channel."""


class NotReadyError(ServingError):
    """No bundle and catalogue to decide with."""


class SettingsError(ServingError):
    """A setting that is unknown or cannot be what it was set to."""


class StoreError(ServingError):
    """The store cannot be reached, read or written."""
