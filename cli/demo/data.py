"""The first steps: a year of a grocer's data becomes events, and events become features."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from tactful.cli.demo.reporter import Step
from tactful.features.build import FeatureFrame, build_dataset
from tactful.features.definitions.standard import STANDARD
from tactful.features.events import complete_journey
from tactful.features.events.dataset import EventDataset, write_events
from tactful.features.timestamps import microseconds

ZONE = ZoneInfo(complete_journey.ZONE)
MOMENT = datetime(2017, 12, 20, 10, tzinfo=ZONE).astimezone(UTC)
"""When decisions are made: the data end on 2017-12-31, so the clock is set."""
CUTOFFS = tuple(datetime(2017, month, 1, tzinfo=ZONE) for month in range(4, 13))


@dataclass(frozen=True, slots=True, eq=False)
class Grocer:
    """The data.

    Attributes:
        dataset: The events, on disk.
        campaigns: A row a campaign: when it ran, its type.
        households: Ids, in order.
        mailed: Ids of those that were mailed before the moment of decision.
    """

    dataset: EventDataset
    campaigns: pd.DataFrame
    households: tuple[str, ...]
    mailed: frozenset[str]


def import_events(folder: Path, step: Step) -> Grocer:
    """Reads the Complete Journey data and writes them as bucketed Parquet.

    Args:
        folder: Of the run; the events go to `events/`.
        step: The step of the report.
    """
    with step.progress("reading the Complete Journey data") as advance:
        journey = complete_journey.load(advance)
    with step.progress("writing Parquet"):
        dataset = write_events(
            journey.events, folder / "events", zone=complete_journey.ZONE, categories=journey.categories
        )
        journey.campaigns.to_parquet(folder / "campaigns.parquet", index=False)
    events = journey.events
    mailed = events.loc[events["type"].eq("contact") & events["time"].lt(MOMENT), "customer_id"]
    households = tuple(sorted(events["customer_id"].unique(), key=int))
    step.say(
        f"The Complete Journey data: {len(households):,} households of a grocer, simulated after real ones. A purchase "
        "is a basket, a contact a mailed coupon campaign, a redemption a coupon used. Days are those of New York."
    )
    _tell_events(events, step)
    step.say(
        f"In {dataset.folder} as Parquet: {dataset.buckets} buckets by a hash of the household, sorted by household "
        f"and time, digest {dataset.digest[:12]}."
    )
    return Grocer(dataset, journey.campaigns, households, frozenset(mailed))


def build_features(grocer: Grocer, step: Step) -> FeatureFrame:
    """Computes the standard features as of the first of each month.

    Args:
        grocer: The data.
        step: The step of the report.
    """
    with step.progress("walking the histories") as advance:
        frame = build_dataset(grocer.dataset, CUTOFFS, progress=advance)
    families = STANDARD.families
    step.say(
        f"{len(STANDARD)} features in {len(families)} families, computed by one compiled kernel: here, in training and "
        f"when a decision is made. Each reads only what lay before its cutoff. Fingerprint {STANDARD.fingerprint[:12]}."
    )
    step.table(
        ("family", "features", "such as"),
        [(family, len(names), ", ".join(names[:3])) for family, names in families.items()],
        numbers=("features",),
    )
    _tell_cutoffs(frame, step)
    return frame


def _tell_events(events: pd.DataFrame, step: Step) -> None:
    local = events["time"].dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d")
    by_type = events.assign(day=local).groupby("type", observed=True)
    summary = by_type.agg(n=("day", "size"), who=("customer_id", "nunique"), first=("day", "min"), last=("day", "max"))
    by_size = summary.sort_values("n", ascending=False)
    step.table(
        ("event", "events", "households", "first", "last"),
        [(kind, int(n), int(who), first, last) for kind, n, who, first, last in by_size.itertuples()],
        numbers=("events", "households"),
    )


def _tell_cutoffs(frame: FeatureFrame, step: Step) -> None:
    def row(cutoff: datetime) -> tuple[str | int, ...]:
        known = frame.as_of == microseconds(cutoff)
        bought, mailed = frame.column("purchases_28d")[known] > 0, frame.column("contacts_28d")[known] > 0
        spend = frame.column("spend_28d")[known].mean()
        return f"{cutoff:%Y-%m-%d}", int(known.sum()), int(bought.sum()), int(mailed.sum()), f"{spend:.0f}"

    numbers = ("households", "bought in 28 days", "mailed in 28 days", "mean spend in 28 days")
    step.table(("as of", *numbers), [row(cutoff) for cutoff in CUTOFFS], numbers=numbers)
