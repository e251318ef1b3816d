"""Whether the arms were treated as the experiment declares, told from contacts and exposures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from scipy import stats

from tactful.decisions.catalogue.model import Catalogue
from tactful.experiments.assignment.arms import Exposure
from tactful.experiments.design.declaration import AnyArm, Experiment
from tactful.experiments.readout.effects import SUSPICIOUS, sample_ratio

KEPT = 0.25
"""An arm may get so many times the contacts of another that it is to be spared: some were under way as it began."""
_ALIKE = 0.01
_STRAYED = 0.1
_UNKNOWN = ("", False)


@dataclass(frozen=True, slots=True)
class Received:
    """The contacts and exposures of an arm, from entering on.

    Attributes:
        customers: Customers of the arm.
        contacted: Share of them who were contacted, between 0 and 1.
        contacts: Contacts a customer.
        excluded: Contacts a customer that the arm's declaration excludes.
        exposed: Customers of the arm with a decision that another arm would have made differently; None where the log
            knows no exposures.
    """

    customers: int
    contacted: float
    contacts: float
    excluded: float
    exposed: int | None


@dataclass(frozen=True, slots=True)
class Adherence:
    """Whether the arms were treated as declared.

    Attributes:
        arms: Contacts and exposures of each arm, by its id.
        faults: Contradictions to the declaration; empty where there is none.
    """

    arms: Mapping[str, Received]
    faults: tuple[str, ...]


def adherence(
    experiment: Experiment,
    events: pd.DataFrame,
    enrolled: pd.DataFrame,
    until: datetime,
    catalogue: Catalogue | None = None,
    exposures: Sequence[Exposure] | None = None,
) -> Adherence:
    """Compare what the arms received with what they declare.

    An arm is at fault where it got more than `KEPT` times the contacts that it excludes and another arm got; where
    nobody in it got the message that it promises; and where it got the same as the control. The last is judged by
    exposures where the log has them, and else by Fisher's exact test of the customers whom each message reached.

    Source: Kohavi, Tang and Xu (2020), Trustworthy Online Controlled Experiments, chapter 21, for checks that come
    before a result; Fisher (1935), The Design of Experiments; Dunn (1961) for the bound over many messages.

    Args:
        experiment: As declared.
        events: Canonical events; the subject of a contact is its message.
        enrolled: Columns `customer`, `arm` and `entered`, one row a customer.
        until: Contacts at or after it do not count.
        catalogue: The source of mandatory messages and of programmes; where it is None, no message is mandatory.
        exposures: The first exposure of each customer; None where the log knows none.
    """
    contacts = _contacts(events, enrolled, until)
    sizes = {arm.id: int((enrolled["arm"] == arm.id).sum()) for arm in experiment.arms}
    kinds = _kinds(catalogue)
    seen = None if exposures is None else _within(experiment, exposures, until)
    excluded = {arm.id: _excluded(arm, experiment, contacts, sizes, kinds) for arm in experiment.arms}
    arms = {arm.id: _received(arm.id, contacts, sizes, excluded[arm.id], seen) for arm in experiment.arms}
    faults = [
        *_spared(excluded),
        *_promised(experiment, contacts),
        *_strayed(experiment, seen or ()),
        *_alike(experiment, contacts, sizes, seen),
    ]
    return Adherence(arms, tuple(faults))


def _contacts(events: pd.DataFrame, enrolled: pd.DataFrame, until: datetime) -> pd.DataFrame:
    """The contacts of those who take part, from entering on: `customer`, `arm` and `message`."""
    made = events[(events["type"] == "contact") & (events["time"] < pd.Timestamp(until))]
    told = pd.DataFrame(
        {
            "customer": made["customer_id"].astype("str"),
            "time": made["time"],
            "message": made["subject"].astype("str"),
        }
    )
    joined = told.merge(enrolled[["customer", "arm", "entered"]].astype({"customer": "str"}), on="customer")
    return joined.loc[joined["time"] >= joined["entered"], ["customer", "arm", "message"]]


def _kinds(catalogue: Catalogue | None) -> dict[str, tuple[str, bool]]:
    """The programme of each message, and whether the message is mandatory."""
    if catalogue is None:
        return {}
    return {
        message.id: (programme.id, message.mandatory)
        for programme in catalogue.programmes
        for message in programme.messages
    }


def _within(experiment: Experiment, exposures: Sequence[Exposure], until: datetime) -> list[Exposure]:
    start = experiment.start
    return [one for one in exposures if start is not None and start <= one.moment < until]


def _excluded(
    arm: AnyArm,
    experiment: Experiment,
    contacts: pd.DataFrame,
    sizes: Mapping[str, int],
    kinds: Mapping[str, tuple[str, bool]],
) -> dict[str, float]:
    """Contacts a customer that an arm excludes, by the arm that got them."""
    out = {
        message
        for message in contacts["message"].unique()
        if not kinds.get(message, _UNKNOWN)[1] and arm.excludes(message, kinds.get(message, _UNKNOWN)[0])
    }
    counts = contacts.loc[contacts["message"].isin(out), "arm"].value_counts()
    return {one.id: float(counts.get(one.id, 0)) / max(sizes[one.id], 1) for one in experiment.arms}


def _received(
    arm: str,
    contacts: pd.DataFrame,
    sizes: Mapping[str, int],
    excluded: Mapping[str, float],
    seen: Sequence[Exposure] | None,
) -> Received:
    own, size = contacts[contacts["arm"] == arm], max(sizes[arm], 1)
    return Received(
        sizes[arm],
        own["customer"].nunique() / size,
        len(own) / size,
        excluded[arm],
        None if seen is None else sum(one.arm == arm for one in seen),
    )


def _spared(excluded: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Arms that got what they exclude."""
    found = []
    for arm, rates in excluded.items():
        others = max(rate for name, rate in rates.items() if name != arm)
        if rates[arm] > KEPT * others:
            found.append(
                f"arm {arm} got {rates[arm]:.2f} contacts a customer that it excludes, another arm {others:.2f} of them"
            )
    return found


def _promised(experiment: Experiment, contacts: pd.DataFrame) -> list[str]:
    """Arms in which nobody got the one message that they are about."""
    got = set(zip(contacts["arm"], contacts["message"], strict=True))
    return [
        f"nobody in arm {arm.id} got {arm.promises}"
        for arm in experiment.arms
        if arm.promises and (arm.id, arm.promises) not in got
    ]


def _strayed(experiment: Experiment, seen: Sequence[Exposure]) -> list[str]:
    """Customers whose decisions were made in another arm than the declaration gives them, and lopsided exposures."""
    if not seen:
        return []
    logged = [(one.arm, experiment.arm(one.customer)) for one in seen]
    strayed = sum(arm is None or arm.id != made_in for made_in, arm in logged)
    if strayed > _STRAYED * len(seen):
        return [f"{strayed:,} of {len(seen):,} exposed customers were decided about in another arm than the file says"]
    counts = {arm.id: sum(one.arm == arm.id for one in seen) for arm in experiment.arms}
    ratio = sample_ratio(counts, {arm.id: arm.share for arm in experiment.arms})
    if ratio.passed:
        return []
    shown = ", ".join(f"{arm} {count:,}" for arm, count in counts.items())
    return [f"the exposed customers are not split as declared ({shown}; p < {SUSPICIOUS:g})"]


def _alike(
    experiment: Experiment, contacts: pd.DataFrame, sizes: Mapping[str, int], seen: Sequence[Exposure] | None
) -> list[str]:
    """Treatments that nothing sets apart from the control."""
    if contacts.empty:
        return ["nobody in any arm was contacted"]
    deserted = [f"nobody is in arm {arm}" for arm, size in sizes.items() if not size]
    if deserted:
        return deserted
    if seen is not None:
        return [] if seen else ["no decision would have come out otherwise in another arm"]
    control = experiment.control_id
    pairs = {arm.id: _difference(contacts, sizes, (control, arm.id)) for arm in experiment.arms if arm.id != control}
    return [
        f"arms {control} and {arm} got the same messages as often (p = {pvalue:.2f})"
        for arm, pvalue in pairs.items()
        if pvalue > _ALIKE
    ]


def _difference(contacts: pd.DataFrame, sizes: Mapping[str, int], pair: tuple[str, str]) -> float:
    """Bound of the p-value that two arms got the same: over the customers whom any message, and each one, reached."""
    own = contacts[contacts["arm"].isin(pair)]
    again = own.assign(nth=own.groupby("customer").cumcount().astype("str"))
    reached = pd.concat(
        [
            own.drop_duplicates(["customer", "message"])[["arm", "message"]],
            again[["arm"]].assign(message="contact " + again["nth"]),
        ]
    )
    table = pd.crosstab(reached["message"], reached["arm"]).reindex(columns=list(pair), fill_value=0)
    pvalues = [
        stats.fisher_exact([[a, sizes[pair[0]] - a], [b, sizes[pair[1]] - b]]).pvalue for a, b in table.to_numpy()
    ]
    return min(1.0, min(pvalues, default=1.0) * len(pvalues))
