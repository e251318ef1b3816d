"""Are the learned scores better than what a good analyst would write down in an hour?

Lapse of the Complete Journey's households over 28 days and of CDNOW's customers over 90, and the bank's calls in the
order they were made, each beside its baselines from the same run, with 95 % intervals. CDNOW and the bank's calls are
read from ../shared/data and left out, with the reason, where they are absent. Writes var/bench/learning.json.

    python -m benchmarks.learning
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks._bank import as_events, rolling
from tactful.features.events import complete_journey
from tactful.features.events.dataset import EventDataset, write_events
from tactful.features.events.schema import validate
from tactful.features.timestamps import microseconds
from tactful.models.base.metrics import Outcomes
from tactful.training.data.labels import days_after
from tactful.training.fit.baselines import GAPS_AND_WINDOWS, Logit
from tactful.training.fit.drift import rate_drifts
from tactful.training.fit.evaluation import TestRows, evaluate
from tactful.training.jobs import lapse
from tactful.training.monitor import answered_contacts, mean_by_customer

BENCH = Path("var/bench")
DATA = Path("../shared/data")
CDNOW = DATA / "cdnow" / "CDNOW_master.txt"
BANK = DATA / "bank_marketing" / "bank-additional-full.csv.gz"
BARS: dict[str, dict[str, float]] = {
    "lapse28": {"auc": 0.888, "log_loss": 0.301, "ece": 0.015},
    "cdnow90": {"auc": 0.8395, "log_loss": 0.298},
    "bank": {},
}


def main() -> None:
    """Runs every benchmark whose data are there, and shows what was found beside the bars."""
    found: dict[str, Any] = {"lapse28": lapse28()}
    for name, file, measured in (("cdnow90", CDNOW, cdnow90), ("bank", BANK, bank)):
        found[name] = measured() if file.is_file() else {"skipped": f"no {file}"}
    BENCH.mkdir(parents=True, exist_ok=True)
    (BENCH / "learning.json").write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    _show(found)


def lapse28() -> dict[str, Any]:
    """All households with a purchase before 2017-11-16, learnt from seven snapshots each 28 days before."""
    journey = complete_journey.load()
    with tempfile.TemporaryDirectory() as scratch:
        dataset = write_events(
            journey.events, Path(scratch) / "events", zone=complete_journey.ZONE, categories=journey.categories
        )
        test = microseconds(datetime(2017, 11, 16, tzinfo=ZoneInfo(dataset.zone)))
        return _lapse(dataset, [days_after(test, -28 * back, dataset.zone) for back in range(7, -1, -1)], 28)


def cdnow90() -> dict[str, Any]:
    """All customers of CDNOW's cohort as of 1998-04-01, learnt from three snapshots of 1997."""
    table = pd.read_csv(
        CDNOW,
        sep=r"\s+",
        header=0,
        names=["customer_id", "date", "quantity", "amount"],
        dtype={"customer_id": str, "date": str},
    )
    events = table.assign(
        type="purchase", event_id=np.arange(len(table)).astype(str), time=pd.to_datetime(table["date"], format="%Y%m%d")
    )
    events["time"] = events["time"].dt.tz_localize("UTC") + pd.Timedelta(hours=12)
    with tempfile.TemporaryDirectory() as scratch:
        dataset = write_events(validate(events.drop(columns="date")).events, Path(scratch) / "events", zone="UTC")
        dates = ((1997, 6, 30), (1997, 9, 30), (1997, 12, 31), (1998, 4, 1))
        return _lapse(dataset, [microseconds(datetime(*date, tzinfo=ZoneInfo("UTC"))) for date in dates], 90)


def bank() -> dict[str, Any]:
    """Calls in the order they were made, scored in blocks by models of the calls answered before."""
    calls = pd.read_csv(BANK, sep=";")
    scored = rolling(calls)
    outcomes = Outcomes.of(scored.positive, np.arange(len(scored.positive)))
    metrics = evaluate(
        TestRows(
            outcomes,
            scored.trees,
            {"logit": scored.logit, "logit_recent": scored.logit_recent},
            np.empty((len(scored.trees), 0)),
        )
    )
    losses = [baseline["log_loss"] for baseline in metrics["baselines"].values()]
    return {
        **metrics,
        "logit_log_loss": min(losses, key=lambda loss: loss["value"]),
        "blocks": scored.blocks,
        "base_rate": bank_drift(calls),
    }


def bank_drift(calls: pd.DataFrame) -> list[dict[str, Any]]:
    """How often calls ended in a yes, each quarter against the one before, as `tactful monitor` compares responses.

    The calls stay in var/bench/bank, a folder of events that `tactful monitor --events` reads.
    """
    dataset = write_events(validate(as_events(calls)).events, BENCH / "bank", zone="UTC")
    contacts = answered_contacts(dataset, 1)
    quarter = pd.to_datetime(contacts["time"], unit="us").dt.to_period("Q")
    shares = {str(name): mean_by_customer(rows) for name, rows in contacts.groupby(quarter)}
    changes = {now: (shares[then], shares[now]) for then, now in pairwise(shares)}
    return [{**asdict(change), "alert": change.alert} for change in rate_drifts(changes)]


def _lapse(dataset: EventDataset, moments: Sequence[int], horizon_days: int) -> dict[str, Any]:
    logit = {"rfm_gaps_windows": Logit(GAPS_AND_WINDOWS)}
    result = lapse.train(dataset, horizon_days=horizon_days, lookback_days=None, moments=moments, rivals=logit)
    return {**result.metrics, "customers_before_the_test": len(result.test.probability)}


def _show(found: dict[str, Any]) -> None:
    for name, metrics in found.items():
        if "skipped" in metrics:
            Console().print(f"{name}: skipped, {metrics['skipped']}")
            continue
        table = Table("", "AUC", "log-loss", "calibration error", title=f"{name}: {metrics['n']:,} rows")
        for model, values in {"the model": metrics, **metrics["baselines"]}.items():
            table.add_row(model, *(_interval(values[measure]) for measure in ("auc", "log_loss", "ece")))
        bars = BARS[name]
        table.add_row("wanted", *(_bar(measure, bars.get(measure)) for measure in ("auc", "log_loss", "ece")))
        Console().print(table)
        for baseline, values in metrics["baselines"].items():
            Console().print(f"  better than {baseline} in log-loss by {_interval(values['log_loss_gain'])}")
        for change in metrics.get("base_rate", ()):
            alert = ", alert" if change["alert"] else ""
            Console().print(
                "  {name}: base rate {after:.1%}, a change of {low:+.1%} to {high:+.1%}".format(**change) + alert
            )


def _bar(measure: str, bar: float | None) -> str:
    return "" if bar is None else f"at {'least' if measure == 'auc' else 'most'} {bar}"


def _interval(estimate: dict[str, float]) -> str:
    return "{value:.4f} ({low:.4f} to {high:.4f})".format(**estimate)


if __name__ == "__main__":
    main()
