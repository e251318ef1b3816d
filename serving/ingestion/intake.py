"""Takes messages in: judges each, keeps the good ones in one durable transaction, tells the fate of every one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from tactful.decisions.catalogue.model import Browser
from tactful.decisions.kernel.record import parse
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.engine.wakeups import TriggerIndex
from tactful.serving.ingestion.messages import reading
from tactful.serving.ingestion.messages.consents import PURPOSE
from tactful.serving.ingestion.messages.names import CONTACT
from tactful.serving.ingestion.messages.properties import event_of, meaning_of, outcome_of, repeatable_id, returns_order
from tactful.serving.ingestion.messages.reading import Message
from tactful.serving.ingestion.messages.refusal_names import EVERY_CHANNEL, channels_named
from tactful.serving.ingestion.messages.refusals import refusal_in
from tactful.serving.ingestion.messages.traits import profile_of
from tactful.serving.ingestion.rules import Rules
from tactful.serving.ingestion.senders import NOTHING_BELIEVED, REFUSALS, SERVER, Sender
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError
from tactful.serving.store.port import EVENTS_A_DAY, MERGES_AN_HOUR, Arrival, Profile, Receipt, Store, StoredEvent

_REFUSING = frozenset(EVENT_TYPES.index(kind) for kind in REFUSALS)
_FATES = {
    Receipt.KEPT: MessageStatus.KEPT,
    Receipt.DUPLICATE: MessageStatus.DUPLICATE,
    Receipt.ERASED: MessageStatus.ERASED,
    Receipt.UNKNOWN_DECISION: MessageStatus.UNKNOWN_DECISION,
    Receipt.NOT_MERGED: MessageStatus.NOT_MERGED,
    Receipt.MERGE_LIMIT: MessageStatus.MERGE_LIMIT,
    Receipt.DAY_LIMIT: MessageStatus.DAY_LIMIT,
}
_REASONS = {
    Receipt.UNKNOWN_DECISION: "unknown decision: wanted the id of a decision made before",
    Receipt.NOT_MERGED: "two users are not merged: wanted an anonymous id, or a key of scope merge",
    Receipt.MERGE_LIMIT: "too many ids became this customer within an hour: wanted fewer, or TACTFUL_MERGES",
    Receipt.DAY_LIMIT: "too many events of this customer on that day: wanted fewer, or TACTFUL_EVENTS",
}


@dataclass(frozen=True, slots=True)
class MessageResult:
    """The result of one message.

    Args:
        fate: Its fate.
        reason: Why it was refused; empty where it was not.
        id: Its id, where that could be read.
        customer: Whom it is about, where that could be read.
        name: Its type, and the name of a track call; empty where neither could be read.
        undeclared: Its attributes that the catalogue does not declare; their values are not kept.
    """

    fate: MessageStatus
    reason: str = ""
    id: str = ""
    customer: str = ""
    name: str = ""
    undeclared: tuple[str, ...] = ()


ParsedMessage: TypeAlias = tuple[MessageResult, Arrival | None]
"""A message's fate as far as it can be told without the store, and what to keep of it."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes messages in for one tenant.

    Args:
        store: Where they are kept.
        tenant: The tenant of the customers.
        rules: The meaning of foreign names.
        currency: The currency of amounts; any where None.
        purposes: The purposes of consents; an unsubscription or a complaint refuses all of them on its channel.
        listening: Which events are decided upon unasked; none where None.
        believed: The catalogue's trust in senders that are not servers.
        declared: The attributes that the catalogue declares, and no others are kept; all of them where None.
        sender: The sender of the messages.
        merges: How many ids may become one customer within an hour.
        events: How many events of a customer that happened on one day are kept.
    """

    store: Store
    tenant: str
    rules: Rules
    currency: str | None = None
    purposes: frozenset[str] = frozenset({PURPOSE})
    listening: TriggerIndex | None = None
    believed: Browser = NOTHING_BELIEVED
    declared: Collection[str] | None = None
    sender: Sender = SERVER
    merges: int = MERGES_AN_HOUR
    events: int = EVENTS_A_DAY

    def sent_by(self, sender: Sender) -> "Intake":
        """The same, for the messages of a sender."""
        return replace(self, sender=sender)

    def answering(self) -> "Intake":
        """The same, for senders who are answered with a decision: nothing has to be decided at once besides."""
        return replace(self, listening=self.listening.waiting() if self.listening else None)

    def ingest(
        self, raw: Sequence[Any], received: datetime, *, call: str | None = None, batch: Mapping[str, Any] | None = None
    ) -> list[MessageResult]:
        """Take messages in: `judge` them, then `keep` them. One that is sent again changes nothing."""
        return self.keep(self.judge(raw, received, call=call, batch=batch), received)

    def judge(
        self, raw: Sequence[Any], received: datetime, *, call: str | None = None, batch: Mapping[str, Any] | None = None
    ) -> list[ParsedMessage]:
        """The parsed messages; a refused one holds no other back.

        Args:
            raw: The messages as JSON values.
            received: When they were received.
            call: Their type, where the path says so.
            batch: The batch they came in, whose `context` and `sentAt` hold for messages without their own.
        """
        return [self._judged(one, received, call, batch) for one in raw]

    def refusals(self, raw: Iterable[Any], received: datetime, batch: Mapping[str, Any]) -> list[ParsedMessage]:
        """The refusals among messages that are refused as a whole, such as those of a batch that is too large."""
        found = (refusal_in(one, received, self.rules, batch=batch, sender=self.sender) for one in raw)
        return [(MessageResult(MessageStatus.PARTIAL), refusal) for refusal in found if refusal is not None]

    def keep(self, judged: Sequence[ParsedMessage], received: datetime) -> list[MessageResult]:
        """Keep what is to be kept, in one transaction.

        Returns:
            What became of each, in their order.

        Raises:
            StoreError: The store fails; then none of them was kept.
        """
        arrivals = self._completed(arrival for _, arrival in judged if arrival is not None)
        receipts = iter(
            self.store.ingest(self.tenant, arrivals, received, self.merges, self.events) if arrivals else ()
        )
        return [told if arrival is None else _told(told, next(receipts)) for told, arrival in judged]

    def _judged(self, raw: Any, received: datetime, call: str | None, batch: Mapping[str, Any] | None) -> ParsedMessage:
        try:
            message = reading.read(
                raw,
                received,
                reach=self.rules.reach,
                call=call,
                batch=batch,
                placeholders=self.rules.placeholders,
            )
            message = replace(message, id=self.sender.message_id(message.id))
            return self._read(message, received)
        except UnfitMessageError as error:
            told = MessageResult(error.fate, str(error), id=_readable_id(raw), name=_readable_name(raw, call))
        except RecursionError:
            reason = "JSON nested too deeply"
            told = MessageResult(MessageStatus.MALFORMED, reason, id=_readable_id(raw), name=_readable_name(raw, call))
        refusal = refusal_in(raw, received, self.rules, call=call, batch=batch, sender=self.sender)
        return (told if refusal is None else replace(told, fate=MessageStatus.PARTIAL)), refusal

    def _read(self, message: Message, received: datetime) -> ParsedMessage:
        """The fate of a message that could be read, and what is to be kept of it: nothing where it means nothing."""
        left_out = list(message.left_out)
        meaning = meaning_of(message, self.rules)
        event = event_of(message, meaning, self.rules, self.currency, left_out) if meaning else None
        id_ = repeatable_id(message, meaning) if meaning else None
        if event and id_:
            event = event._replace(id=self.sender.message_id(id_))
        profile, undeclared = self._declared(profile_of(message, self.rules, left_out))
        if meaning and meaning.type in REFUSALS and (channels := channels_named(message.properties)):
            profile = profile or Profile(message.customer)
            profile = replace(profile, withdrawn=profile.withdrawn | channels)
        if event is None and profile is None and message.alias is None:
            name = _named(message.call, message.name)
            return MessageResult(MessageStatus.UNMAPPED, id=message.id, customer=message.customer, name=name), None
        arrival = Arrival(
            id=event.id if event else message.id,
            customer=message.customer,
            event=event,
            returns_order=bool(meaning and self.sender.trusted and returns_order(message, meaning)),
            profile=profile,
            alias=message.alias,
            outcome=outcome_of(message, meaning, left_out) if meaning else None,
            wake=self.listening.wake(message.customer, event, received) if event and self.listening else None,
            time=microseconds(message.moment),
            is_user=message.is_user,
        )
        fate = MessageStatus.CLAMPED if message.clamped else MessageStatus.KEPT
        fate = MessageStatus.PARTIAL if left_out else fate
        name = _named(message.call, message.name)
        told = MessageResult(fate, "; ".join(left_out), message.id, message.customer, name, undeclared)
        return told, self.sender.permitted(arrival, message.call, self.believed)

    def _declared(self, profile: Profile | None) -> tuple[Profile | None, tuple[str, ...]]:
        """A profile with the attributes that may be kept, or are taken away, and the names of the others."""
        if profile is None or self.declared is None:
            return profile, ()
        others = tuple(
            name for name, value in profile.attributes.items() if name not in self.declared and value is not None
        )
        if not others:
            return profile, ()
        kept = {name: value for name, value in profile.attributes.items() if name not in others}
        return replace(profile, attributes=kept), others

    def _completed(self, arrivals: Iterable[Arrival]) -> list[Arrival]:
        """The arrivals, with what follows from decisions they name and from refusals."""
        choices: dict[str, tuple[str, str, str] | None] = {}
        return [self._refusing(self._answering(arrival, choices)) for arrival in arrivals]

    def _refusing(self, arrival: Arrival) -> Arrival:
        """Every purpose is refused on the channel of a refusal's event, and on every channel where that names none."""
        event = StoredEvent(*arrival.event) if arrival.event else None
        profile = arrival.profile or Profile(arrival.customer)
        if event and event.type in _REFUSING:
            channels = {CHANNELS[event.channel]} if event.channel else EVERY_CHANNEL
            profile = replace(profile, withdrawn=profile.withdrawn | channels)
        if not profile.withdrawn:
            return arrival
        refused = {(channel, purpose): False for channel in sorted(profile.withdrawn) for purpose in self.purposes}
        return replace(arrival, profile=replace(profile, consents={**profile.consents, **refused}))

    def _answering(self, arrival: Arrival, choices: dict[str, tuple[str, str, str] | None]) -> Arrival:
        """The event of an outcome says what it answers: message, programme and channel of the decision.

        The event of a contact that was decided on is named after the decision: reported again, it is still one.
        """
        outcome = arrival.outcome
        if outcome is None:
            return arrival
        if outcome.decision not in choices:
            choices[outcome.decision] = self._choice(outcome.decision)
        choice = choices[outcome.decision]
        if choice is None or arrival.event is None:
            return arrival
        programme, message, channel = choice
        event = StoredEvent(*arrival.event)._replace(programme=programme, subject=message)
        code = CHANNELS.index(channel) if channel in CHANNELS else event.channel
        id_ = f"{CONTACT}:{outcome.decision}" if outcome.kind == CONTACT else event.id
        return replace(arrival, event=event._replace(channel=code, id=id_))

    def _choice(self, decision_id: str) -> tuple[str, str, str] | None:
        """Programme, message and channel of what a decision chose; None where it chose nothing, or there is none."""
        stored = self.store.decision(self.tenant, decision_id)
        choice = parse(stored.record).choice if stored else None
        return (choice.action.programme, choice.action.message, choice.action.channel) if choice else None


def _told(told: MessageResult, receipt: Receipt) -> MessageResult:
    """Of a message that was kept, that its moment was moved goes before that it was kept."""
    if receipt is Receipt.KEPT:
        return told
    return replace(told, fate=_FATES[receipt], reason=_REASONS.get(receipt, ""))


def _readable_id(raw: Any) -> str:
    """The id of a message that is unfit, if that at least is one."""
    try:
        return (reading.identifier(raw, "messageId") if isinstance(raw, dict) else None) or ""
    except UnfitMessageError:
        return ""


def _named(call: str, event: str) -> str:
    return f"{call} {event}" if call == "track" else call


def _readable_name(raw: Any, call: str | None) -> str:
    """The type of a message that is unfit, and the name of its event, as far as they are text."""
    fields = raw if isinstance(raw, dict) else {}
    kind, event = call or fields.get("type"), fields.get("event")
    return " ".join(one for one in (kind, event) if isinstance(one, str))
