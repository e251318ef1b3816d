"""Small generated shops whose customers have habits a model can learn."""

from pathlib import Path

import numpy as np
import pandas as pd

from tactful.features.events.dataset import EventDataset, write_events
from tactful.features.events.schema import validate

OPENED = pd.Timestamp("2024-01-01", tz="UTC")
CAMPAIGN = 30


def frame(seed: int = 0, customers: int = 300, days: int = 300) -> pd.DataFrame:
    """Purchases of customers who buy at their own rate until they leave for good; mail, and answers to it."""
    generator = np.random.default_rng(seed)
    return pd.concat([_customer(f"c{number}", generator, days) for number in range(customers)], ignore_index=True)


def campaigns(days: int = 300) -> pd.DataFrame:
    """A campaign every thirty days, of twenty days."""
    starts = [OPENED + pd.Timedelta(days=day) for day in range(CAMPAIGN, days, CAMPAIGN)]
    return pd.DataFrame(
        {
            "campaign": [str(number) for number in range(len(starts))],
            "type": ["AB"[number % 2] for number in range(len(starts))],
            "start": starts,
            "end": [start + pd.Timedelta(days=20) for start in starts],
        }
    )


def write(events: pd.DataFrame, folder: Path, zone: str = "UTC") -> EventDataset:
    """The events as a data set of three buckets."""
    checked = validate(events)
    assert checked.rejected.empty
    return write_events(checked.events, folder, zone=zone, buckets=3)


def rows(customer: str, kind: str, days: np.ndarray | list[float], subject: str = "") -> pd.DataFrame:
    """Events of one customer and type, days after the shop opened."""
    table = pd.DataFrame({"day": np.asarray(days, dtype=float)})
    seconds = (table["day"] * 86_400).round().astype("int64")
    return pd.DataFrame(
        {
            "customer_id": customer,
            "time": OPENED + pd.to_timedelta(seconds, unit="s"),
            "type": kind,
            "amount": 10.0 if kind == "purchase" else 0.0,
            "channel": "mail" if kind == "contact" else "store",
            "subject": subject,
            "event_id": [f"{customer}-{kind}-{subject}-{number}" for number in range(len(table))],
        }
    )


def _customer(name: str, generator: np.random.Generator, days: int) -> pd.DataFrame:
    rate, leaves, keen = generator.gamma(2, 0.06), generator.exponential(2.5 * days), generator.beta(1, 3)
    bought = np.cumsum(generator.exponential(1 / rate, int(3 * rate * days) + 5))
    parts = [rows(name, "purchase", [0.1, *bought[bought < min(leaves, days - 0.01)]])]
    for number, day in enumerate(range(CAMPAIGN, days, CAMPAIGN)):
        if generator.random() < 0.5:
            parts.append(rows(name, "contact", [day], str(number)))
            answers = generator.random() < (1.5 if number % 2 else 0.5) * keen and day + 12 < days
            parts.append(rows(name, "redeemed", [day + generator.uniform(1, 11)] if answers else [], str(number)))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)
