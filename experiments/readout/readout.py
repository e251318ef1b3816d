"""The result of an experiment: the sample ratio first, then effects, guard-rails, segments and the effect over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isnan, log, nan
from typing import Literal

import pandas as pd
from scipy import stats

from tactful.decisions.catalogue.model import Catalogue
from tactful.experiments.assignment.arms import Exposure
from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.base.metrics import METRICS, Metric
from tactful.experiments.design.declaration import Experiment, GuardRail
from tactful.experiments.readout.adherence import Adherence, adherence
from tactful.experiments.readout.effects import (
    Effect,
    SampleRatio,
    adjusted,
    compare,
    quantile,
    sample_ratio,
    variance_saved,
)
from tactful.experiments.readout.outcomes import outcomes
from tactful.experiments.readout.segments import Segments, by_segment
from tactful.experiments.readout.sequential import always_valid, tuned_to
from tactful.experiments.readout.timeline import Looks, Novelty, looks, novelty, weekly

Verdict = Literal["better", "worse", "open", "untold"]
Guard = Literal["kept", "harmed", "open", "untold"]


@dataclass(frozen=True, slots=True)
class GuardRailReadout:
    """Whether an arm does more harm than is acceptable.

    Attributes:
        metric: The metric that must not be harmed.
        margin: Largest acceptable harm, in its unit.
        effect: For one look.
        low: Lower bound of the difference, at every look.
        high: Upper bound.
    """

    metric: Metric
    margin: float
    effect: Effect
    low: float
    high: float

    @property
    def verdict(self) -> Guard:
        """`kept`: more harm than the margin is excluded; `harmed`: there is harm; `open`: neither is shown."""
        if isnan(self.low):
            return "untold"
        least, most = sorted((-self.metric.better * self.low, -self.metric.better * self.high))
        return "kept" if most <= self.margin else "harmed" if least > 0 else "open"


@dataclass(frozen=True, slots=True)
class ArmReadout:
    """The result of one arm, against the control.

    Attributes:
        arm: Its id.
        primary: The primary metric, for one look.
        looks: The same week by week, with what holds at every look.
        pvalue: Always-valid, adjusted by Holm for the number of treatments; NaN where the primary metric is unknown.
        guard_rails: The metrics that must not be harmed.
        tail: The 90th percentile over customers of a primary metric in currency, for one look, or None.
        others: Every other metric, for one look.
        discoveries: P-values of these, adjusted by Benjamini and Hochberg.
        saved: Share of the primary metric's variance that its covariate took away.
        segments: The primary metric within segments.
        novelty: The primary metric by weeks since entering.
    """

    arm: str
    primary: Effect
    looks: Looks
    pvalue: float
    guard_rails: tuple[GuardRailReadout, ...]
    tail: Effect | None
    others: Mapping[str, Effect]
    discoveries: Mapping[str, float]
    saved: float
    segments: tuple[Segments, ...]
    novelty: Novelty

    @property
    def low(self) -> float:
        """Lower bound of the primary difference, at every look; NaN where it is unknown."""
        return float(self.looks.valid.low[-1]) if self.primary.known else nan

    @property
    def high(self) -> float:
        """Upper bound of the primary difference, at every look; NaN where it is unknown."""
        return float(self.looks.valid.high[-1]) if self.primary.known else nan


@dataclass(frozen=True, slots=True)
class Readout:
    """The result of an experiment.

    Attributes:
        experiment: As declared.
        until: Up to when it was looked at.
        sample_ratio: The check that comes first.
        adherence: The check that comes second: whether the arms were treated as declared.
        customers: Customers who took part.
        arms: A readout for each treatment.
        simulated: Whether the customers are simulated.
        currency: Of amounts.
    """

    experiment: Experiment
    until: datetime
    sample_ratio: SampleRatio
    adherence: Adherence
    customers: int
    arms: tuple[ArmReadout, ...]
    simulated: bool = False
    currency: str = ""

    @property
    def metric(self) -> Metric:
        """The primary metric."""
        return METRICS[self.experiment.primary.metric]

    @property
    def faults(self) -> tuple[str, ...]:
        """Why nothing may be claimed; empty where the experiment ran as declared."""
        lost = () if self.sample_ratio.passed else ("the arms are not as large as declared",)
        return (*lost, *self.adherence.faults)

    def verdict(self, arm: ArmReadout) -> Verdict:
        """The claim about an arm; no claim where the experiment did not run as declared."""
        if self.faults or not arm.primary.known:
            return "untold"
        least, most = sorted((self.metric.better * arm.low, self.metric.better * arm.high))
        return "better" if least > 0 else "worse" if most < 0 else "open"

    def decision(self, arm: ArmReadout) -> str:
        """What to do, in one sentence."""
        verdict, rails = self.verdict(arm), [rail for rail in arm.guard_rails if rail.verdict != "kept"]
        if self.faults:
            return f"Do not decide on this: find out first why {'; and why '.join(self.faults)}."
        if verdict == "untold":
            return f"Do not decide yet: {arm.primary.refusal}."
        if verdict == "worse":
            return f"Keep {self.experiment.control_id}: {arm.arm} is worse."
        if verdict == "open":
            return f"Keep {self.experiment.control_id} for now: no difference is shown."
        harmed = ", ".join(rail.metric.title.lower() for rail in rails if rail.verdict == "harmed")
        if harmed:
            return f"Do not switch: {arm.arm} is better, but a guard-rail is harmed: {harmed}."
        if rails:
            names = ", ".join(rail.metric.title.lower() for rail in rails)
            return f"Wait: {arm.arm} is better, but harm is not excluded yet: {names}."
        return f"Switch to {arm.arm}: it is better, and no guard-rail is harmed."


def readout(
    experiment: Experiment,
    events: pd.DataFrame,
    enrolled: pd.DataFrame,
    until: datetime,
    *,
    cuts: Sequence[str] = (),
    simulated: bool = False,
    currency: str = "",
    catalogue: Catalogue | None = None,
    exposures: Sequence[Exposure] | None = None,
) -> Readout:
    """Read an experiment out.

    Args:
        experiment: As declared, and started.
        events: Canonical events; the subject of a contact is its message.
        enrolled: Columns `customer`, `arm` and `entered`, one row a customer, and a column for each cut; customers
            who enter later do not count.
        until: Up to when to look; the experiment's stop where that is earlier.
        cuts: Columns of `enrolled` that name segments.
        simulated: Whether the customers are simulated.
        currency: Of amounts.
        catalogue: The source of mandatory messages and of programmes; where it is None, no message is mandatory.
        exposures: The first exposure of each customer; None where the log knows none.

    Raises:
        ReadoutError: The experiment has not started, nobody took part, or an arm is empty.
    """
    if experiment.start is None or experiment.start >= until:
        start = experiment.start and experiment.start.isoformat()
        raise ReadoutError("an experiment that has not started", got=start, wanted=f"a start before {until}")
    until = min(until, experiment.stop or until)
    enrolled = enrolled[enrolled["entered"] < pd.Timestamp(until)]
    counts = {arm.id: int((enrolled["arm"] == arm.id).sum()) for arm in experiment.arms}
    if min(counts.values()) < 2:
        raise ReadoutError("an arm without customers", got=counts, wanted="at least 2 in each", where=experiment.id)
    ratio = sample_ratio(counts, {arm.id: arm.share for arm in experiment.arms})
    treated = adherence(experiment, events, enrolled, until, catalogue, exposures)
    treatments = [arm.id for arm in experiment.arms if arm.id != experiment.control_id]
    table = outcomes(events, enrolled, until)
    read = [_arm(experiment, events, enrolled, table, arm, until, cuts, len(treatments)) for arm in treatments]
    holm = adjusted({arm.arm: arm.pvalue if arm.primary.known else 1.0 for arm in read})
    arms = tuple(replace(arm, pvalue=holm[arm.arm]) if arm.primary.known else arm for arm in read)
    return Readout(experiment, until, ratio, treated, len(enrolled), arms, simulated, currency)


def _arm(
    experiment: Experiment,
    events: pd.DataFrame,
    enrolled: pd.DataFrame,
    table: pd.DataFrame,
    arm: str,
    until: datetime,
    cuts: Sequence[str],
    treatments: int,
) -> ArmReadout:
    metric = METRICS[experiment.primary.metric]
    alpha = experiment.alpha / treatments
    pair = (experiment.control_id, arm)
    control, treatment = (table[table["arm"] == name] for name in pair)
    primary = compare(control, treatment, metric, alpha=alpha)
    course = _looks(experiment, events, enrolled, primary, pair, until, alpha)
    others = {name: compare(control, treatment, other) for name, other in METRICS.items() if name != metric.name}
    known = {name: effect for name, effect in others.items() if effect.known}
    return ArmReadout(
        arm,
        primary,
        course,
        float(course.valid.pvalue[-1]) if primary.known else nan,
        tuple(_rail(rail, control, treatment, experiment, alpha) for rail in experiment.guard_rails),
        _tail(metric, control, treatment),
        known,
        adjusted({name: effect.pvalue for name, effect in known.items()}, "benjamini_hochberg"),
        variance_saved(control, treatment, metric),
        tuple(by_segment(control, treatment, metric, cut) for cut in cuts),
        novelty(events, enrolled, pair, metric, until),
    )


def _looks(
    experiment: Experiment,
    events: pd.DataFrame,
    enrolled: pd.DataFrame,
    primary: Effect,
    pair: tuple[str, str],
    until: datetime,
    alpha: float,
) -> Looks:
    """The primary metric week by week; no look where it is unknown at the end."""
    assert experiment.start is not None
    level = abs(primary.control) or abs(primary.treatment)
    tuned = _tuned(experiment.primary.minimum_effect * level, experiment, alpha)
    moments = weekly(experiment.start, until) if primary.known else ()
    metric = METRICS[experiment.primary.metric]
    return looks(events, enrolled, pair, metric, moments, tuned, alpha=alpha)


def _tail(metric: Metric, control: pd.DataFrame, treatment: pd.DataFrame) -> Effect | None:
    """Whether a mean moved by all customers or by a few: the percentile that only a tenth is above."""
    if metric.unit != "currency" or metric.denominator is not None:
        return None
    return quantile(control, treatment, metric.numerator, 0.9)


def _rail(
    rail: GuardRail, control: pd.DataFrame, treatment: pd.DataFrame, experiment: Experiment, alpha: float
) -> GuardRailReadout:
    """Non-inferiority by an interval that holds at every look.

    Source: Piaggio, Elbourne, Pocock, Evans and Altman (2012), Reporting of Noninferiority and Equivalence Randomized
    Trials.
    """
    metric = METRICS[rail.metric]
    effect = compare(control, treatment, metric, alpha=alpha)
    if not effect.known:
        return GuardRailReadout(metric, rail.margin, effect, *_of_nothing(metric, effect, alpha))
    valid = always_valid([effect.difference], [effect.error], _tuned(rail.margin, experiment, alpha), alpha=alpha)
    return GuardRailReadout(metric, rail.margin, effect, float(valid.low[-1]), float(valid.high[-1]))


def _of_nothing(metric: Metric, effect: Effect, alpha: float) -> tuple[float, float]:
    """Bounds of the difference where nobody in either arm did it: not above the rule of three's share.

    Source: Hanley and Lippman-Hand (1983), If Nothing Goes Wrong, Is Everything All Right?
    """
    if metric.unit != "share" or metric.denominator or effect.control or effect.treatment:
        return effect.low, effect.high
    control, treatment = (-log(alpha) / n for n in effect.customers)
    return -control, treatment


def _tuned(effect: float, experiment: Experiment, alpha: float) -> float:
    """The mixture for an experiment that ends when it finds an effect with the declared power."""
    planned = effect / float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(experiment.power))
    return tuned_to(planned, alpha=alpha)
