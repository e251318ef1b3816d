"""Contractual churn: who will not renew a contract by its end, learnt as of a notice before it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset
from tactful.models.base.gbm import Parameters
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import Examples, days_after, events_of_type, log_end
from tactful.training.data.splits import by_share
from tactful.training.fit.baselines import Logit
from tactful.training.fit.job import Progress, Task, TrainingResult, report_step, run

NAME = "contract_churn"
RENEWED = "renewed"
PARAMETERS = Parameters()


def renewals(
    dataset: EventDataset, contracts: pd.DataFrame, *, notice_days: int = 30, grace_days: int = 14
) -> Examples:
    """Which contracts were not renewed by their end, and a grace after it.

    Each contract is looked at once, a notice before it ends. It counts as renewed if its customer has a `contract`
    event of the subject "renewed" from then until the grace is over. Contracts whose grace the log does not cover are
    censored and have no label; nor have contracts renewed before the notice, whose end is already known.

    Args:
        dataset: The log.
        contracts: Columns `customer_id`, `start` and `end`, moments with a zone; a row a contract.
        notice_days: Calendar days before the end at which the score is asked for, at least 1.
        grace_days: Calendar days after the end in which a renewal still counts.

    Raises:
        TrainingError: Columns are missing or unfit, the log tells of no renewal, or covers no contract.
    """
    if notice_days < 1 or grace_days < 0:
        wanted = "a notice of at least 1 day and a grace of at least 0"
        raise TrainingError("unfit days", got=f"notice {notice_days}, grace {grace_days}", wanted=wanted)
    table = _checked(contracts)
    table["as_of"] = [days_after(end, -notice_days, dataset.zone) for end in table["end"]]
    table["known"] = [days_after(end, grace_days, dataset.zone) for end in table["end"]]
    events = events_of_type(dataset, "contract")
    renewed = events.loc[events["subject"] == RENEWED, ["customer_id", "time"]]
    if renewed.empty:
        raise TrainingError("a log without renewals", got=sorted(set(events["subject"]))[:5], wanted=f"a {RENEWED!r}")
    censored = table["known"] > log_end(dataset)
    early = _renewed_between(table, renewed, "start", "as_of") | (table["as_of"] < table["start"])
    kept = table[~(censored | early)].reset_index(drop=True)
    if kept.empty:
        raise TrainingError("no contract with a label", got=f"{len(table)} contracts", wanted="ends within the log")
    return Examples(
        customers=kept["customer_id"].to_numpy(dtype=object),
        as_of=kept["as_of"].to_numpy(),
        known=kept["known"].to_numpy(),
        positive=~_renewed_between(kept, renewed, "as_of", "known"),
        counted=np.ones(len(kept), dtype=np.bool_),
        left_out={
            "grace beyond the end of the log": int(censored.sum()),
            "renewed before the notice": int((early & ~censored).sum()),
        },
    )


def train(
    dataset: EventDataset,
    contracts: pd.DataFrame,
    *,
    notice_days: int = 30,
    grace_days: int = 14,
    judged_from: int | None = None,
    feature_set: FeatureSet = STANDARD,
    parameters: Parameters = PARAMETERS,
    progress: Progress | None = None,
) -> TrainingResult:
    """Trains on contracts that ended earlier and tests on those that ended last, at most 30 %.

    Args:
        dataset: The log; it needs `contract` events, and is better for purchases or visits.
        contracts: When contracts start and end, see `renewals`.
        notice_days: How long before the end the score is asked for.
        grace_days: How long after the end a renewal counts.
        judged_from: Outcomes settled later are not learnt from, microseconds since the epoch; None for no such bound.
        feature_set: What to learn from.
        parameters: Of the fit.
        progress: Told of each step.

    Raises:
        TrainingError: See `renewals`; or there are too few contracts to split.
    """
    report_step(progress, "labels")
    examples = renewals(dataset, contracts, notice_days=notice_days, grace_days=grace_days)
    task = Task(
        name=NAME,
        label=f"no renewal by {grace_days} days after the end, {notice_days} days before it",
        examples=examples,
        split=by_share(examples.as_of, examples.known, judged_from),
        baselines={"use": Logit(("visits_28d", "days_since_visit")), "rfm": Logit()},
        per_action=False,
        settings={"notice_days": notice_days, "grace_days": grace_days},
    )
    return run(task, dataset, feature_set, parameters, progress)


def _checked(contracts: pd.DataFrame) -> pd.DataFrame:
    if missing := sorted({"customer_id", "start", "end"} - set(contracts.columns)):
        raise TrainingError("missing columns of contracts", got=list(contracts.columns), wanted=", ".join(missing))
    table = pd.DataFrame({"customer_id": contracts["customer_id"].astype(str)})
    for name in ("start", "end"):
        if not isinstance(contracts[name].dtype, pd.DatetimeTZDtype) or contracts[name].hasnans:
            got, wanted = str(contracts[name].dtype), "moments with a zone, none missing"
            raise TrainingError("unfit moments of contracts", got=got, wanted=wanted, where=name)
        table[name] = contracts[name].dt.tz_convert("UTC").dt.as_unit("us").astype("int64")
    return table


def _renewed_between(table: pd.DataFrame, renewed: pd.DataFrame, since: str, until: str) -> NDArray[np.bool_]:
    """Whether the customer of each contract renewed in `[since, until)`."""
    pairs = table.reset_index(names="row").merge(renewed, on="customer_id")
    within = (pairs["time"] >= pairs[since]) & (pairs["time"] < pairs[until])
    return np.isin(np.arange(len(table)), pairs.loc[within, "row"].to_numpy())
