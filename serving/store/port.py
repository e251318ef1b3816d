"""The service's interface to a store, in the words of the domain.

A decision is made on what `customers` returned and kept by `record`, which takes the customer's lock and refuses a
decision made on an older version. So whatever a decision looked at (ledger, events, consents, profile) is still true
when it is kept, and every contact policy holds exactly, however many callers decide at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Literal, NamedTuple

from tactful.decisions.base.snapshot import Contact
from tactful.decisions.kernel.decision import Decision
from tactful.features.one_line import one_line
from tactful.features.timestamps import EARLIEST
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.store.database import Database

Consent = tuple[str, str]
"""A channel and a purpose."""
Ending = Literal["sent", "released"]
"""What becomes of a reservation, unless it expires."""


class StoredEvent(NamedTuple):
    """An event as it is stored: the columns of `tactful.features.events.schema`, and the programme an outcome answers.

    `time` is in microseconds since the epoch, `type` and `channel` are positions in the vocabularies. `claimed` is an
    amount that nobody verified: conditions of triggers read it, and nothing else counts it.
    """

    time: int
    type: int
    channel: int
    amount: float
    discount: float
    quantity: float
    categories: int
    subject: str
    id: str
    programme: str = ""
    claimed: float | None = None


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """All that is known of a customer before a moment.

    Args:
        id: Its pseudonymous id.
        version: Moves with every change to what a decision about the customer reads.
        history_zone: The IANA zone that the local days of features are counted in.
        zone: The customer's own IANA zone, or None.
        joined: When the customer became known, or None.
        attributes: Profile values, as JSON gives them.
        consents: Whether (channel, purpose) is allowed.
        contacts: The contacts that count at the moment, in time order; None where the ledger cannot be read.
        events: The customer's events before the moment, in time order, each a tuple like `StoredEvent`.
        ahead: Events that are dated at the moment or later, since a clock ran ahead; those that forbid contacts count.
    """

    id: str
    version: int
    history_zone: str
    zone: str | None
    joined: datetime | None
    attributes: Mapping[str, Any]
    consents: Mapping[Consent, bool]
    contacts: tuple[Contact, ...] | None
    events: Sequence[tuple[Any, ...]]
    ahead: Sequence[tuple[Any, ...]] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision to keep.

    Args:
        decision: The decision.
        inputs: The personal snapshot it was made on, as bytes.
        based_on: The version of the customer it was made on.
        reservation: The contact it reserves, or None.
        expires: When the reservation stops counting unless it is confirmed.
        opened_by: Id of the event that opened the programme of its choice, or an empty string.
        notify: The outbox record for receivers, or None.
    """

    decision: Decision
    inputs: bytes
    based_on: int
    reservation: Contact | None = None
    expires: datetime | None = None
    opened_by: str = ""
    notify: bytes | None = None


class RecordStatus(Enum):
    """The result of recording a draft."""

    RECORDED = "recorded"
    STALE = "the customer changed since: decide again"
    KNOWN = "a decision of this id was kept before, and stands"


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it was kept.

    Args:
        id: Its id.
        customer: Whom it is about.
        opened_by: Id of the event that opened the programme of its choice, or an empty string.
        record: Its canonical bytes.
        inputs: The personal snapshot it was made on, or None where that was erased.
    """

    id: str
    customer: str
    opened_by: str
    record: bytes
    inputs: bytes | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A customer to be loaded; what is None or absent leaves what is stored.

    Args:
        customer: The id.
        zone: IANA zone.
        joined: When the customer joined.
        attributes: By name, JSON values; texts are kept as one line, without control characters.
        consents: By channel and purpose, as of the moment of the history.
        refusals: Consents that the customer withdrew, each with its own moment.
        withdrawn: Channels on which every consent that is stored is withdrawn, whatever its purpose.
    """

    customer: str
    zone: str | None = None
    joined: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: Mapping[Consent, bool] = field(default_factory=dict)
    refusals: Mapping[Consent, datetime] = field(default_factory=dict)
    withdrawn: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        kept = {name: one_line(value) if isinstance(value, str) else value for name, value in self.attributes.items()}
        object.__setattr__(self, "attributes", kept)


@dataclass(frozen=True, slots=True)
class History:
    """Customers, events and past contacts to be loaded at once.

    Args:
        zone: The IANA zone that the local days of features are counted in.
        asserted: The moment the consents are as of.
        profiles: The customers; everyone whom events and contacts are about.
        events: Pairs of a customer and its event, a tuple like `StoredEvent`.
        contacts: Pairs of a customer and a contact that was made; its id tells it from others.
    """

    zone: str
    asserted: datetime
    profiles: Iterable[Profile]
    events: Iterable[tuple[str, tuple[Any, ...]]] = ()
    contacts: Iterable[tuple[str, Contact]] = ()


class Outcome(NamedTuple):
    """The outcome of a decision's contact: a word of the event vocabulary, its time in microseconds, its value."""

    decision: str
    kind: str
    time: int
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message about a customer, judged fit to be kept.

    Args:
        id: Tells it from others: it is taken once, however often it comes.
        customer: The customer as it was sent: a known id, else an anonymous one.
        event: The event, a tuple like `StoredEvent`; a contact enters the ledger as sent.
        profile: The customer's new profile values; consents are as of `time`.
        alias: An anonymous or former id that is the same person.
        outcome: The outcome of a decision.
        wake: A record for the outbox, or None.
        time: The message's own moment, microseconds since the epoch; the event's, else when it was received.
        returns_order: Whether the event is a refund of all that is left of the order that is its subject.
        is_user: Whether the customer's id came as a user's, and not as an anonymous one.
        merges_users: Whether its sender may merge users.
        caller: Id of the key that sent it; empty where there is none.
    """

    id: str
    customer: str
    event: tuple[Any, ...] | None = None
    profile: Profile | None = None
    alias: str | None = None
    outcome: Outcome | None = None
    wake: bytes | None = None
    time: int | None = None
    returns_order: bool = False
    is_user: bool = False
    merges_users: bool = False
    caller: str = ""


class Receipt(Enum):
    """The result of an arrival."""

    KEPT = "kept"
    DUPLICATE = "it came before"
    ERASED = "the customer was erased, and is not brought back"
    UNKNOWN_DECISION = "no decision bears the id; the rest is kept"
    NOT_MERGED = "two users, or ids that were separated, are not merged; the rest is kept"
    MERGE_LIMIT = "too many ids became this customer within an hour; the rest is kept"
    DAY_LIMIT = "too many events of this customer on that day; refusals, contacts and the rest are kept"

    @property
    def is_new(self) -> bool:
        """Whether something of the arrival is kept."""
        return self not in (Receipt.DUPLICATE, Receipt.ERASED)


MERGES_AN_HOUR = 20
"""How many ids become one customer within an hour."""
EVENTS_A_DAY = 2_000
"""How many events of a customer that happened on one day, in UTC, are kept."""
EVENTS_READ = 20_000
"""A decision reads so many events of its customer, the newest, and every older one that forbids contacts."""
FORBIDDING = tuple(map(EVENT_TYPES.index, ("contact", "unsubscribed", "complained", "bounced")))
"""Types of events that forbid contacts: all of them are kept, and every decision reads them."""


class Unmerged(NamedTuple):
    """A merge that was undone: its id, who is a customer again, from whom, and every id that went along."""

    id: str
    alias: str
    customer: str
    names: tuple[str, ...]


class Store(ABC):
    """The operational store. Every method raises `StoreError` where the database fails."""

    @abstractmethod
    def customers(self, tenant: str, wanted: Sequence[tuple[str, datetime]]) -> list[KnownCustomer | None]:
        """The known customers at their moments, or None for an unknown one; one consistent view of all.

        An alias gives its customer, under the customer's id. The events are the newest `EVENTS_READ` and every older
        one of a type in `FORBIDDING`, so the cost of a decision is bounded, and no bound lets a contact through.
        """

    @abstractmethod
    def customer_ids(self, tenant: str) -> list[str]:
        """Every customer, in the order of their ids."""

    @abstractmethod
    def resolve(self, tenant: str, customer: str) -> str:
        """The id a customer is known by: of an alias, the customer's; of any other id, that id."""

    @abstractmethod
    def record(self, tenant: str, drafts: Sequence[Draft]) -> list[RecordStatus]:
        """Keep decisions with their reservations, durably, in one transaction; each has its own fate."""

    @abstractmethod
    def ingest(
        self,
        tenant: str,
        arrivals: Sequence[Arrival],
        received: datetime,
        merges: int = MERGES_AN_HOUR,
        events: int = EVENTS_A_DAY,
    ) -> list[Receipt]:
        """Take messages in, in their order, durably, in one transaction; each has its own receipt.

        Strangers become customers. An alias is merged into its customer once, with events, contacts and consents; a
        user only where the sender may merge users. An outcome confirms the contact of its decision; who unsubscribes
        or complains withdraws consent for its channel.

        Args:
            tenant: The tenant of the customers.
            arrivals: The messages.
            received: When they came.
            merges: How many ids may become one customer within an hour.
            events: How many events of a customer that happened on one day are kept.
        """

    @abstractmethod
    def unmerge(self, tenant: str, alias: str, when: datetime, by: str = "") -> Unmerged:
        """Make an id that was merged into a customer a customer of its own again, as `store.ingest.unmerge` does it.

        The name of the operator, `by`, is recorded among the actions of operators.

        Raises:
            NotMergedError: It is no alias, or what was merged is not recorded any more.
        """

    @abstractmethod
    def set_status(self, tenant: str, customer: str, contact: str, status: Ending, based_on: int | None = None) -> bool:
        """Confirm or release a reservation.

        A confirmation that comes late still counts, since the contact was made; a contact once sent stays sent.

        Args:
            tenant: The customer's tenant.
            customer: The contacted customer, by any of their ids.
            contact: Its id.
            status: The new status.
            based_on: The customer's version that this was settled on: if it moved since, nothing changes. Then the
                customer goes by their own id.

        Returns:
            Whether anything changed.
        """

    @abstractmethod
    def decisions(self, tenant: str, ids: Sequence[str]) -> list[StoredDecision]:
        """Those of some ids that there are, in any order."""

    def decision(self, tenant: str, decision_id: str) -> StoredDecision | None:
        """A decision, or None."""
        return next(iter(self.decisions(tenant, [decision_id])), None)

    @abstractmethod
    def decision_log(self, tenant: str) -> Iterator[StoredDecision]:
        """Every decision, in the order of their moments; like the following, streamed from one consistent view."""

    @abstractmethod
    def ledger(self, tenant: str) -> Iterator[tuple[str, str, Contact]]:
        """Every entry of every customer as (customer, status, contact), by customer and time."""

    @abstractmethod
    def outcomes(self, tenant: str) -> Iterator[tuple[str, str, str, int, float | None]]:
        """Every outcome as (decision, customer, kind, time, value), by time."""

    @abstractmethod
    def events(self, tenant: str) -> Iterator[tuple[str, StoredEvent]]:
        """Every event with its customer, by customer and time."""

    @abstractmethod
    def load(self, tenant: str, history: History) -> None:
        """Load customers, events and past contacts in one transaction.

        Profiles are merged, the newest consent holds, and an event or contact that is there already stays as it is;
        so loading the same history twice changes nothing.
        """

    @abstractmethod
    def keep_catalogue(self, tenant: str, version: str, features: str, content: str) -> None:
        """Keep a catalogue under its version and the fingerprint of the features it was compiled for."""

    @abstractmethod
    def catalogue(self, tenant: str, version: str, features: str) -> str | None:
        """The content kept under a version and a fingerprint, or None."""

    @property
    @abstractmethod
    def database(self) -> Database:
        """The same database for what is not on the hot path."""

    @abstractmethod
    def check(self) -> None:
        """Raise `StoreError` unless the database answers."""

    @abstractmethod
    def close(self) -> None:
        """Release every connection."""


def from_micros(moment: int) -> datetime:
    """The aware UTC moment of microseconds since the epoch; the inverse of `microseconds`."""
    return EARLIEST + timedelta(microseconds=moment)
