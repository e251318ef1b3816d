"""Experiments as a marketer declares them: frozen values that validate themselves.

`tactful.experiments.design.loading` checks values against each other and against the catalogue.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tactful.decisions.base.assignment import Range, bucket_ranges, chosen, hash_v2
from tactful.decisions.base.values import Names, Value
from tactful.decisions.catalogue.model import Identifier
from tactful.decisions.catalogue.objective import Factor
from tactful.decisions.catalogue.selection import AnyPolicy
from tactful.experiments.base.metrics import MetricName
from tactful.experiments.design.holdouts import GlobalHoldout, HoldBack, Moment, Share


class Arm(Value):
    """A way to treat customers.

    Args:
        id: Its name, unique in the experiment.
        share: Share of the customers.
    """

    id: Identifier
    share: Share

    @property
    def promises(self) -> str | None:
        """The message that somebody in the arm must get, or None."""
        return None

    def excludes(self, message: str, programme: str) -> bool:  # noqa: ARG002
        """Whether nobody in the arm may get a message, unless it is mandatory."""
        return False


class Current(Arm):
    """The catalogue as it stands."""

    kind: Literal["current"]


class OtherPolicy(Arm):
    """Another way to choose among the survivors."""

    kind: Literal["policy"]
    policy: AnyPolicy


class OtherCatalogue(Arm):
    """Another catalogue: a path, from the folder of this file."""

    kind: Literal["catalogue"]
    catalogue: str


class OtherBundle(Arm):
    """Other models: the version of a bundle."""

    kind: Literal["bundle"]
    bundle: str


class OneMessage(Arm):
    """This message wherever the gates let it pass, whatever it is worth, and no other but mandatory ones."""

    kind: Literal["message"]
    message: Identifier

    @property
    def promises(self) -> str | None:
        """This message."""
        return self.message

    def excludes(self, message: str, programme: str) -> bool:  # noqa: ARG002
        """Every other message."""
        return message != self.message


class Without(Arm):
    """Without some factors of the priority, or some programmes or messages.

    Args:
        factors: Switched off as in `tactful.decisions.kernel.arbitration.Factors.without`: multipliers become 1, prices
            0.
        programmes: They leave the customer alone, but for what is mandatory.
        messages: They go to nobody.
    """

    kind: Literal["without"]
    factors: tuple[Factor, ...] = ()
    programmes: Names = ()
    messages: Names = ()

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not (self.factors or self.programmes or self.messages):
            raise ValueError("an arm without nothing: wanted factors, programmes or messages")
        return self

    def excludes(self, message: str, programme: str) -> bool:
        """Its messages and those of its programmes."""
        return message in self.messages or programme in self.programmes


class RandomEligible(Arm):
    """Any survivor or silence, all alike."""

    kind: Literal["random"]


class Silence(Arm):
    """No contact but mandatory ones."""

    kind: Literal["silence"]

    def excludes(self, message: str, programme: str) -> bool:  # noqa: ARG002
        """Every message."""
        return True


AnyArm = Annotated[
    Current | OtherPolicy | OtherCatalogue | OtherBundle | OneMessage | Without | RandomEligible | Silence,
    Field(discriminator="kind"),
]


class Step(Value):
    """A step of a ramp: from a moment on, this share of the population takes part."""

    at: Moment
    coverage: Share


class Goal(Value):
    """The metric that the experiment aims at.

    Args:
        metric: A metric.
        minimum_effect: Smallest effect worth finding, as a share of the control's mean: 0.05 is 5 %.
    """

    metric: MetricName
    minimum_effect: float = Field(gt=0)


class GuardRail(Value):
    """A metric that the experiment must not harm.

    Args:
        metric: A metric.
        margin: Largest acceptable harm, in the metric's own unit: of a share, 0.01 is one point.
    """

    metric: MetricName
    margin: float = Field(gt=0)


class Experiment(Value):
    """An assignment of customers to arms.

    Args:
        id: Its name.
        question: The question of the experiment, for readers of the report.
        population: A segment of the catalogue; everybody where None.
        layer: The layer it takes a part of; a layer of its own where None.
        space: Its part of the layer; experiments with disjoint parts share no customer.
        salt: Another salt assigns otherwise.
        start: When it begins; not begun where None.
        stop: When it ends; open where None.
        ramp: Steps of growing coverage; everybody from the start where empty.
        arms: At least two.
        control: Id of the arm the others are compared with; the first where None.
        primary: The metric that it aims at.
        guard_rails: The metrics that it must not harm.
        alpha: Probability to claim an effect where there is none.
        power: Probability to find the minimum effect where it is there.

    Example:
        >>> arms = [{"id": "nothing", "kind": "silence", "share": 0.5}, {"id": "ours", "kind": "current", "share": 0.5}]
        >>> goal = {"metric": "revenue_per_customer", "minimum_effect": 0.1}
        >>> experiment = Experiment.model_validate({"id": "news", "salt": "news-1", "arms": arms, "primary": goal})
        >>> experiment.arm("customer-7").id
        'nothing'
    """

    id: Identifier
    question: str = ""
    population: str | None = None
    layer: Identifier | None = None
    space: tuple[float, float] = (0.0, 1.0)
    salt: str = Field(min_length=1)
    start: Moment | None = None
    stop: Moment | None = None
    ramp: tuple[Step, ...] = ()
    arms: tuple[AnyArm, ...] = Field(min_length=2)
    control: Identifier | None = None
    primary: Goal
    guard_rails: tuple[GuardRail, ...] = ()
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    power: float = Field(default=0.8, gt=0.5, lt=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [arm.id for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError(f"arms share a name: {', '.join(names)}")
        if abs(sum(arm.share for arm in self.arms) - 1) > 1e-6:
            raise ValueError(f"shares of the arms add up to {sum(arm.share for arm in self.arms):g}; wanted 1")
        if self.control is not None and self.control not in names:
            raise ValueError(f"control {self.control!r} is no arm; wanted one of {', '.join(names)}")
        if not 0 <= self.space[0] < self.space[1] <= 1:
            raise ValueError(f"space {list(self.space)} is no part of a layer; wanted 0 <= low < high <= 1")
        if self.start and self.stop and self.start >= self.stop:
            raise ValueError(f"it stops at {self.stop:%Y-%m-%d}, before it starts at {self.start:%Y-%m-%d}")
        shares = [(step.at, step.coverage) for step in self.ramp]
        if shares != sorted(shares) or [c for _, c in shares] != sorted(c for _, c in shares):
            raise ValueError("a ramp whose coverage shrinks or whose moments go back: whoever is in must stay in")
        return self

    @property
    def control_id(self) -> str:
        """Id of the control."""
        return self.control or self.arms[0].id

    def runs(self, moment: datetime) -> bool:
        """Whether it has begun and not ended at a moment."""
        return self.start is not None and self.start <= moment and (self.stop is None or moment < self.stop)

    def coverage(self, moment: datetime) -> float:
        """Share of the population that takes part at a moment."""
        return 1.0 if not self.ramp else max((step.coverage for step in self.ramp if step.at <= moment), default=0.0)

    def enters(self, number: float) -> datetime | None:
        """When a customer with this number of the salt takes part for the first time, or None.

        Args:
            number: From `hash_v2` with the experiment's salt.
        """
        shares = [arm.share for arm in self.arms]
        steps = ((step.at, step.coverage) for step in self.ramp) if self.ramp else ((self.start, 1.0),)
        for at, coverage in steps:
            if self.start and at and chosen(number, bucket_ranges(shares, coverage)) is not None:
                return max(at, self.start)
        return None

    def arm(self, customer: str, coverage: float = 1.0) -> AnyArm | None:
        """The arm of a customer, the same at every moment; None where the customer takes no part.

        Recomputable from the id, the salts and the shares alone.

        Args:
            customer: The id.
            coverage: Share of the population that takes part.
        """
        if self.layer is not None and hash_v2(self.layer, customer) not in Range(*self.space):
            return None
        position = chosen(hash_v2(self.salt, customer), bucket_ranges([arm.share for arm in self.arms], coverage))
        return None if position is None else self.arms[position]


class Plan(Value):
    """All experiments of a catalogue.

    Args:
        holdout: Customers whom nobody contacts; they take part in nothing else.
        holdbacks: Programmes and messages that some never get.
        layers: Names of layers, each with the salt that parts its customers among experiments.
        experiments: The experiments.
    """

    holdout: GlobalHoldout | None = None
    holdbacks: tuple[HoldBack, ...] = ()
    layers: Names = ()
    experiments: tuple[Experiment, ...] = ()

    def experiment(self, id_: str) -> Experiment:
        """The experiment of this id.

        Raises:
            KeyError: There is none.
        """
        found = next((experiment for experiment in self.experiments if experiment.id == id_), None)
        if found is None:
            raise KeyError(id_)
        return found

    def salts(self) -> Iterator[tuple[Sequence[str | int], str]]:
        """Every salt with its place."""
        if self.holdout:
            yield ("holdout", "salt"), self.holdout.salt
        yield from ((("holdbacks", i, "salt"), held.salt) for i, held in enumerate(self.holdbacks))
        yield from ((("layers", i), layer) for i, layer in enumerate(self.layers))
        yield from ((("experiments", i, "salt"), one.salt) for i, one in enumerate(self.experiments))
