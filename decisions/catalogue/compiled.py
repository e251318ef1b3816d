"""A catalogue made ready: expressions compiled, texts parsed, policies bound to the actions they govern."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from tactful.decisions.base.calendars import zone_of
from tactful.decisions.base.conditions import Conditions
from tactful.decisions.catalogue.messages import MessageText
from tactful.decisions.catalogue.model import Action, Browser, Catalogue, Message, Programme
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.catalogue.policies.suppression import Suppression
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

EVENT_FACTS = {
    "type": "string",
    "subject": "string",
    "channel": "string",
    "amount": "number",
    "age_days": "number",
}
LOCAL_FACTS = {"hour": "integer", "weekday": "integer", "month": "integer", "day": "integer", "year": "integer"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names a catalogue may use that it does not declare itself.

    Args:
        features: The features, in the order of the snapshot's; those that models read come first.
        scores: The scores of a customer, such as `lapse`.
        offers: The figures of an offer that the response model reads; for a category, its values. The `channel` is
            the action's own. Empty where no model reads offers: what they say is free then, and a message's response
            is the one it states.
        event_types: The types an event may have.
        unlearnt: Those of the scores that no model gives yet: a condition that reads one is unknown.
        channels: The channels that events, consents and outcomes can name.

    Example:
        >>> Vocabulary(features=("spend",), scores=("lapse",)).channels[:3]
        ('email', 'sms', 'push')
    """

    features: tuple[str, ...]
    scores: tuple[str, ...] = ()
    offers: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    event_types: tuple[str, ...] = EVENT_TYPES
    unlearnt: tuple[str, ...] = ()
    channels: tuple[str, ...] = CHANNELS[1:]

    def of(self, catalogue: Catalogue) -> "Vocabulary":
        """The vocabulary of a catalogue: the same, with the catalogue's own features as the last ones."""
        own = tuple(feature.name for feature in catalogue.own_features)
        return replace(self, features=(*(name for name in self.features if name not in own), *own))

    def declared(self, catalogue: Catalogue) -> dict[str, str]:
        """The type of every name that an expression of this catalogue may read."""
        return {
            **{f"features.{name}": "number" for name in self.features},
            **{f"scores.{name}": "number" for name in self.scores},
            **{f"customer.{name}": attribute.type for name, attribute in catalogue.attributes.items()},
            **{f"event.{name}": kind for name, kind in EVENT_FACTS.items()},
            **{f"local.{name}": kind for name, kind in LOCAL_FACTS.items()},
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """An action with everything that decides about it.

    Args:
        action: The action.
        programme: Its programme.
        message: Its message.
        policies: Which of the catalogue's bound policies govern it, by index.
        offer: The part that the response model reads: its offer's figures and its channel; None without an offer,
            or a model that reads it.
    """

    action: Action
    programme: Programme
    message: Message
    policies: tuple[int, ...]
    offer: Mapping[str, float | str] | None


class CompiledCatalogue:
    """A checked catalogue, compiled for one vocabulary.

    Args:
        catalogue: A catalogue without mistakes; `tactful.decisions.loading` sees to that.
        vocabulary: The names its expressions may read, besides its own features.

    Attributes:
        vocabulary: The same with its own features, in the order of a snapshot's.
        fact_names: Each name that an expression reads, with its root and its name there.
        scored: How many of these features the models read: the first ones.
        windows: The attribution window of each message.
        longest_window: The longest of them, over which contact and silence are compared.
    """

    def __init__(self, catalogue: Catalogue, vocabulary: Vocabulary) -> None:
        self.catalogue = catalogue
        self.vocabulary = vocabulary.of(catalogue)
        self.scored = len(self.vocabulary.features) - len(catalogue.own_features)
        self.version = _digest(catalogue)
        self.conditions = Conditions(self.vocabulary.declared(catalogue), catalogue.segments)
        self.zone: ZoneInfo | None = zone_of(catalogue.timezone) if catalogue.timezone else None
        actions = [action for _, _, action in catalogue.actions()]
        self.policies: list[ContactPolicy] = [bound for p in catalogue.contact_policies for bound in p.bound(actions)]
        self.rules = [
            Rule(action, programme, message, self._governing(action, message), self._offer(action, message))
            for programme, message, action in catalogue.actions()
        ]
        self.rules_by_programme = {p.id: [r for r in self.rules if r.programme is p] for p in catalogue.programmes}
        self.windows = {m.id: m.attribution_window or catalogue.attribution_window for _, m, _ in catalogue.actions()}
        self.longest_window = max(self.windows.values())
        self._texts: dict[str, MessageText] = {}
        self._compile_expressions()
        self.fact_names = [(name, *name.split(".", 1)) for name in sorted(self.conditions.names)]

    @property
    def memory(self) -> dict[str, timedelta]:
        """How far back its triggers and policies look, by type of event; types it never looks at are not there."""
        found: dict[str, timedelta] = {}
        for programme in self.catalogue.programmes:
            journey = self._journey(programme)
            span = sum((step.trigger.memory for step in journey), timedelta())
            _extend(found, (name for step in journey for name in step.trigger.event_types), span)
        for policy in self.policies:
            if isinstance(policy, Suppression):
                _extend(found, policy.on, policy.lasts)
        return found

    @property
    def suppressing(self) -> set[str]:
        """The types of events after which a policy suppresses contacts."""
        return {name for policy in self.policies if isinstance(policy, Suppression) for name in policy.on}

    def _journey(self, programme: Programme) -> list[Programme]:
        """A programme and the steps before it, back to the one that began the journey."""
        programmes = {p.id: p for p in self.catalogue.programmes}
        steps = [programme]
        while (after := steps[-1].trigger.after) is not None and programmes[after.programme] not in steps:
            steps.append(programmes[after.programme])
        return steps

    def text(self, rule: Rule) -> MessageText:
        """The text of an action, compiled when it is first wanted.

        Raises:
            ConditionError: If it does not parse, in a catalogue that was kept from before it was checked.
        """
        found = self._texts.get(rule.action.id)
        if found is None:
            found = MessageText(rule.message.content, self.catalogue.channels[rule.action.channel])
            self._texts[rule.action.id] = found
        return found

    def _governing(self, action: Action, message: Message) -> tuple[int, ...]:
        return tuple(
            index
            for index, policy in enumerate(self.policies)
            if policy.scope.covers(action.channel, action.programme, action.message, action.tags)
            and not (policy.limits_frequency and message.ignores_caps)
        )

    def _offer(self, action: Action, message: Message) -> Mapping[str, float | str] | None:
        if message.offer is None or not self.vocabulary.offers:
            return None
        return {**message.offer, "channel": action.channel}

    def _compile_expressions(self) -> None:
        for _, source, kind in expressions(self.catalogue):
            self.conditions.compile(source, kind)


def expressions(catalogue: Catalogue) -> list[tuple[tuple[str | int, ...], str, str]]:
    """Every expression of a catalogue as (place, source, type)."""
    found: list[tuple[tuple[str | int, ...], str, str]] = [
        (("segments", name), f"segment.{name}", "boolean") for name in catalogue.segments
    ]
    for i, policy in enumerate(catalogue.contact_policies):
        if policy.segment is not None:
            found.append((("contact_policies", i, "segment"), f"segment.{policy.segment}", "boolean"))
    for i, programme in enumerate(catalogue.programmes):
        place: tuple[str | int, ...] = ("programmes", i)
        found.append(((*place, "eligible"), programme.eligible, "boolean"))
        for name, kind in (("where", "boolean"), ("when", "boolean"), ("key", "string")):
            source = getattr(programme.trigger, name, None)
            if source is not None:
                found.append(((*place, "trigger", name), source, kind))
        for j, message in enumerate(programme.messages):
            inner = (*place, "messages", j)
            found += [((*inner, name), getattr(message, name), "boolean") for name in ("state", "eligible")]
            amounts = ((name, getattr(message, name)) for name in ("value", "discount", "context"))
            found += [((*inner, name), amount, "number") for name, amount in amounts if isinstance(amount, str)]
    return found


def _extend(memory: dict[str, timedelta], names: Iterable[str], span: timedelta) -> None:
    for name in names:
        memory[name] = max(span, memory.get(name, span))


def _digest(catalogue: Catalogue) -> str:
    """The version: a catalogue that says nothing of pages has the version it had before it could."""
    unsaid = {"browser"} if catalogue.browser == Browser() else None
    canonical = json.dumps(catalogue.model_dump(mode="json", exclude=unsaid), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
