"""What key figures are counted from: events, contacts and decisions, and from these one row a customer for a period."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.outcomes import outcomes

RESPONSES = ("clicked", "converted", "redeemed")
CONTACTS = ("customer", "time", "programme", "message", "channel")
DECISIONS = ("customer", "time", "programme", "message", "channel")
UNKNOWN = "(unknown)"
"""The programme of a contact that was made outside the catalogue."""


def _nothing(*columns: str) -> pd.DataFrame:
    empty = pd.DataFrame({column: pd.Series(dtype="str") for column in columns})
    return empty.assign(time=pd.Series(dtype="datetime64[us, UTC]"))


@dataclass(frozen=True, eq=False)
class Logbook:
    """The log of a time.

    Attributes:
        events: Canonical events, without contacts.
        contacts: Contacts made: `customer`, `time`, `programme`, `message`, `channel`.
        decisions: Decisions made: the same columns, empty texts for silence; none where they are not known.
        currency: Of amounts.
    """

    events: pd.DataFrame
    contacts: pd.DataFrame
    decisions: pd.DataFrame = field(default_factory=lambda: _nothing(*DECISIONS))
    currency: str = ""

    @classmethod
    def of_events(cls, events: pd.DataFrame, programmes: dict[str, str] | None = None, currency: str = "") -> "Logbook":
        """A log that holds contacts as events, of which the subject is the message.

        Args:
            events: Canonical events.
            programmes: The programme of each message.
            currency: Of amounts.
        """
        made = events[events["type"] == "contact"]
        contacts = pd.DataFrame(
            {
                "customer": made["customer_id"].astype("str"),
                "time": made["time"],
                "programme": [(programmes or {}).get(message, UNKNOWN) for message in made["subject"]],
                "message": made["subject"].astype("str"),
                "channel": made["channel"].astype("str"),
            }
        )
        return cls(events[events["type"] != "contact"], contacts.reset_index(drop=True), currency=currency)

    @property
    def first(self) -> "pd.Series[pd.Timestamp]":
        """When each customer was first heard of, by id."""
        told = pd.concat(
            [
                self.events[["customer_id", "time"]].set_axis(["customer", "time"], axis=1),
                self.contacts[["customer", "time"]],
                self.decisions[["customer", "time"]],
            ]
        )
        found: pd.Series[pd.Timestamp] = told.groupby("customer")["time"].min()
        return found

    def until(self, moment: datetime) -> "Logbook":
        """The log as it was at a moment."""
        at = pd.Timestamp(moment)
        parts = {name: getattr(self, name) for name in ("events", "contacts", "decisions")}
        return replace(self, **{name: part[part["time"] < at] for name, part in parts.items()})


def period(log: Logbook, since: datetime, until: datetime) -> pd.DataFrame:
    """One row for each customer known before the end of a period, with what they did in it.

    Args:
        log: The log.
        since: The period's first moment.
        until: Its end.

    Returns:
        `customer` and `cohort` (the month first heard of), the columns of `experiments.outcomes` counted in the
        period, and `customers` (1), `weeks` (known in it), `repeated` (bought twice in it), `active` (bought in as long
        a time before it), `retained` (both), `decisions` and `silences`.
    """
    known = log.first
    known = known[known < pd.Timestamp(until)]
    length = until - since
    enrolled = pd.DataFrame({"customer": known.index.to_numpy(), "entered": pd.Timestamp(since)})
    table = outcomes(_with_contacts(log), enrolled, until, before=length)
    row = pd.Index(table["customer"])
    weeks = (pd.Timestamp(until) - known.where(known > pd.Timestamp(since), pd.Timestamp(since))) / pd.Timedelta(
        weeks=1
    )
    decided = log.decisions[_within(log.decisions["time"], since, until)]
    silent = decided[decided["message"] == ""]
    active = table["before_converted"]
    return table.assign(
        customers=1.0,
        cohort=known.dt.strftime("%Y-%m").to_numpy(),
        weeks=weeks.to_numpy(dtype=np.float64),
        repeated=(table["orders"] >= 2).astype(np.float64),
        active=active,
        retained=active * table["converted"],
        decisions=_counts(decided["customer"], row),
        silences=_counts(silent["customer"], row),
    )


def by_programme(log: Logbook, since: datetime, until: datetime) -> pd.DataFrame:
    """One row for each customer, programme and channel of a contact: contacts, responses and unsubscribes.

    An outcome belongs to the customer's latest contact before it with its message and channel, within 28 days.

    Returns:
        `customer`, `programme`, `channel`, `contacts`, `responses`, `unsubscribes`.
    """
    made = log.contacts[_within(log.contacts["time"], since, until)].sort_values("time", kind="stable")
    made = made.reset_index(drop=True).rename_axis("contact").reset_index()
    kinds = log.events[log.events["type"].isin([*RESPONSES, "unsubscribed"])]
    answers = pd.DataFrame(
        {
            "customer": kinds["customer_id"].astype("str"),
            "message": kinds["subject"].astype("str"),
            "channel": kinds["channel"].astype("str"),
            "answered": kinds["time"],
            "left": kinds["type"] == "unsubscribed",
        }
    ).sort_values("answered", kind="stable")
    keys = ["customer", "message", "channel"]
    of = pd.merge_asof(
        answers,
        made[[*keys, "time", "contact"]],
        left_on="answered",
        right_on="time",
        by=keys,
        tolerance=pd.Timedelta(days=28),
    ).dropna(subset=["contact"])
    responded = set(of.loc[~of["left"], "contact"].astype(int))
    left = set(of.loc[of["left"], "contact"].astype(int))
    counted = made.assign(
        contacts=1.0,
        responses=made["contact"].isin(responded).astype(np.float64),
        unsubscribes=made["contact"].isin(left).astype(np.float64),
    )
    sums = counted.groupby(["customer", "programme", "channel"])[["contacts", "responses", "unsubscribes"]].sum()
    return sums.reset_index()


def _with_contacts(log: Logbook) -> pd.DataFrame:
    """Events and contacts in one frame, as far as outcomes read it."""
    columns = ["customer_id", "time", "type", "amount", "subject"]
    contacts = log.contacts.assign(customer_id=log.contacts["customer"], type="contact", amount=0.0, subject="")
    return pd.concat([log.events[columns], contacts[columns]], ignore_index=True)


def _within(times: "pd.Series[Any]", since: datetime, until: datetime) -> "pd.Series[bool]":
    return (times >= pd.Timestamp(since)) & (times < pd.Timestamp(until))


def _counts(customers: "pd.Series[str]", row: "pd.Index[str]") -> NDArray[np.float64]:
    return np.asarray(np.bincount(row.get_indexer(pd.Index(customers)), minlength=len(row)), dtype=np.float64)
