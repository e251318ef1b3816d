"""What does a decision cost beside the scoring it cannot do without?

The retail catalogue, generated customers with about 300 events each, and two real LightGBM models of 200 trees with 31
leaves: the lapse risk of each customer, and a response to each action that survives the gates. Decisions are made one
at a time and in chunks of 1,000, and timed by stage; the floor is LightGBM's scoring of the same rows, in the same
batches, in the same run. As in the service, what stays is out of the garbage collector's sight.
Writes var/bench/decide.json.

    python -m benchmarks.decide
"""

import gc
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._retailer import MOMENT, models, retail
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import Request, Scorer, decide
from tactful.decisions.kernel.evaluation import Evaluation
from tactful.decisions.kernel.gates import judged, openings
from tactful.experiments.samples.customers import Customers, generate
from tactful.experiments.samples.requests import requests
from tactful.features.build import build_one
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.history import history
from tactful.features.kernel.program import compile_features
from tactful.models.bundles.bundle import Bundle

BENCH = Path("var/bench")
CUSTOMERS, EVENTS, CHUNK = 2_000, 300, 1_000
REPEATS = 5


def microseconds(work: Callable[[], object], count: int) -> float:
    """Microseconds of this process's CPU a decision, the best of some repeats: others share the machine."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best / count * 1e6


def scored_rows(asked: Sequence[Request], compiled: CompiledCatalogue, bundle: Bundle) -> list[tuple[Any, list[Any]]]:
    """The rows that each decision scores: its customer's, and an offer for each survivor."""
    by_action = {rule.action.id: rule.offer for rule in compiled.rules}
    made = decide(asked, compiled, compiled.catalogue.policy, bundle)
    return [
        (
            np.array([request.snapshot.features], dtype=np.float64)[:, : compiled.scored],
            [by_action[candidate.action.id] for candidate in decision.survivors],
        )
        for request, decision in zip(asked, made, strict=True)
    ]


def score_one_by_one(rows: Sequence[tuple[Any, list[Any]]], bundle: Scorer) -> None:
    """The floor of single decisions: one customer and its survivors at a time."""
    for row, offers in rows:
        bundle.score_customers(row)
        if offers:
            bundle.score_actions(np.repeat(row, len(offers), axis=0), offers)


def score_together(rows: Sequence[tuple[Any, list[Any]]], bundle: Scorer) -> None:
    """The floor of chunked decisions: all customers, then all survivors of a chunk."""
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        customers = np.vstack([row for row, _ in chunk])
        bundle.score_customers(customers)
        repeated = np.repeat(customers, [len(offers) for _, offers in chunk], axis=0)
        bundle.score_actions(repeated, [offer for _, offers in chunk for offer in offers])


def features_of_each(customers: Customers, count: int, compiled: CompiledCatalogue) -> Callable[[], None]:
    """The kernel on one customer's stored columns at a time, as the service calls it."""
    events, program = customers.events, compile_features(compiled.catalogue.feature_set(STANDARD))
    columns = ("time", "type", "channel", "amount", "discount", "quantity", "categories")
    stored = [
        {name: getattr(events, name)[events.starts[i] : events.starts[i + 1]] for name in columns} for i in range(count)
    ]

    def compute() -> None:
        for values in stored:
            build_one(history(events.zones[0], **values), MOMENT, program)

    return compute


def stages(asked: Sequence[Request], compiled: CompiledCatalogue, bundle: Bundle, chunk: int) -> dict[str, float]:
    """Microseconds a decision in the stages between features and scoring."""
    scores = [bundle.score_customers(row) for row, _ in scored_rows(asked, compiled, bundle)]

    def cases() -> list[Evaluation]:
        return [
            Evaluation(compiled, request.snapshot, {name: float(values[0]) for name, values in found.items()})
            for request, found in zip(asked, scores, strict=True)
        ]

    def policies(opened: list[Evaluation]) -> None:
        for case in opened:
            for index in range(len(compiled.policies)):
                case.verdict(index)

    def rules(opened: list[Evaluation]) -> None:
        for case in opened:
            found, _ = openings(case)
            for opening in found:
                for _ in judged(compiled.rules_by_programme[opening.programme], opening, case, {}):
                    pass

    count = len(asked)
    facts = microseconds(cases, count)
    with_policies = microseconds(lambda: policies(cases()), count) - facts
    both = microseconds(lambda: _each(cases(), policies, rules), count) - facts - with_policies
    made = microseconds(lambda: decided(asked, compiled, bundle, chunk), count)
    return {"rules": facts + both, "policies": with_policies, "decide": made}


def _each(cases: list[Evaluation], *work: Callable[[list[Evaluation]], None]) -> None:
    for part in work:
        part(cases)


def decided(asked: Sequence[Request], compiled: CompiledCatalogue, bundle: Bundle, chunk: int) -> None:
    """All decisions, so many at a time."""
    for start in range(0, len(asked), chunk):
        decide(asked[start : start + chunk], compiled, compiled.catalogue.policy, bundle)


def main() -> None:
    """Measures, prints and writes."""
    compiled = retail()
    customers = generate(CUSTOMERS, seed=1, events=EVENTS)
    asked = [replace(request, channels=()) for request in requests(customers, MOMENT, compiled)]
    bundle = models(np.array([r.snapshot.features for r in asked])[:, : compiled.scored])
    rows = scored_rows(asked, compiled, bundle)
    count = len(asked)
    gc.collect()
    gc.freeze()
    features = microseconds(features_of_each(customers, count, compiled), count)
    floor = {
        "single": microseconds(lambda: score_one_by_one(rows, bundle), count),
        "chunked": microseconds(lambda: score_together(rows, bundle), count),
    }
    result: dict[str, Any] = {"decisions": count, "actions": len(compiled.rules), "policies": len(compiled.policies)}
    result["conditions"] = compiled.conditions.count
    result["events_a_customer"] = len(customers.events) / len(customers.profiles)
    result["survivors_a_decision"] = float(np.mean([len(offers) for _, offers in rows]))
    for way, chunk in (("single", 1), ("chunked", CHUNK)):
        found = stages(asked, compiled, bundle, chunk)
        known = found["rules"] + found["policies"] + floor[way]
        result[way] = {
            "features": features,
            "rules": found["rules"],
            "policies": found["policies"],
            "scoring": floor[way],
            "arbitration": max(0.0, found["decide"] - known),
            "total": features + found["decide"],
        }
        result[f"{way}_over_scoring"] = result[way]["total"] / floor[way]
    BENCH.mkdir(parents=True, exist_ok=True)
    (BENCH / "decide.json").write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    _show(result)


def _show(result: dict[str, Any]) -> None:
    screen = Console()
    screen.print(
        f"{result['decisions']:,} decisions on {result['actions']} actions, {result['conditions']} conditions and "
        f"{result['policies']} contact policies; {result['events_a_customer']:.0f} events a customer, "
        f"{result['survivors_a_decision']:.1f} survivors a decision; CPU microseconds a decision"
    )
    table = Table("stage", "single", "in chunks of 1,000")
    for stage in ("features", "rules", "policies", "scoring", "arbitration", "total"):
        table.add_row(stage, *(f"{result[way][stage]:,.0f}" for way in ("single", "chunked")))
    table.add_row("over scoring", *(f"{result[f'{way}_over_scoring']:.2f}" for way in ("single", "chunked")))
    screen.print(table)


if __name__ == "__main__":
    main()
