"""Do features cost little more than reading the events?

The kernel from Parquet, against a bare scan of the same columns and against DuckDB, Polars and pandas computing
the same forty features, as of one moment and of six. The log is generated, and clustered by customer as every
data set is. Each engine runs in a process of its own and is warmed up on a small log first, so that neither
imports nor compilation count. Results are compared value by value. Writes var/bench/features.json.

    python -m benchmarks.features [--full]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BENCH = Path("var/bench")
ENGINES = ("scan", "kernel", "duckdb", "polars", "pandas")
SIZES = {"small": 100_000, "default": 2_000_000, "full": 20_000_000}
EVENTS_A_CUSTOMER = 40
NAMES = (
    "days_since_purchase", "days_since_visit",
    "purchases_7d", "purchases_14d", "purchases_28d", "purchases_56d", "purchases_84d", "purchases_182d",
    "purchases_365d", "purchases_total", "purchase_days_28d", "purchase_days_84d", "purchase_days_365d", "visits_28d",
    "purchases_28d_of_84d",
    "spend_28d", "spend_84d", "spend_365d", "spend_total", "purchase_mean_365d", "purchase_std_365d",
    "purchase_max_365d", "spend_28d_of_84d",
    "gap_mean_365d", "recency_over_gap", "weekend_purchases_182d",
    "discount_84d", "discount_365d", "discount_rate_365d", "discounted_365d", "discounted_share_365d",
    "categories_28d", "categories_84d", "categories_365d",
    "contacts_28d", "contacts_365d",
    "redemptions_365d", "days_since_redemption", "redemption_rate_365d",
    "days_since_first_purchase",
)  # fmt: skip


def generate(size: int, folder: Path) -> None:
    """Writes a log of two years in which customers differ in how active they are and since when.

    Amounts are multiples of 1/64, so that sums are exact in every engine, whatever its order.
    """
    import numpy as np
    import pandas as pd

    from tactful.features.events.dataset import write_events
    from tactful.features.timestamps import DAY

    rng = np.random.default_rng(7)
    customers = size // EVENTS_A_CUSTOMER
    activity = rng.gamma(0.8, size=customers) + 0.05
    customer = np.sort(rng.choice(customers, size, p=activity / activity.sum()))
    since = rng.uniform(0, 600, customers)
    day = since[customer] + (730 - since[customer]) * rng.random(size)
    kinds = ["purchase", "view", "contact", "cart", "redeemed", "clicked", "refund"]
    kind = rng.choice(len(kinds), size, p=[0.38, 0.33, 0.16, 0.05, 0.04, 0.03, 0.01])
    amount = np.round(rng.gamma(1.5, 20, size) * 64) / 64
    paid = np.array([1, 0, 0, 0, 0, 0, -1])[kind]
    bought = kind < 2
    frame = pd.DataFrame(
        {
            "customer_id": pd.Series(np.char.mod("c%07d", np.arange(customers)), dtype="str").take(customer),
            "time": pd.to_datetime((19_700 * DAY + day * DAY).astype("int64"), unit="us", utc=True).as_unit("us"),
            "type": pd.Series(kinds, dtype="str").take(kind).to_numpy(),
            "event_id": pd.Series(np.arange(size)).astype("str").to_numpy(),
            "amount": amount * paid,
            "discount": np.where((paid > 0) & (rng.random(size) < 0.3), np.round(amount * 8) / 64, 0.0),
            "quantity": 1.0,
            "categories": np.where(bought, np.uint64(1) << rng.integers(0, 16, size, dtype=np.uint64), np.uint64(0)),
            "channel": "",
            "subject": "",
        }
    )
    write_events(frame, folder, zone="UTC", buckets=max(32, size // 125_000))


def moments(count: int) -> list[int]:
    """The end of the log and moments each 28 days before, oldest first."""
    from tactful.features.timestamps import DAY

    return [(19_700 + 730 - 28 * back) * DAY for back in reversed(range(count))]


def engine(name: str) -> Any:
    """A function (folder, moments, features) that computes, or merely reads."""
    import benchmarks._engines as others

    if name == "scan":
        return scan
    if name == "kernel":
        return kernel
    one = getattr(others, f"{name}_features")
    return lambda folder, as_of, features: [one(folder, moment, features) for moment in as_of]


def scan(folder: Path, _as_of: list[int], features: Any) -> None:
    """Reads the columns on every core and forgets them."""
    from concurrent.futures import ThreadPoolExecutor

    from benchmarks._engines import columns
    from tactful.features.events.dataset import open_events

    dataset = open_events(folder)
    names = columns(features)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sum(pool.map(lambda number: len(dataset.table(number, names)), range(dataset.buckets)))


def kernel(folder: Path, as_of: list[int], features: Any) -> Any:
    """Tactful's own."""
    from tactful.features.build import build_dataset
    from tactful.features.events.dataset import open_events

    return build_dataset(open_events(folder), as_of, features)


def run(name: str, size: str, cutoffs: int) -> dict[str, float]:
    """Measures one engine, in this process, and keeps its values for comparison."""
    from tactful.features.definitions.standard import STANDARD

    features, compute = STANDARD.subset(NAMES), engine(name)
    as_of = moments(cutoffs)
    compute(BENCH / "events-small", as_of, features)
    before, wall, cpu = peak(), time.perf_counter(), time.process_time()
    result = compute(BENCH / f"events-{size}", as_of, features)
    measured = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "megabytes": (peak() - before) / 1e6,
    }
    if result is not None:
        keep(result, as_of, features, BENCH / f"values-{name}.npy")
    return measured


def peak() -> int:
    """The most memory this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def keep(result: Any, as_of: list[int], features: Any, file: Path) -> None:
    """Saves values as (moments, customers, features), customers sorted; NaN where a customer has no row."""
    import numpy as np
    import pandas as pd

    from tactful.features.build import FeatureFrame

    def table(part: Any) -> pd.DataFrame:
        return part if isinstance(part, pd.DataFrame) else part.to_pandas()

    if isinstance(result, FeatureFrame):
        frame = pd.DataFrame(result.values, columns=features.names).assign(customer_id=result.customers)
        parts = [frame[result.as_of == moment] for moment in as_of]
    else:
        parts = [table(part) for part in result]
    indexed = [part.astype({"customer_id": "str"}).set_index("customer_id").astype("float64") for part in parts]
    everyone = indexed[-1].index.sort_values()
    np.save(file, np.stack([part.reindex(everyone)[list(features.names)].to_numpy() for part in indexed]))


def difference(name: str) -> float:
    """The largest relative difference of an engine's values to the kernel's; infinite if shapes or NaN differ."""
    import numpy as np

    ours, theirs = (np.load(BENCH / f"values-{which}.npy", mmap_mode="r") for which in ("kernel", name))
    if ours.shape != theirs.shape:
        return float("inf")
    worst = 0.0
    for one, other in zip(ours, theirs, strict=True):
        if (np.isnan(one) != np.isnan(other)).any():
            return float("inf")
        relative = np.abs(one - other) / np.maximum(1.0, np.abs(one))
        worst = max(worst, float(np.nanmax(relative)))
    return worst


def child(*arguments: str) -> Any:
    """Runs a step of this module in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.features", *arguments]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


Results = dict[str, dict[str, dict[str, float]]]


def measure(size: str) -> tuple[Results, float]:
    """The best of each engine as of one moment and of six, and the largest disagreement among them."""
    results: Results = {name: {} for name in ENGINES}
    disagreements = []
    for cutoffs in ("1", "6"):
        for name in ENGINES:
            for _ in range(1 if size == "full" and name in ENGINES[2:] else 3):
                measured = child("--step", "run", name, size, cutoffs)
                best = results[name].get(cutoffs, measured)
                results[name][cutoffs] = {key: min(best[key], measured[key]) for key in measured}
        disagreements += [child("--step", "compare", name) for name in ENGINES[2:]]
    return results, max(disagreements)


def report(size: str, results: Results, disagreement: float) -> dict[str, Any]:
    """The document: ratios by CPU seconds, which a busy machine distorts least, by wall, and all measures.

    Against another engine each is the less favourable of one moment and of six.
    """
    ours, others = results["kernel"], ENGINES[2:]

    def times(name: str, key: str) -> float:
        return min(results[name][cutoffs][key] / ours[cutoffs][key] for cutoffs in ("1", "6"))

    def ratios(clock: str) -> dict[str, float]:
        return {
            "over_scan": ours["1"][clock] / results["scan"]["1"][clock],
            "six_over_one": ours["6"][clock] / ours["1"][clock],
            **{f"over_{name}": times(name, clock) for name in others},
        }

    return {
        "events": SIZES[size],
        "customers": SIZES[size] // EVENTS_A_CUSTOMER,
        "features": len(NAMES),
        **ratios("cpu"),
        "wall": ratios("wall"),
        "memory_over_pandas": 1 / times("pandas", "megabytes"),
        "disagreement": disagreement,
        "engines": results,
    }


def show(document: dict[str, Any]) -> None:
    """Prints the measurements and the goals."""
    from rich.console import Console
    from rich.table import Table

    title = f"{document['features']} features of {document['customers']:,} customers, {document['events']:,} events"
    table = Table("engine", "moments", "seconds", "CPU seconds", "MB", title=title)
    for name in ENGINES:
        for cutoffs, best in document["engines"][name].items():
            table.add_row(name, cutoffs, *(f"{best[key]:.2f}" for key in ("wall", "cpu")), f"{best['megabytes']:,.0f}")
    goals = Table("measure", "CPU", "wall", "goal", title="Ratios, the less favourable of one moment and six")
    wanted = {"over_scan": "at most 4", "six_over_one": "at most 2"}
    for name, value in document["wall"].items():
        goals.add_row(name, f"{document[name]:.2f}", f"{value:.2f}", wanted.get(name, "more than 1"))
    goals.add_row("memory_over_pandas", f"{document['memory_over_pandas']:.2f}", "", "at most 0.33")
    goals.add_row("disagreement", f"{document['disagreement']:.1e}", "", "at most 1e-6")
    for each in (table, goals):
        Console().print(each)


def main() -> None:
    """Measures, writes var/bench/features.json and shows it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__.split("\n")[0])
    parser.add_argument("--full", action="store_true", help="20 million events of 500,000 customers")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(step(*arguments.step)))
        return
    size = "full" if arguments.full else "default"
    for each in ("small", size):
        child("--step", "generate", each)
    document = report(size, *measure(size))
    (BENCH / "features.json").write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    for values in BENCH.glob("values-*.npy"):
        values.unlink()
    show(document)
    if document["disagreement"] > 1e-6:
        raise SystemExit("the engines disagree")


def step(what: str, *arguments: str) -> Any:
    """One step, in the process it was asked for."""
    if what == "generate":
        return generate(SIZES[arguments[0]], BENCH / f"events-{arguments[0]}")
    if what == "run":
        return run(arguments[0], arguments[1], int(arguments[2]))
    return difference(arguments[0])


if __name__ == "__main__":
    main()
