"""How long an experiment must run, from the variance of the log itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

import pandas as pd
import tea_tasting as tt  # type: ignore[import-untyped]
from tea_tasting.aggr import Aggregates  # type: ignore[import-untyped]

from tactful.experiments.base.aggregates import FEWEST, aggregated, explained, level_of, untold
from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.base.metrics import METRICS, Metric
from tactful.experiments.design.declaration import Experiment
from tactful.experiments.readout.outcomes import outcomes
from tactful.experiments.readout.sequential import widening

WEEK = timedelta(days=7)
WEEKS = tuple(range(1, 13))
_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Horizon:
    """The effects that an experiment of some weeks could find.

    Attributes:
        weeks: How long it runs.
        customers: Customers in all arms.
        mean: The metric in the log over as many weeks.
        one_look: Smallest effect it finds with the declared power at one look, as a share of the mean.
        always_valid: The same with an interval that holds at every look.
        wanted: The effect it is to find, as a share of the mean.
    """

    weeks: int
    customers: int
    mean: float
    one_look: float
    always_valid: float
    wanted: float

    @property
    def enough(self) -> bool:
        """Whether it finds the wanted effect, at any number of looks."""
        return self.always_valid <= self.wanted


def plan(
    experiment: Experiment,
    events: pd.DataFrame,
    customers: Sequence[str],
    until: datetime,
    *,
    weeks: Sequence[int] = WEEKS,
) -> list[Horizon]:
    """The effects that the experiment could find after each number of weeks, by the latest such weeks of the log.

    Means, variances and what the covariate explains are those of the log. An effect is taken to multiply what treated
    customers do, so their spread grows with it. The pair with the fewest customers counts, and alpha is shared among
    the treatments.

    Source: tea-tasting's `solve_power` for one look; `tactful.experiments.readout.sequential.widening` for every look.

    Args:
        experiment: The experiment.
        events: Canonical events.
        customers: The population: all customers who could take part.
        until: End of the log.
        weeks: Numbers of weeks.

    Returns:
        One for each number of weeks by which the log tells the metric; none for the others, such as four weeks of
        a retention of 56 days.

    Raises:
        ReadoutError: Hardly anybody could take part, or no number of weeks tells the metric.
    """
    if len(customers) < FEWEST:
        raise ReadoutError("too few customers to plan with", got=len(customers), wanted=f"at least {FEWEST}")
    metric = METRICS[experiment.primary.metric]
    logs = {n: _of_log(events, customers, until, n, metric) for n in weeks}
    refusals = {n: _refusal(found, metric) for n, found in logs.items()}
    if all(refusals.values()):
        raise ReadoutError(
            f"no plan by {metric.name}", got=refusals[weeks[-1]], wanted="a longer log, or another metric"
        )
    return [_horizon(experiment, found, len(customers), n) for n, found in logs.items() if not refusals[n]]


def first_enough(horizons: Sequence[Horizon]) -> Horizon | None:
    """The shortest that finds what is wanted, or None."""
    return next((horizon for horizon in horizons if horizon.enough), None)


def _of_log(events: pd.DataFrame, customers: Sequence[str], until: datetime, weeks: int, metric: Metric) -> Aggregates:
    enrolled = pd.DataFrame({"customer": list(customers)}).assign(entered=pd.Timestamp(until - weeks * WEEK))
    return aggregated(outcomes(events, enrolled, until), metric.columns)


def _refusal(found: Aggregates, metric: Metric) -> str:
    """Why some weeks of the log plan nothing; empty where they do."""
    reason = untold((found,), metric)
    if not reason and found.mean(metric.numerator) == 0:
        return f"{metric.name} is 0 on average: an effect has no share of it"
    return reason


def _horizon(experiment: Experiment, found: Aggregates, customers: int, weeks: int) -> Horizon:
    metric = METRICS[experiment.primary.metric]
    least, share = _smallest_pair(experiment)
    taking_part = experiment.space[1] - experiment.space[0]
    alpha = experiment.alpha / (len(experiment.arms) - 1)
    solved = tt.RatioOfMeans(
        metric.numerator,
        metric.denominator,
        None if explained(found, metric) else metric.covariate,
        use_t=False,
        alpha=alpha,
        power=experiment.power,
        ratio=least,
        n_obs=max(4, int(customers * taking_part * share)),
    ).solve_power_from_aggregates(found, "rel_effect_size")[0]
    one_look = _spreading(abs(float(solved.rel_effect_size)), least)
    return Horizon(
        weeks,
        int(customers * taking_part),
        level_of(found, metric),
        one_look,
        one_look * sqrt(widening(alpha=alpha, power=experiment.power)),
        experiment.primary.minimum_effect,
    )


def _spreading(effect: float, ratio: float) -> float:
    """The smallest effect that is found where it multiplies the treated customers' spread as it does their mean.

    Args:
        effect: The smallest effect that is found where the spread stays, as a share of the mean.
        ratio: Customers of the treatment over those of the control.
    """
    found = effect
    for _ in range(_ROUNDS):
        found = effect * sqrt((ratio + (1 + found) ** 2) / (ratio + 1))
    return found


def _smallest_pair(experiment: Experiment) -> tuple[float, float]:
    """Customers of the smallest treatment over those of the control, and the share of both together."""
    shares = {arm.id: arm.share for arm in experiment.arms}
    control = shares.pop(experiment.control_id)
    smallest = min(shares.values())
    return smallest / control, smallest + control
