"""Labels: what became of a customer after a moment, only where the log goes on long enough to tell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tactful.features.events.dataset import EventDataset
from tactful.features.events.schema import Events
from tactful.features.timestamps import DAY, EARLIEST, microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.training.data.errors import TrainingError

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Rows to learn from: who, as of when, and what happened.

    Attributes:
        customers: Ids, shape (n,) like all that follow.
        as_of: Microseconds since the epoch; features are of what came before.
        known: When the outcome was settled: it depends on nothing at or after.
        positive: The outcome.
        counted: Whether the row is one of those the score is judged by; the others are learnt from all the same.
        offers: The offers, for responses; else empty.
        left_out: Numbers of rows without a label, by reason.
    """

    customers: NDArray[np.object_]
    as_of: NDArray[np.int64]
    known: NDArray[np.int64]
    positive: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    offers: tuple[Mapping[str, float | str], ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.as_of)


@dataclass(frozen=True, slots=True)
class Span:
    """The time a log covers.

    Attributes:
        first: Moment of the first purchase, microseconds since the epoch.
        end: The moment after the last event.
    """

    first: int
    end: int

    @property
    def days(self) -> float:
        """Its length."""
        return (self.end - self.first) / DAY

    def __str__(self) -> str:
        return f"{self.days:.0f} days, {iso_date(self.first)} to {iso_date(self.end)}"


def iso_date(moment: int) -> str:
    """The UTC date of a moment in microseconds since the epoch."""
    return _local(moment, "UTC").date().isoformat()


def days_after(moment: int, days: int, zone: str) -> int:
    """The same local time so many calendar days later, whatever the clocks do in between.

    Args:
        moment: Microseconds since the epoch, like the result.
        days: May be negative.
        zone: An IANA name.

    Example:
        >>> noon = 1_500_000_000_000_000
        >>> (days_after(noon, 180, "Europe/London") - noon) / DAY
        180.04166666666666
    """
    return microseconds(_local(moment, zone) + timedelta(days=days))


def midnight(moment: int, zone: str) -> int:
    """The local midnight at or before a moment, in microseconds since the epoch."""
    return microseconds(_local(moment, zone).replace(hour=0, minute=0, second=0, microsecond=0))


def span(dataset: EventDataset) -> Span:
    """From the first purchase to the end of a log.

    Raises:
        TrainingError: The log has no purchase.
    """
    first, end = [], []
    for events in _buckets(dataset):
        bought = events.time[events.type == _code("purchase")]
        first.extend([int(bought.min())] if len(bought) else [])
        end.extend([int(events.time.max()) + 1] if len(events) else [])
    if not first:
        raise TrainingError("a log without purchases", got=f"{sum(dataset.rows)} other events", where=dataset.folder)
    return Span(min(first), max(end))


def events_of_type(dataset: EventDataset, event_type: str) -> pd.DataFrame:
    """The events of a type: `customer_id`, `time` in microseconds, `subject` and `channel`.

    Raises:
        TrainingError: There are none.
    """
    columns = ["customer_id", "time", "type", "channel", "subject"]
    tables = [dataset.table(number, columns) for number in range(dataset.buckets)]
    chosen = pa.concat_tables([table.filter(pc.equal(table["type"], _code(event_type))) for table in tables])
    if not len(chosen):
        raise TrainingError(f"a log without {event_type} events", got=0)
    return pd.DataFrame(
        {
            "customer_id": chosen["customer_id"].cast(pa.string()).to_pylist(),
            "time": chosen["time"].cast(pa.int64()).to_numpy(),
            "subject": chosen["subject"].cast(pa.string()).to_pylist(),
            "channel": np.array(CHANNELS, dtype=object)[chosen["channel"].to_numpy()],
        }
    )


def log_end(dataset: EventDataset) -> int:
    """The moment after the last event of a log, microseconds since the epoch."""
    return max(int(events.time.max()) + 1 for events in _buckets(dataset) if len(events))


def lapses(dataset: EventDataset, moments: Sequence[int], *, horizon_days: int, lookback_days: int) -> Examples:
    """The customers who had bought before a moment and did not buy in the horizon after it.

    The score is judged by those who bought in the lookback. The others are learnt from too, since a customer who has
    been away for longer is scored as well.

    Args:
        dataset: The log.
        moments: Microseconds since the epoch.
        horizon_days: A purchase within that many calendar days after the moment is no lapse.
        lookback_days: Customers with a purchase in `[moment - lookback, moment)` count.

    Returns:
        A row for each customer and moment with a purchase before.

    Raises:
        TrainingError: The log ends within a horizon: its end could not be told from a lapse.
    """
    covered = span(dataset)
    ends = [days_after(moment, horizon_days, dataset.zone) for moment in moments]
    if max(ends) > covered.end:
        short = f"{(max(ends) - covered.end) / DAY:.1f} days short"
        raise TrainingError("the log ends within the horizon", got=short, where=covered)
    customers, counts, positive, counted = [], [], [], []
    for events in _buckets(dataset):
        for moment, end in zip(moments, ends, strict=True):
            last, returned = _around(events, moment, end)
            known = last > _NEVER
            customers.append(events.customers[known])
            counts.append(int(known.sum()))
            positive.append(~returned[known])
            counted.append(last[known] >= moment - lookback_days * DAY)
    return Examples(
        customers=np.concatenate(customers),
        as_of=np.repeat(np.tile(moments, dataset.buckets), counts),
        known=np.repeat(np.tile(ends, dataset.buckets), counts),
        positive=np.concatenate(positive),
        counted=np.concatenate(counted),
    )


def responses(
    dataset: EventDataset, campaigns: pd.DataFrame | None = None, *, window_days: float | None = None
) -> Examples:
    """Which contacts were answered by a redemption of what they offered, within their window.

    A contact's window opens with it and ends with its campaign, or `window_days` later. A redemption answers
    it if it has the same subject. Contacts before the first purchase are left out, since the log does not
    know those customers yet; so are those whose window it does not cover.

    Args:
        dataset: The log.
        campaigns: Columns `campaign`, which is the subject of its contacts, `type`, and `end`, a moment.
        window_days: Instead, for logs without campaigns.

    Returns:
        A row for each contact; its offer has the `channel` and, of campaigns, the `campaign_type`.

    Raises:
        TrainingError: Not one of campaigns and window, no contacts, or no redemptions.
    """
    if (campaigns is None) == (window_days is None):
        raise TrainingError("unknown response windows", wanted="either a table of campaigns or a window in days")
    contacts, redemptions = events_of_type(dataset, "contact"), events_of_type(dataset, "redeemed")
    contacts = _with_window(contacts, window_days) if campaigns is None else _with_campaign(contacts, campaigns)
    covered = span(dataset)
    early = contacts["time"] < covered.first
    late = contacts["end"] > covered.end
    kept = contacts[~(early | late)].reset_index(drop=True)
    return Examples(
        customers=kept["customer_id"].to_numpy(dtype=object),
        as_of=kept["time"].to_numpy(),
        known=kept["end"].to_numpy(),
        positive=answered(kept, redemptions),
        counted=np.ones(len(kept), dtype=np.bool_),
        offers=_offers(kept),
        left_out={
            "before the first purchase": int(early.sum()),
            "window beyond the end of the log": int((late & ~early).sum()),
        },
    )


def answered(contacts: pd.DataFrame, answers: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each contact's customer answered on its subject, from its `time` until before its `end`, shape (n,)."""
    keys = ["customer_id", "subject"]
    pairs = contacts.reset_index(drop=True).reset_index()
    pairs = pairs.merge(answers[[*keys, "time"]], on=keys, suffixes=("", "_answered"))
    within = (pairs["time_answered"] >= pairs["time"]) & (pairs["time_answered"] < pairs["end"])
    return np.isin(np.arange(len(contacts)), pairs.loc[within, "index"].to_numpy())


def _local(moment: int, zone: str) -> datetime:
    return (EARLIEST + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))


def _code(event_type: str) -> int:
    return EVENT_TYPES.index(event_type)


def _buckets(dataset: EventDataset) -> Iterator[Events]:
    return (dataset.events(number, ["type"]) for number in range(dataset.buckets))


def _around(events: Events, moment: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Each customer's last purchase before a moment, and whether one followed before the end."""
    if not len(events):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    bought = events.type == _code("purchase")
    before = np.where(bought & (events.time < moment), events.time, _NEVER)
    after = bought & (events.time >= moment) & (events.time < end)
    starts = events.starts[:-1]
    return np.maximum.reduceat(before, starts), np.logical_or.reduceat(after, starts)


def _with_campaign(contacts: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    _check_campaigns(campaigns)
    known = pd.DataFrame(
        {
            "subject": campaigns["campaign"].astype(str),
            "campaign_type": campaigns["type"].astype(str),
            "end": campaigns["end"].dt.tz_convert("UTC").dt.as_unit("us").astype("int64"),
        }
    )
    joined = contacts.merge(known, on="subject")
    if joined.empty:
        got, wanted = sorted(set(contacts["subject"]))[:3], ", ".join(sorted(known["subject"])[:3])
        raise TrainingError("no contact of a known campaign", got=got, wanted=f"subjects such as {wanted}")
    return joined


def _check_campaigns(campaigns: pd.DataFrame) -> None:
    if missing := sorted({"campaign", "type", "end"} - set(campaigns.columns)):
        raise TrainingError("missing columns of campaigns", got=list(campaigns.columns), wanted=", ".join(missing))
    if not isinstance(campaigns["end"].dtype, pd.DatetimeTZDtype):
        raise TrainingError("unfit ends of campaigns", got=str(campaigns["end"].dtype), wanted="moments with a zone")
    if not campaigns["campaign"].is_unique:
        twice = campaigns.loc[campaigns["campaign"].duplicated(), "campaign"].iloc[0]
        raise TrainingError("two campaigns of one name", got=twice, wanted="each once")


def _with_window(contacts: pd.DataFrame, window_days: float | None) -> pd.DataFrame:
    return contacts.assign(end=contacts["time"] + round((window_days or 0.0) * DAY))


def _offers(contacts: pd.DataFrame) -> tuple[dict[str, float | str], ...]:
    names = [name for name in ("campaign_type", "channel") if name in contacts]
    return tuple(dict(zip(names, values, strict=True)) for values in contacts[names].itertuples(index=False))
