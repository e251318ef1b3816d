"""Support: whether a log holds enough of what a policy would do to judge the policy."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.experiments.base.errors import SupportError
from tactful.experiments.offpolicy.log import Log
from tactful.features.array_types import Floats

_TOLERATED = 4.0
"""Standard errors by which the mean weight may miss what it should be."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The support without which a policy is not judged.

    Args:
        effective: Least effective sample size, of decisions and of customers.
        unsupported: Largest share of the policy's probability on options that were never to be chosen.
        rewarded: Least effective number of rewarded decisions.
    """

    effective: float = 100.0
    unsupported: float = 0.01
    rewarded: float = 10.0


WANTED = Wanted()


@dataclass(frozen=True, slots=True)
class Support:
    """How much of a policy a log holds.

    Attributes:
        n: Decisions.
        customers: Customers.
        effective: Effective sample size, `(Σw)² / Σw²` (Kish 1965): so many decisions of the policy's own would tell
            as much, between 0 and n.
        effective_customers: The same of the sums of weights by customer.
        largest_weight: Largest weight.
        unsupported: Share of the policy's probability on options whose logged probability was 0, between 0 and 1.
        mean_weight: Mean weight; should be `1 − unsupported`, and is not where the logged probabilities are not those
            by which it was chosen.
        mean_weight_error: Its standard error, clustered by customer.
        rewarded: Effective number of rewarded decisions: the effective sample size of those whose reward is not the
            commonest one of their option. An option may cost something each time; what counts is what came of it.
    """

    n: int
    customers: int
    effective: float
    effective_customers: float
    largest_weight: float
    unsupported: float
    mean_weight: float
    mean_weight_error: float
    rewarded: float

    def refusal(self, wanted: Wanted = WANTED) -> str | None:
        """Why the policy cannot be judged, every reason in one line, or None where it can.

        Example:
            >>> thin = Support(4000, 900, 12.0, 11.2, 310.5, 0.0, 0.97, 0.2, 30.0)
            >>> print(thin.refusal(Wanted(effective=12)))
            cannot be judged: effective sample size 11 of 900 customers, wanted at least 12
        """
        reasons = [
            f"effective sample size {_counted(found)} of {total:,} {of}, wanted at least {_counted(wanted.effective)}"
            for found, total, of in (
                (self.effective, self.n, "decisions"),
                (self.effective_customers, self.customers, "customers"),
            )
            if found < wanted.effective
        ]
        if self.rewarded < wanted.rewarded:
            reasons.append(f"{self.rewarded:.3g} effective rewarded decisions, wanted at least {wanted.rewarded:g}")
        if self.unsupported > wanted.unsupported:
            reasons.append(
                f"{self.unsupported:.1%} of its choices could never be made, wanted at most {wanted.unsupported:.1%}"
            )
        if abs(self.mean_weight - (1 - self.unsupported)) > _TOLERATED * self.mean_weight_error + 1e-6:
            reasons.append(
                f"mean weight {self.mean_weight:.3f}, wanted {1 - self.unsupported:.3f} within {_TOLERATED:g} standard "
                f"errors of {self.mean_weight_error:.3f}: the logged probabilities are not those of the choices"
            )
        return f"cannot be judged: {'; '.join(reasons)}" if reasons else None


def support(log: Log) -> Support:
    """How much of the policy to judge a log holds.

    Example:
        >>> log = Log([0, 1, 1], [[0.5, 0.5]] * 3, [[0.0, 1.0]] * 3, [0, 1, 1], ["ada", "ben", "cem"])
        >>> found = support(log)
        >>> found.effective, found.largest_weight
        (2.0, 2.0)
    """
    weights = log.weights
    mean = float(weights.mean())
    return Support(
        n=len(log),
        customers=log.customer_count,
        effective=_kish(weights),
        effective_customers=_kish(log.by_customer(weights)),
        largest_weight=float(weights.max()),
        unsupported=float(np.where(log.logged > 0, 0.0, log.target).sum() / len(log)),
        mean_weight=mean,
        mean_weight_error=clustered_error(log, weights - mean),
        rewarded=_kish(weights[_rewarded(log)]),
    )


def require(log: Log, wanted: Wanted | None = WANTED) -> None:
    """Refuse to judge where the log does not hold enough.

    Args:
        log: The log, with the policy to judge.
        wanted: The least support; None asks for two customers only, without whom there is no interval.

    Raises:
        SupportError: With every reason.
    """
    if log.customer_count < 2:
        raise SupportError("cannot be judged: one customer, wanted at least 2")
    refusal = support(log).refusal(wanted) if wanted else None
    if refusal:
        raise SupportError(refusal)


def clustered_error(log: Log, deviations: Floats) -> float:
    """Standard error of a mean over decisions, from deviations that sum to zero, shape (n,).

    The decisions of a customer may depend on each other in any way; customers do not (Liang and Zeger 1986). Zero for
    a single customer.
    """
    customers = log.customer_count
    squares = float(np.square(log.by_customer(deviations)).sum())
    return math.sqrt(squares * customers / max(customers - 1, 1)) / len(log)


def _rewarded(log: Log) -> NDArray[np.bool_]:
    """Which decisions earned something else than most decisions for the same option, shape (n,)."""
    same = pd.DataFrame({"choice": log.choices, "reward": log.rewards}).groupby(["choice", "reward"])
    group, size = same.ngroup().to_numpy(), same["choice"].transform("size").to_numpy()
    first = pd.DataFrame({"choice": log.choices, "group": group, "size": size}).sort_values(
        "size", ascending=False, kind="stable"
    )
    commonest = first.drop_duplicates("choice")["group"].to_numpy()
    return ~np.isin(group, commonest)


def _kish(weights: Floats) -> float:
    squares = float(np.square(weights).sum())
    return float(weights.sum() ** 2 / squares) if squares else 0.0


def _counted(number: float) -> str:
    return f"{math.floor(number):,}"
