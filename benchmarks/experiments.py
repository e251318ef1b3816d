"""How often does a readout err, and does an experiment find what it was sized to find?

A thousand trials without an effect, looked at once and every day; a thousand with one, for coverage and power, of the
size that the plan asked for; a thousand pairs of arms with few orders; and the published ASOS comparisons, where they
are. Writes var/bench/experiments.json.

    python -m benchmarks.experiments
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from tactful.experiments.base.metrics import METRICS
from tactful.experiments.design.declaration import Experiment
from tactful.experiments.readout.effects import Effect, compare, sample_ratio
from tactful.experiments.readout.outcomes import outcomes
from tactful.experiments.readout.power import plan
from tactful.experiments.readout.sequential import always_valid, tuned_to
from tactful.features.array_types import Floats
from tactful.features.timestamps import DAY, microseconds
from tests.experiments.asos import COMPARISON, FILE, comparisons, crossings
from tests.experiments.few import VALUE, arm
from tests.experiments.trials import START, Trial, trial, truth

BENCH = Path("var/bench")
RUNS, CUSTOMERS, DAYS, FIRST_LOOK = 1_000, 2_000, 28, 2
POPULATION = 20_000
REVENUE = METRICS["revenue_per_customer"]
ORDERS = ((10, 10), (10, 50), (20, 100), (50, 50), (20, 1_000))
"""Numbers of orders in two arms that are alike."""

PLANNED = Experiment.model_validate(
    {
        "id": "planned",
        "salt": "planned",
        "space": [0, CUSTOMERS / POPULATION],
        "arms": [
            {"id": "control", "kind": "current", "share": 0.5},
            {"id": "treatment", "kind": "random", "share": 0.5},
        ],
        "primary": {"metric": "revenue_per_customer", "minimum_effect": 0.2},
    }
)


def main() -> None:
    """Runs every study, and shows what was found."""
    same = [trial(seed, CUSTOMERS) for seed in range(RUNS)]
    log = trial(3 * RUNS, POPULATION)
    (horizon,) = plan(PLANNED, log.events, log.enrolled["customer"].tolist(), log.until, weeks=[4])
    lift = horizon.one_look
    changed = [trial(RUNS + seed, CUSTOMERS, lift=lift) for seed in range(RUNS)]
    result: dict[str, Any] = {
        "runs": RUNS,
        "customers": CUSTOMERS,
        **_without_effect(same),
        **_with_effect(changed, truth(lift)),
        **{f"aa_false_positive_of_{few}_and_{many}_orders": _few_orders(few, many) for few, many in ORDERS},
        "power_planned": PLANNED.power,
        "effect_planned": lift,
        "asos": _asos(),
    }
    BENCH.mkdir(parents=True, exist_ok=True)
    (BENCH / "experiments.json").write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    _show(result)


def _without_effect(trials: Sequence[Trial]) -> dict[str, float]:
    once = [_effect(made) for made in trials]
    looked = [_looks(made) for made in trials]
    fixed = [np.abs(difference / error) > 1.96 for difference, error in looked]
    return {
        "aa_false_positive": float(np.mean([effect.pvalue < 0.05 for effect in once])),
        "aa_false_positive_peeking": float(np.mean([_claims(*look) for look in looked])),
        "aa_false_positive_peeking_one_look": float(np.mean([crossed.any() for crossed in fixed])),
        "sample_ratio_false_alarms": float(np.mean([not _ratio(made) for made in trials])),
    }


def _with_effect(trials: Sequence[Trial], value: float) -> dict[str, float]:
    once = [_effect(made) for made in trials]
    plain = [_effect(made, covariate=False) for made in trials]
    looked = [_looks(made) for made in trials]
    return {
        "coverage": _coverage(once, value),
        "coverage_without_covariate": _coverage(plain, value),
        "coverage_always_valid": float(np.mean([_holds(*look, value) for look in looked])),
        "bias": float(np.mean([effect.difference for effect in once]) / value - 1),
        "power_reached": float(np.mean([effect.pvalue < 0.05 for effect in once])),
        "power_always_valid": float(np.mean([_claims(*look) for look in looked])),
        "variance_saved": float(1 - np.mean([(a.error / b.error) ** 2 for a, b in zip(once, plain, strict=True)])),
    }


def _few_orders(few: int, many: int) -> float:
    """How often a look at skewed order values claims a difference between alike arms of so many orders."""
    rng = np.random.default_rng([few, many])
    arms = ([arm(rng, orders, customers=2 * many) for orders in (few, many)] for _ in range(RUNS))
    return float(np.mean([compare(small, large, VALUE).pvalue < 0.05 for small, large in arms]))


def _effect(made: Trial, *, covariate: bool = True) -> Effect:
    table = outcomes(made.events, made.enrolled, made.until)
    control, treatment = (table[table["arm"] == arm] for arm in ("control", "treatment"))
    return compare(control, treatment, REVENUE, covariate=covariate)


def _coverage(effects: Sequence[Effect], value: float) -> float:
    return float(np.mean([effect.low <= value <= effect.high for effect in effects]))


def _looks(made: Trial) -> tuple[Floats, Floats]:
    """The difference of revenue per customer and its error at the end of each day, without a covariate."""
    day = (made.events["time"].dt.as_unit("us").astype("int64").to_numpy() - microseconds(START)) // DAY
    row = pd.Index(made.enrolled["customer"]).get_indexer(pd.Index(made.events["customer_id"]))
    after = day >= 0
    n = len(made.enrolled)
    amount = made.events["amount"].to_numpy(dtype=np.float64)[after]
    spent = np.bincount(row[after] * DAYS + day[after], amount, n * DAYS).reshape(n, DAYS).cumsum(axis=1)
    treated = (made.enrolled["arm"] == "treatment").to_numpy()
    control, treatment = spent[~treated], spent[treated]
    difference = treatment.mean(axis=0) - control.mean(axis=0)
    error = np.sqrt(treatment.var(axis=0, ddof=1) / len(treatment) + control.var(axis=0, ddof=1) / len(control))
    return difference[FIRST_LOOK:], error[FIRST_LOOK:]


def _claims(difference: Floats, error: Floats) -> bool:
    """Whether an always-valid test that is looked at every day ever claims an effect."""
    return bool(always_valid(difference, error, tuned_to(float(error[-1]))).pvalue[-1] < 0.05)


def _holds(difference: Floats, error: Floats, value: float) -> bool:
    """Whether every always-valid interval holds the truth, which grows with the days."""
    truths = value * (FIRST_LOOK + 1 + np.arange(len(difference))) / DAYS
    found = always_valid(difference, error, tuned_to(float(error[-1])))
    return bool(((found.low <= truths) & (truths <= found.high)).all())


def _ratio(made: Trial) -> bool:
    counts = {str(arm): int(count) for arm, count in made.enrolled["arm"].value_counts().items()}
    return sample_ratio(counts, dict.fromkeys(counts, 0.5)).passed


def _asos() -> dict[str, int] | None:
    """The published comparisons, or None where they are not at hand."""
    if not FILE.exists():
        return None
    rows = comparisons()
    found = crossings(rows)
    sizes = rows.groupby(COMPARISON).tail(1)[["count_c", "count_t"]].astype(int)
    shares = {"count_c": 0.5, "count_t": 0.5}
    return {
        "comparisons": len(found),
        "srm_failures": sum(not sample_ratio(row, shares).passed for row in sizes.to_dict("records")),  # type: ignore[arg-type]
        "cross_end": sum(one.at_the_end for one in found),
        "cross_ever": sum(one.ever for one in found),
        "cross_ever_always_valid": sum(one.ever_valid for one in found),
    }


def _show(result: dict[str, Any]) -> None:
    table = Table("", "share", title=f"{RUNS:,} trials of {CUSTOMERS:,} customers over {DAYS} days")
    for name, value in result.items():
        if isinstance(value, float):
            table.add_row(name.replace("_", " "), f"{value:.1%}")
    Console().print(table)
    if result["asos"]:
        Console().print(result["asos"])


if __name__ == "__main__":
    main()
