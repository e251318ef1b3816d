"""The catalogue: programmes, messages, channels and contact policies, as frozen values.

Each value checks itself here; `tactful.decisions.catalogue.checks` checks values against each other, and
`tactful.decisions.loading` reads the whole from YAML.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from tactful.decisions.base.durations import Duration
from tactful.decisions.base.values import Names, Value
from tactful.decisions.catalogue.loyalty import Loyalty
from tactful.decisions.catalogue.objective import Arbitration, AttributionWindow, Exploration, Fatigue, Holdout
from tactful.decisions.catalogue.policies.kinds import AnyContactPolicy
from tactful.decisions.catalogue.selection import AnyPolicy, InverseGap
from tactful.decisions.catalogue.triggers import AnyTrigger
from tactful.features.definitions.definitions import AnyFeature, FeatureSet

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Amount = float | str
"""A number, or a CEL expression that gives one."""
NoLessThan0 = Annotated[float, Field(ge=0)] | str
"""The same of what may not be below 0."""


class Attribute(Value):
    """A declared value of a customer's profile.

    Args:
        type: Its type.
        default: The value where the profile has none; without a default, a condition that reads it excludes the action.
    """

    type: Literal["string", "number", "integer", "boolean", "date"]
    default: str | float | bool | None = None


class Channel(Value):
    """A way to reach a customer.

    Args:
        cost: Of one contact, in the catalogue's currency.
        subject: Whether its texts have a subject.
        html: Whether its bodies are HTML, in which values are escaped; so it is on `email` where nothing is said.
        max_length: Longest rendered body, in characters.
        purposes: The purposes that consent can be given for on it; any where empty.
    """

    cost: float = Field(default=0.0, ge=0)
    subject: bool = False
    html: bool = False
    max_length: int | None = Field(default=None, gt=0)
    purposes: Names = ()


class Prior(Value):
    """The marketer's belief before there is evidence, and the number of answers that it counts as.

    Args:
        mean: Expected probability, or difference of probabilities for an effect.
        weight: Number of observed contacts at which evidence and belief count the same, where
            `tactful.models.effects.model` learns effects from a log. A decision itself reads the mean.
    """

    mean: float = Field(ge=-1, le=1)
    weight: float = Field(default=100.0, ge=0)


class Browser(Value):
    """The trust in messages with a key that everybody can read, such as a page's (scope `track`).

    Args:
        attributes: The attributes that such a message may set; `timezone` for the customer's zone.
        amounts: Whether the amounts of its events count for value, points and training, not for triggers alone.
    """

    attributes: Names = ()
    amounts: bool = False


class Content(Value):
    """The text of a message, in Liquid.

    Args:
        subject: The subject, for the channels that have one.
        body: The body.
    """

    subject: str | None = None
    body: str = Field(min_length=1)


class Message(Value):
    """A content variant for customers in one state.

    Args:
        id: Its name, unique in the catalogue.
        channels: The channels it can go by.
        state: A condition: the customers it is written for.
        eligible: A condition that must hold besides.
        value: Margin of one response, in the catalogue's currency.
        discount: Cost of a response in discount.
        lever: The marketer's multiplier.
        context: A multiplier for the moment.
        response: Prior of the response probability; the effect's where there is none.
        effect: Prior of the difference in response against not contacting.
        offer: Figures of the offer that the response model reads; without them the prior alone counts.
        attribution_window: How long after a contact an outcome counts for it; the catalogue's where None.
        tags: Words for the scopes of policies.
        mandatory: Goes before anything that is not mandatory, to held-out customers too.
        ignores_caps: Caps and gaps do not hold it back.
        counts_toward_caps: Its contacts count toward caps and gaps.
        content: Its text.
    """

    id: Identifier
    channels: Names = Field(min_length=1)
    state: str = "true"
    eligible: str = "true"
    value: Amount
    discount: NoLessThan0 = 0.0
    lever: float = Field(default=1.0, gt=0)
    context: NoLessThan0 = 1.0
    response: Prior | None = None
    effect: Prior | None = None
    offer: Mapping[str, int | float | str] | None = None
    attribution_window: AttributionWindow | None = None
    tags: Names = ()
    mandatory: bool = False
    ignores_caps: bool = False
    counts_toward_caps: bool = True
    content: Content


class Programme(Value):
    """One trigger and its messages.

    Args:
        id: Its name, unique in the catalogue.
        purpose: The purpose that consent is asked for.
        trigger: The rule that opens it.
        series: Programmes of one series share the late-joiner rule.
        eligible: A condition that must hold besides.
        reentry: Least time between two of its contacts; none where None.
        supersedes: Programmes that stay closed while this one is open.
        recheck_at_send: Whether the gates are asked again when the contact is made.
        holdout: Customers this programme leaves alone.
        lever: The marketer's multiplier for all its messages.
        messages: Its messages, in the marketer's order.
    """

    id: Identifier
    purpose: str = "marketing"
    trigger: AnyTrigger
    series: str | None = None
    eligible: str = "true"
    reentry: Duration | None = None
    supersedes: Names = ()
    recheck_at_send: bool = True
    holdout: Holdout | None = None
    lever: float = Field(default=1.0, gt=0)
    messages: tuple[Message, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.trigger.repeats_by_itself and self.reentry is None and self.trigger.after is None:
            raise ValueError(f"a programme that a {self.trigger.kind} trigger would open for ever: wanted reentry")
        return self


@dataclass(frozen=True, slots=True)
class Action:
    """A message on a channel.

    Args:
        programme: Its programme.
        message: Its message.
        channel: Its channel.
        tags: The message's tags.
    """

    programme: str
    message: str
    channel: str
    tags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`programme/message/channel`."""
        return f"{self.programme}/{self.message}/{self.channel}"


class Catalogue(Value):
    """Everything the marketer decides.

    Args:
        catalogue: Its name.
        currency: ISO 4217 code of every amount.
        timezone: IANA zone of customers whose own is unknown, or None.
        objective: `effect` arbitrates on the difference a contact makes, `propensity` on the response itself.
        attributes: Declared profile values.
        segments: Named conditions.
        channels: The channels.
        contact_policies: The contact policies.
        policy: How an action is chosen among the surviving ones.
        arbitration: The marketer's settings of the formula of a priority.
        exploration: Customers who are set apart to learn from.
        attribution_window: How long after a contact an outcome counts for it, where its message does not say.
        holdout: Customers nobody contacts, drawn by a hash of its own; takes the place of the exploration's.
        fatigue: The risk of one more contact.
        browser: The trust in messages from pages and apps.
        loyalty: The loyalty programme, whose points and tiers expressions and texts can read as features.
        programmes: The programmes, in the marketer's order of priority.
    """

    catalogue: Identifier
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    timezone: str | None = None
    objective: Literal["effect", "propensity"] = "effect"
    attributes: Mapping[str, Attribute] = {}
    segments: Mapping[str, str] = {}
    channels: Mapping[str, Channel] = Field(min_length=1)
    contact_policies: tuple[AnyContactPolicy, ...] = ()
    policy: AnyPolicy = InverseGap(kind="inverse_gap")
    arbitration: Arbitration = Arbitration()
    exploration: Exploration = Exploration()
    attribution_window: AttributionWindow = timedelta(days=7)
    holdout: Holdout | None = None
    fatigue: Fatigue = Fatigue()
    browser: Browser = Browser()
    loyalty: Loyalty | None = None
    programmes: tuple[Programme, ...] = Field(min_length=1)

    @field_validator("channels", mode="before")
    @classmethod
    def _mail_is_html(cls, channels: Any) -> Any:
        if not isinstance(channels, Mapping) or not isinstance(channels.get("email"), Mapping):
            return channels
        return {**channels, "email": {"html": True, **channels["email"]}}

    def actions(self) -> Iterator[tuple[Programme, Message, Action]]:
        """Every message on each of its channels, in the marketer's order."""
        for programme in self.programmes:
            for message in programme.messages:
                for channel in message.channels:
                    yield programme, message, Action(programme.id, message.id, channel, message.tags)

    def message(self, message_id: str) -> Message:
        """The message of this id.

        Raises:
            KeyError: If there is none.
        """
        return next(m for p in self.programmes for m in p.messages if m.id == message_id)

    def defaults(self) -> dict[str, Any]:
        """The attributes that have a default."""
        return {name: a.default for name, a in self.attributes.items() if a.default is not None}

    def feature_set(self, base: FeatureSet) -> FeatureSet:
        """The features of a snapshot: those that models read, then the catalogue's own.

        Args:
            base: The features that the models read.
        """
        return FeatureSet((*base.features, *self.own_features)) if self.own_features else base

    @property
    def own_features(self) -> tuple[AnyFeature, ...]:
        """The features that the catalogue brings itself: those of its loyalty programme."""
        return self.loyalty.features() if self.loyalty else ()
