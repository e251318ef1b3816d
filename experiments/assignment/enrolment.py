"""The customers of an experiment, each with arm and entry: recomputed from ids, or read from logged exposures."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.decisions.base.assignment import hash_v2
from tactful.decisions.base.conditions import Failure
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.kernel.decide import Scorer
from tactful.decisions.kernel.evaluation import Evaluation
from tactful.decisions.kernel.exploration import stratum
from tactful.experiments.assignment.arms import Exposure
from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.design.declaration import Experiment, Plan


def enrolled(
    plan: Plan,
    experiment: Experiment,
    catalogue: Catalogue,
    first: "pd.Series[pd.Timestamp]",
    until: datetime,
    population: Collection[str] | None = None,
) -> pd.DataFrame:
    """Everybody who took part before a moment, whether or not an arm made a difference to them.

    Args:
        plan: The plan, whose hold-out takes part in nothing.
        experiment: The experiment.
        catalogue: The catalogue, which sets some apart to learn from.
        first: When each customer was first heard of, by id.
        until: The moment.
        population: The customers of the experiment's population; everybody where None.

    Returns:
        Columns `customer`, `arm` and `entered`: the later of the customer's first step of the ramp and `first`.
    """
    rows = []
    for customer, known in first.items():
        name = str(customer)
        if population is not None and name not in population:
            continue
        step, arm = experiment.enters(hash_v2(experiment.salt, name)), experiment.arm(name)
        if step is None or arm is None or stratum(catalogue, name) != "policy":
            continue
        entered = max(pd.Timestamp(step), known)
        late = experiment.stop is not None and entered >= pd.Timestamp(experiment.stop)
        if entered < pd.Timestamp(until) and not late and not _held_out(plan, name, entered):
            rows.append((name, arm.id, entered))
    return _frame(rows)


def exposed(exposures: Iterable[Exposure], experiment: str) -> pd.DataFrame:
    """Everybody whom an experiment may have touched, from the first decision that arms would have made differently.

    Customers to whom the arms never mattered can only add noise; leaving them out biases nothing, since whether a
    customer is exposed for the first time does not depend on the arm.

    Source: Deng and Hu (2015), Diluted Treatment Effect Estimation for Trigger Analysis in Online Controlled
    Experiments.

    Args:
        exposures: In the order of time.
        experiment: Id of the experiment.
    """
    seen: dict[str, tuple[str, str, pd.Timestamp]] = {}
    for one in exposures:
        if one.experiment == experiment:
            seen.setdefault(one.customer, (one.customer, one.arm, pd.Timestamp(one.moment)))
    return _frame(list(seen.values()))


def members(
    snapshots: Sequence[Snapshot], compiled: CompiledCatalogue, segment: str, scorer: Scorer | None = None
) -> set[str]:
    """The customers of a segment.

    Args:
        snapshots: Customers at a moment.
        compiled: The catalogue.
        segment: Name of one of its segments.
        scorer: The models, where the segment reads scores.

    Raises:
        ReadoutError: It cannot be told of anybody.
    """
    scores: Mapping[str, NDArray[np.float64]] = {}
    if scorer is not None and snapshots:
        features = np.array([snapshot.features for snapshot in snapshots])[:, : compiled.scored]
        scores = scorer.score_customers(features)
    told = {
        snapshot.customer: Evaluation(
            compiled, snapshot, {name: float(values[i]) for name, values in scores.items()}
        ).value(f"segment.{segment}")
        for i, snapshot in enumerate(snapshots)
    }
    failures = [value for value in told.values() if isinstance(value, Failure)]
    if failures and len(failures) == len(told):
        raise ReadoutError(f"segment {segment} cannot be told", got=failures[0].reason, wanted="models, or other data")
    return {customer for customer, value in told.items() if value is True}


def _held_out(plan: Plan, customer: str, moment: pd.Timestamp) -> bool:
    return plan.holdout is not None and plan.holdout.holds(customer, moment.to_pydatetime())


def _frame(rows: Sequence[tuple[str, str, pd.Timestamp]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer", "arm", "entered"])
    return frame.astype({"customer": "str", "arm": "str", "entered": "datetime64[us, UTC]"})
