"""Errors of the service.

TactfulError
└── ServingError
    ├── UnknownCustomerError    nothing is known of the customer
    ├── UnknownDecisionError    no decision has the id
    ├── NotMergedError          an id that is merged into no customer, or no longer separable
    ├── UnknownMessageError     the catalogue has no such message
    ├── UnknownItemError        a question names what the catalogue or the models do not have
    ├── NothingToSendError      the decision was for silence
    ├── AlreadySentError        the contact of the decision was made
    ├── CursorError             a page is asked for by a cursor that is none
    ├── CatalogueRefusedError   a catalogue with mistakes
    ├── CatalogueMovedError     the catalogue is not the one that was to be replaced
    ├── PreconditionRequiredError  a change that does not say what it replaces
    ├── UnreadableBodyError     a body that is no text
    ├── ErasedError             the personal data of a decision were erased
    ├── DecisionConflictError   the id belongs to a decision about another customer
    ├── ContendedError          others changed the customer again and again while we decided
    ├── UnrenderableError       a text that cannot be rendered, or is too long for its channel
    ├── UnauthenticatedError    no API key, or not one of ours
    ├── ForbiddenError          an API key without the scope that is wanted
    ├── TooManyRequestsError    more requests than the key may make
    ├── KeyInFlightError        a request with this idempotency key is not answered yet
    ├── AnswerNotKeptError      the answer to the first request with this idempotency key was too large to keep
    ├── KeyReusedError          the idempotency key belongs to another request
    ├── DeadlineError           a request took longer than it may
    ├── NotReadyError           no bundle and catalogue to decide with
    ├── SettingsError           a setting that is unknown or cannot be what it was set to
    └── StoreError              the store cannot be reached, read or written
"""

from collections.abc import Sequence

from tactful.decisions.base.errors import Finding
from tactful.features.errors import TactfulError


class ServingError(TactfulError):
    """An error of the service."""


class UnknownCustomerError(ServingError):
    """Nothing is known of the customer."""


class UnknownDecisionError(ServingError):
    """No decision has the id."""


class NotMergedError(ServingError):
    """An id that is merged into no customer, or that cannot be separated any more."""


class UnknownMessageError(ServingError):
    """The catalogue has no such message."""


class UnknownItemError(ServingError):
    """A question names a feature, score, attribute, message or policy that there is not."""


class NothingToSendError(ServingError):
    """The decision was for silence."""


class AlreadySentError(ServingError):
    """The contact of the decision was made, so it cannot be given back."""


class CursorError(ServingError):
    """A page is asked for by a cursor that is none."""


class CatalogueRefusedError(ServingError):
    """A catalogue with mistakes.

    Args:
        findings: Every mistake, with its line.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"the catalogue has {len(findings)} mistake{'s' if len(findings) != 1 else ''}")
        self.findings = tuple(findings)


class CatalogueMovedError(ServingError):
    """The catalogue is not the one that was to be replaced."""


class PreconditionRequiredError(ServingError):
    """A change that does not say what it replaces."""


class UnreadableBodyError(ServingError):
    """A body that is no text."""


class ErasedError(ServingError):
    """The personal data of a decision were erased."""


class DecisionConflictError(ServingError):
    """The id belongs to a decision about another customer."""


class ContendedError(ServingError):
    """Others changed the customer again and again while we decided."""


class UnrenderableError(ServingError):
    """A text that cannot be rendered, or is too long for its channel."""


class UnauthenticatedError(ServingError):
    """No API key, or not one of ours."""


class ForbiddenError(ServingError):
    """An API key without the scope that is wanted."""


class TooManyRequestsError(ServingError):
    """More requests than the key may make.

    Args:
        retry_after: Seconds until the next one is allowed.
    """

    def __init__(self, message: str, *, retry_after: int, wanted: str | None = None) -> None:
        super().__init__(message, wanted=wanted)
        self.retry_after = retry_after


class KeyInFlightError(ServingError):
    """A request with this idempotency key is not answered yet."""


class AnswerNotKeptError(ServingError):
    """The answer to the first request with this idempotency key was too large to keep."""


class KeyReusedError(ServingError):
    """The idempotency key belongs to another request."""


class DeadlineError(ServingError):
    """A request took longer than it may; what it began may still be carried out."""


class NotReadyError(ServingError):
    """No bundle and catalogue to decide with."""


class SettingsError(ServingError):
    """A setting that is unknown or cannot be what it was set to."""


class StoreError(ServingError):
    """The store cannot be reached, read or written."""
