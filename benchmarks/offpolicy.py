"""Do off-policy intervals hold the truth as often as they say, and how thin may support be?

Logs are simulated in a shop whose every policy has a known value, with ever less chance in the logged choices. Each
estimator is asked whatever the support, and how many logs would have been refused is told beside. Writes
var/bench/offpolicy.json.

    python -m benchmarks.offpolicy
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tactful.experiments.offpolicy.estimators import Estimate, direct, doubly_robust, ips, snips, switch_dr
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.predictions import cross_fitted
from tactful.experiments.offpolicy.support import support
from tests.experiments.gated import FITTED, MISTAKEN, simulated, truth

BENCH = Path("var/bench")
LOGS, CUSTOMERS = 1000, 400
WORLDS = {
    "explored": (0.25, 2.0),
    "thin": (0.1, 8.0),
    "thinner": (0.05, 8.0),
    "all but greedy": (0.02, 8.0),
}
"""Floor and sharpness of the probabilities by which it was chosen."""


def main() -> None:
    """Runs every world, and shows what was found."""
    result = {name: measured(*chance) for name, chance in WORLDS.items()}
    BENCH.mkdir(parents=True, exist_ok=True)
    (BENCH / "offpolicy.json").write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    _show(result)


def measured(floor: float, sharpness: float) -> dict[str, Any]:
    """Medians of the support, the share of logs refused, and of each estimator bias, error and coverage."""
    logs = [simulated(seed, CUSTOMERS, floor, sharpness) for seed in range(LOGS)]
    found = [support(log) for log, _ in logs]
    value = truth()
    estimates = [_estimates(log, segment) for log, segment in logs]
    return {
        "decisions": float(np.median([s.n for s in found])),
        "effective": float(np.median([s.effective for s in found])),
        "effective_customers": float(np.median([s.effective_customers for s in found])),
        "largest_weight": float(np.median([s.largest_weight for s in found])),
        "refused": float(np.mean([s.refusal() is not None for s in found])),
        "estimators": {name: _told([e[name] for e in estimates], value) for name in estimates[0]},
    }


def _estimates(log: Log, segment: NDArray[np.int64]) -> dict[str, Estimate]:
    fitted, mistaken = FITTED[segment], MISTAKEN[segment]
    own = cross_fitted(log, np.eye(3)[segment])
    return {
        "ips": ips(log, wanted=None),
        "snips": snips(log, wanted=None),
        "direct": direct(log, fitted, wanted=None),
        "direct, mistaken": direct(log, mistaken, wanted=None),
        "doubly robust": doubly_robust(log, fitted, wanted=None),
        "doubly robust, mistaken": doubly_robust(log, mistaken, wanted=None),
        "doubly robust, cross-fitted": doubly_robust(log, own, wanted=None),
        "switch-dr": switch_dr(log, fitted, wanted=None),
        "switch-dr, cross-fitted": switch_dr(log, own, wanted=None),
    }


def _told(estimates: list[Estimate], value: float) -> dict[str, float]:
    errors = np.array([estimate.value for estimate in estimates]) - value
    return {
        "bias": float(errors.mean()),
        "rmse": float(np.sqrt(np.square(errors).mean())),
        "coverage": float(np.mean([estimate.low <= value <= estimate.high for estimate in estimates])),
    }


def _show(result: dict[str, Any]) -> None:
    table = Table("", *result, title=f"bias / root mean squared error / coverage over {LOGS:,} logs")
    for row in ("decisions", "effective", "effective_customers", "largest_weight"):
        table.add_row(row.replace("_", " "), *(f"{world[row]:,.0f}" for world in result.values()))
    table.add_row("refused", *(f"{world['refused']:.0%}" for world in result.values()))
    for name in next(iter(result.values()))["estimators"]:
        told = [world["estimators"][name] for world in result.values()]
        table.add_row(name, *(f"{t['bias']:+.3f} / {t['rmse']:.3f} / {t['coverage']:.1%}" for t in told))
    Console().print(table)


if __name__ == "__main__":
    main()
