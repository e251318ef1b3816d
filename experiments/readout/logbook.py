"""The source of key figures: events, contacts and decisions, and from these one row a customer for a period."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.experiments.readout.outcomes import outcomes

RESPONSES = ("clicked", "converted", "redeemed")
CONTACTS = ("customer", "time", "programme", "message", "channel")
DECISIONS = ("customer", "time", "programme", "message", "channel")
_NAMES = dict.fromkeys(("customer", "programme", "message", "channel"), "str")
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

    @property
    def told(self) -> pd.DataFrame:
        """Events and contacts in one frame, as far as readouts read it; the subject of a contact is its message."""
        columns = ["customer_id", "time", "type", "amount", "subject"]
        contacts = self.contacts.assign(customer_id=self.contacts["customer"], type="contact", amount=0.0)
        contacts = contacts.rename(columns={"message": "subject"})
        return pd.concat([self.events[columns], contacts[columns]], ignore_index=True)

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
        `customer` and `cohort` (the month first heard of), the columns of `tactful.experiments.readout.outcomes`
        counted in the period, and `customers` (1), `weeks` (known in it), `repeated` (bought twice in it), `active`
        (bought in as long a time before it), `retained` (both), `answered` (contacts), `decisions` and `silences`.
    """
    known = log.first
    known = known[known < pd.Timestamp(until)]
    length = until - since
    enrolled = pd.DataFrame({"customer": known.index.to_numpy(), "entered": pd.Timestamp(since)})
    table = outcomes(log.told, enrolled, until, before=length)
    row = pd.Index(table["customer"])
    answers = contacts_with_answers(log, since, until)
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
        answered=_counts(answers["customer"][answers["answered"] > 0], row),
    )


def contacts_with_answers(log: Logbook, since: datetime, until: datetime) -> pd.DataFrame:
    """The contacts of a period, and whether each was answered and made the customer leave.

    An outcome belongs to the customer's latest contact before it with its message, within 28 days; a click or an
    unsubscribe that names a channel, to the latest on that channel. A coupon may be redeemed wherever.

    Returns:
        `customer`, `programme`, `channel`, `contacts` (1), `answered` and `left` (0 or 1), one row a contact.
    """
    made = log.contacts[_within(log.contacts["time"], since, until)].sort_values("time", kind="stable")
    made = made.astype(_NAMES).assign(time=made["time"].dt.as_unit("us"))
    made = made.reset_index(drop=True).rename_axis("contact").reset_index()
    told = log.events[log.events["type"].isin([*RESPONSES, "unsubscribed"])]
    told = told[told["time"] < pd.Timestamp(until)].sort_values("time", kind="stable")
    outcome = pd.DataFrame(
        {
            "customer": told["customer_id"].astype("str"),
            "message": told["subject"].astype("str"),
            "channel": told["channel"].astype("str"),
            "time": told["time"].dt.as_unit("us"),
            "left": told["type"] == "unsubscribed",
        }
    )
    named = (outcome["channel"] != "") & told["type"].isin(["clicked", "unsubscribed"])
    of = pd.concat(
        [
            _latest(outcome[named], made, ["customer", "message", "channel"]),
            _latest(outcome[~named].drop(columns="channel"), made, ["customer", "message"]),
        ]
    )
    answered, left = (set(of.loc[of["left"] == gone, "contact"].astype(int)) for gone in (False, True))
    columns = made[["customer", "programme", "channel"]]
    return columns.assign(
        contacts=1.0,
        answered=made["contact"].isin(answered).astype(np.float64),
        left=made["contact"].isin(left).astype(np.float64),
    )


def _latest(outcome: pd.DataFrame, made: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Each outcome with the latest contact before it that agrees on some columns; those without one are left out."""
    contacts = made[[*keys, "time", "contact"]]
    within = pd.Timedelta(days=28)
    return pd.merge_asof(outcome, contacts, on="time", by=keys, tolerance=within).dropna(subset=["contact"])


def _within(times: "pd.Series[Any]", since: datetime, until: datetime) -> "pd.Series[bool]":
    return (times >= pd.Timestamp(since)) & (times < pd.Timestamp(until))


def _counts(customers: "pd.Series[str]", row: "pd.Index[str]") -> NDArray[np.float64]:
    return np.asarray(np.bincount(row.get_indexer(pd.Index(customers)), minlength=len(row)), dtype=np.float64)
