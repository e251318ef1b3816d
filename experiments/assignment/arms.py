"""Which arm a customer is in, what that means for a decision, and whether it made a difference.

The service and a run over the whole population decide through `Arms.decide`, so both assign alike. A customer whom the
catalogue sets apart to learn from, or whom the hold-out leaves alone, is in no experiment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from tactful.decisions.analysis.diff import fitted
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import Request, RunContext, Scorer, decide
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.kernel.evaluation import Evaluation
from tactful.decisions.kernel.exploration import stratum
from tactful.experiments.assignment.treatments import Treatment, Treatments
from tactful.experiments.design import declaration as declared
from tactful.experiments.design.holdouts import HoldBack

HOLDOUT = "holdout"
"""What the global hold-out is called beside experiments."""


@dataclass(frozen=True, slots=True)
class Place:
    """A customer's place in an experiment.

    Args:
        experiment: Id of the experiment; `HOLDOUT`, or the id of a hold-back.
        arm: The arm.
    """

    experiment: str
    arm: declared.AnyArm


@dataclass(frozen=True, slots=True)
class Exposure:
    """A decision that would have come out otherwise in another arm: from here on the experiment may show.

    Every arm is asked with the same customer and the same seed, so whether a customer is exposed for the first time
    does not depend on the arm.

    Args:
        experiment: Id of the experiment.
        customer: Whom it is about.
        arm: The customer's arm.
        decision: Id of the decision.
        moment: When.
        choices: The choice of each arm.
    """

    experiment: str
    customer: str
    arm: str
    decision: str
    moment: datetime
    choices: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision made in an arm.

    Args:
        decision: The decision.
        request: The request that it answers, with the features that its catalogue reads.
        treatment: Its catalogue, policy and models.
        places: The customer's places.
        exposures: One for each experiment in which another arm would have chosen otherwise.
    """

    decision: Decision
    request: Request
    treatment: Treatment
    places: tuple[Place, ...] = ()
    exposures: tuple[Exposure, ...] = ()


def assigned(plan: declared.Plan, customer: str, moment: datetime) -> tuple[Place, ...]:
    """A customer's places, from the id and the moment alone; whether an experiment's population has them is not asked.

    Args:
        plan: The experiments.
        customer: Id of the customer.
        moment: When, an aware moment.

    Returns:
        The hold-out alone where it has the customer; otherwise hold-backs, then experiments, as declared.
    """
    if plan.holdout is not None and plan.holdout.holds(customer, moment):
        return (Place(HOLDOUT, declared.Silence(id="held_out", share=plan.holdout.share, kind="silence")),)
    held = [Place(back.id, _without(back)) for back in plan.holdbacks if back.holds(customer)]
    running = [experiment for experiment in plan.experiments if experiment.runs(moment)]
    found = [(experiment.id, experiment.arm(customer, experiment.coverage(moment))) for experiment in running]
    return (*held, *(Place(experiment, arm) for experiment, arm in found if arm is not None))


class Arms:
    """The arms of a plan, made ready for decisions.

    Args:
        plan: The experiments.
        base: The catalogue and models they start from.
        catalogues: Those that arms name, by the name they use.
        bundles: Models that arms name, by version.

    Attributes:
        treatment: The catalogue, policy and models of a decision in some arms at once.

    Raises:
        ExperimentError: An arm names a catalogue or a bundle that is not there.
    """

    def __init__(
        self,
        plan: declared.Plan,
        base: Treatment,
        catalogues: Mapping[str, CompiledCatalogue] | None = None,
        bundles: Mapping[str, Scorer] | None = None,
    ) -> None:
        self.plan = plan
        self.base = base
        self.treatment = Treatments(base, catalogues or {}, bundles or {}).of
        for experiment in plan.experiments:
            for arm in experiment.arms:
                self.treatment((arm,))

    @cached_property
    def _populations(self) -> dict[str, str]:
        """The condition of each experiment that has a population."""
        return {e.id: f"segment.{e.population}" for e in self.plan.experiments if e.population is not None}

    def decide(self, requests: Sequence[Request], run_context: RunContext | None = None) -> list[Decided]:
        """Decide for each customer in its arms.

        Args:
            requests: Customers at their moments, with the features of the base catalogue.
            run_context: Seed, capacity and prices of the run.

        Returns:
            One for each request, in their order.
        """
        places = self._places(requests)
        made = self._decide(requests, [_arms(own) for own in places], run_context)
        exposures = self._exposures(requests, places, made, run_context)
        treatments = [self.treatment(_arms(own)) for own in places]
        return [
            Decided(decision, self._fitted(request, treatment), treatment, own, tuple(seen))
            for decision, request, treatment, own, seen in zip(
                made, requests, treatments, places, exposures, strict=True
            )
        ]

    def _places(self, requests: Sequence[Request]) -> list[tuple[Place, ...]]:
        """The places of each customer, those in experiments only where their population has the customer."""
        catalogue = self.base.compiled.catalogue
        found = [
            assigned(self.plan, r.snapshot.customer, r.snapshot.moment)
            if stratum(catalogue, r.snapshot.customer) == "policy"
            else ()
            for r in requests
        ]
        asked = [i for i, own in enumerate(found) if any(place.experiment in self._populations for place in own)]
        cases = self._cases([requests[i] for i in asked])
        for i, case in zip(asked, cases, strict=True):
            found[i] = tuple(place for place in found[i] if self._has(place.experiment, case))
        return found

    def _cases(self, requests: Sequence[Request]) -> list[Evaluation]:
        if not requests:
            return []
        features = np.array([r.snapshot.features for r in requests])[:, : self.base.compiled.scored]
        scores = self.base.scorer.score_customers(features)
        return [
            Evaluation(self.base.compiled, r.snapshot, {name: float(values[i]) for name, values in scores.items()})
            for i, r in enumerate(requests)
        ]

    def _has(self, experiment: str, case: Evaluation) -> bool:
        """Whether an experiment's population has a customer; one that cannot be told is not in it."""
        condition = self._populations.get(experiment)
        return condition is None or case.value(condition) is True

    def _decide(
        self,
        requests: Sequence[Request],
        arms: Sequence[tuple[declared.AnyArm, ...]],
        run_context: RunContext | None,
    ) -> list[Decision]:
        """The decision of each request in its own arms: those in the same arms together."""
        groups: dict[tuple[declared.AnyArm, ...], list[int]] = {}
        for i, own in enumerate(arms):
            groups.setdefault(own, []).append(i)
        made: dict[int, Decision] = {}
        for own, members in groups.items():
            treatment = self.treatment(own)
            asked = [self._fitted(requests[i], treatment) for i in members]
            decided = decide(asked, treatment.compiled, treatment.policy, treatment.scorer, run_context)
            made |= dict(zip(members, decided, strict=True))
        return [made[i] for i in range(len(requests))]

    def _fitted(self, request: Request, treatment: Treatment) -> Request:
        names = self.base.compiled.vocabulary.features
        same = treatment.compiled.vocabulary.features == names
        return request if same else fitted(request, names, treatment.compiled)

    def _exposures(
        self,
        requests: Sequence[Request],
        places: Sequence[tuple[Place, ...]],
        made: Sequence[Decision],
        run_context: RunContext | None,
    ) -> list[list[Exposure]]:
        found: list[list[Exposure]] = [[] for _ in requests]
        for experiment in self.plan.experiments:
            inside = [i for i, own in enumerate(places) if any(place.experiment == experiment.id for place in own)]
            choices = [{_arm_in(places[i], experiment.id).id: made[i].outcome} for i in inside]
            for arm in experiment.arms:
                others = [n for n, told in enumerate(choices) if arm.id not in told]
                swapped = [_arms(_swapped(places[inside[n]], experiment.id, arm)) for n in others]
                decided = self._decide([requests[inside[n]] for n in others], swapped, run_context)
                for n, decision in zip(others, decided, strict=True):
                    choices[n][arm.id] = decision.outcome
            for i, told in zip(inside, choices, strict=True):
                if len(set(told.values())) > 1:
                    one, arm_id = made[i], _arm_in(places[i], experiment.id).id
                    found[i].append(Exposure(experiment.id, one.customer, arm_id, one.id, one.moment, told))
        return found


def _without(back: HoldBack) -> declared.Without:
    programmes, messages = ((name,) if name else () for name in (back.programme, back.message))
    return declared.Without(id="held_back", share=back.share, kind="without", programmes=programmes, messages=messages)


def _arms(places: Sequence[Place]) -> tuple[declared.AnyArm, ...]:
    return tuple(place.arm for place in places)


def _arm_in(places: Sequence[Place], experiment: str) -> declared.AnyArm:
    return next(place.arm for place in places if place.experiment == experiment)


def _swapped(places: Sequence[Place], experiment: str, arm: declared.AnyArm) -> tuple[Place, ...]:
    return tuple(Place(p.experiment, arm) if p.experiment == experiment else p for p in places)
