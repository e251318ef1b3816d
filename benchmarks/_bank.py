"""The bank's calls in the order they were made, and two models that only ever know the answers of earlier calls.

A block of calls is scored by models fitted to the calls before it, less the latest `LAG`, whose answers count as not
yet known. What the log said lately stands in the rows themselves, with the same lag: the share of yes among the
latest known answers, since the base rate drifts from 5 to 45 percent. Both models read the same columns; the
duration of a call, which is known after it, is none of them.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tactful.features.array_types import Floats
from tactful.models.base.gbm import Parameters, fit

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
BEGAN = 2008
FIRST, BLOCK, LAG = 8_000, 2_000, 500
HALF_LIFE = 4_000
RECENT = (500, 2_000)
NUMBERS = ("age", "campaign", "previous", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed")
CATEGORIES = (
    "job", "marital", "education", "default", "housing", "loan", "contact", "poutcome", "day_of_week", "month",
)  # fmt: skip
TREES = Parameters(rounds=150, leaves=7, column_sample=0.4)


class Scored(NamedTuple):
    """Calls from `FIRST` on, in order.

    Attributes:
        positive: Whether they ended in a yes, shape (n,).
        trees: The prediction of boosted trees then.
        logit: The prediction of a logistic regression on the same columns.
        logit_recent: Its prediction where a call counts half for every `HALF_LIFE` calls that it lies back.
        blocks: How often both were fitted.
    """

    positive: NDArray[np.bool_]
    trees: Floats
    logit: Floats
    logit_recent: Floats
    blocks: int


def rolling(calls: pd.DataFrame) -> Scored:
    """Scores each block of calls by models of the calls before it.

    Args:
        calls: The data set's rows in order; `y` is the answer.
    """
    positive = calls["y"].eq("yes").to_numpy()
    numbers = np.column_stack([_numbers(calls), *(_recent(positive, length) for length in RECENT)])
    codes = np.column_stack([calls[name].astype("category").cat.codes.to_numpy() for name in CATEGORIES])
    indicators = pd.get_dummies(calls[list(CATEGORIES)]).to_numpy(np.float64)
    names = [f"n{number}" for number in range(numbers.shape[1])] + list(CATEGORIES)
    said = {model: np.full(len(calls), np.nan) for model in ("trees", "logit", "logit_recent")}
    starts = range(FIRST, len(calls), BLOCK)
    for start in starts:
        known, block = slice(0, start - LAG), slice(start, start + BLOCK)
        design, rows = np.hstack([numbers, indicators]), np.hstack([numbers, codes])
        weight = 0.5 ** (np.arange(start - LAG)[::-1] / HALF_LIFE)
        said["trees"][block] = fit(rows[known], positive[known], names, TREES, categorical=CATEGORIES).predict(
            rows[block]
        )
        said["logit"][block] = _logit(design[known], positive[known], design[block], None)
        said["logit_recent"][block] = _logit(design[known], positive[known], design[block], weight)
    tested = slice(FIRST, len(calls))
    return Scored(positive[tested], **{model: values[tested] for model, values in said.items()}, blocks=len(starts))


def as_events(calls: pd.DataFrame) -> pd.DataFrame:
    """The calls as contacts, and each yes as a conversion at the moment of its call.

    The file has the month of a call and the order of all, no date and no customer. The first month is May 2008, and the
    year is the next where a month comes before the one above it. Within their month, calls are placed at equal
    distances, which is our assumption; each call is taken as one customer's.

    Args:
        calls: The data set's rows in order.

    Returns:
        Events as `tactful.features.events.schema.validate` reads them.
    """
    month = calls["month"].map(MONTHS.index).to_numpy()
    begins = 12 * np.cumsum(np.diff(month, prepend=month[0]) < 0) + month
    starts = pd.date_range(f"{BEGAN}-01-01", periods=int(begins.max()) + 2, freq="MS", tz="UTC")
    place = calls.groupby(begins).cumcount().to_numpy() + 0.5
    size = pd.Series(begins).map(pd.Series(begins).value_counts()).to_numpy()
    time = starts[begins] + (starts[begins + 1] - starts[begins]) * (place / size)
    number = calls.index.astype(str)
    contacts = pd.DataFrame({"customer_id": number, "time": time.floor("s"), "type": "contact", "channel": "call"})
    answers = contacts[calls["y"].eq("yes").to_numpy()].assign(type="converted")
    events = pd.concat([contacts, answers], ignore_index=True).assign(subject="deposit")
    return events.assign(event_id=events["type"] + "-" + events["customer_id"])


def _numbers(calls: pd.DataFrame) -> Floats:
    numbers = calls[list(NUMBERS)].assign(campaign=np.log(calls["campaign"]), called_before=calls["pdays"] < 999)
    return numbers.to_numpy(np.float64)


def _recent(positive: NDArray[np.bool_], length: int) -> Floats:
    """Log-odds of yes among the latest known answers at each call, drawn a little towards one in ten."""
    so_far = np.concatenate([[0], np.cumsum(positive)])
    end = np.maximum(np.arange(len(positive)) - LAG, 0)
    begin = np.maximum(end - length, 0)
    share = (so_far[end] - so_far[begin] + 1) / (end - begin + 10)
    return np.asarray(np.log(share / (1 - share)))


def _logit(known: Floats, positive: NDArray[np.bool_], block: Floats, weight: Floats | None) -> Floats:
    """A ridge logistic regression; columns are bounded at ten standard deviations, since economic ones wander off."""
    scaler = StandardScaler().fit(known)
    model = LogisticRegression(C=0.1, max_iter=500).fit(scaler.transform(known), positive, sample_weight=weight)
    return np.asarray(model.predict_proba(np.clip(scaler.transform(block), -10, 10))[:, 1])
