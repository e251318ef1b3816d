"""The last step: a decision for every household, counted twice."""

from collections import Counter
from pathlib import Path
from typing import Any

from tactful.cli.demo import plots
from tactful.cli.demo.reporter import Step
from tactful.cli.demo.service import settings_of
from tactful.decisions.base.durations import format_duration
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.serving.bootstrap import open_service
from tactful.serving.engine.batch import BatchRun, decide_all
from tactful.serving.store.admin.audit import Audit, audit

RUN = "everybody"
REASONS = {
    "no opening": "no programme is open for the household",
    "worth less than silence": "every message that may be sent is worth less than silence",
    "drawn": "silence was drawn, with a small probability, to learn from it",
    "holdout": "left alone on purpose, by the catalogue's hold-out",
}


def decide_for_everybody(compiled: CompiledCatalogue, folder: Path, step: Step) -> dict[str, Any]:
    """Decides for every household at the moment, then audits the records.

    Args:
        compiled: The catalogue.
        folder: Of the run.
        step: The step of the report.

    Returns:
        For the report.
    """
    settings = settings_of(folder)
    service = open_service(settings)
    with step.progress("households") as advance:
        run = decide_all(service, RUN, progress=advance)
    with step.progress("audit"):
        found = audit(service.store.database, compiled.catalogue, settings.tenant)
    service.store.close()
    _tell_decisions(run, step)
    _tell_caps(found, compiled, step)
    _draw(run, step)
    messages = sum(decision.choice is not None for decision in run.decisions)
    return {
        "customers": len(run.decisions) + len(run.failures),
        "messages": messages,
        "silences": len(run.decisions) - messages,
        "failures": dict(run.failures),
        "by_programme": run.messages,
        "silences_by_reason": run.silences,
        "cap_violations": len(found.violations),
        "contacts_per_customer": {cap: {str(n): who for n, who in load.items()} for cap, load in found.load.items()},
    }


def _tell_decisions(run: BatchRun, step: Step) -> None:
    channels = sorted({channel for split in run.messages.values() for channel in split})
    by_programme = sorted(run.messages.items(), key=lambda item: -sum(item[1].values()))
    totals = [sum(split.get(channel, 0) for _, split in by_programme) for channel in channels]
    step.table(
        ("programme", *channels, "messages"),
        [
            *(
                (name, *(split.get(channel, 0) for channel in channels), sum(split.values()))
                for name, split in by_programme
            ),
            ("all", *totals, sum(totals)),
        ],
        numbers=(*channels, "messages"),
        title="Messages by programme and channel",
    )
    step.table(
        ("silence because", "households"),
        [
            *((REASONS.get(reason, f"excluded, mostly by {reason}"), count) for reason, count in run.silences.items()),
            ("all", sum(run.silences.values())),
        ],
        numbers=("households",),
        title="Silences by reason",
    )


def _tell_caps(found: Audit, compiled: CompiledCatalogue, step: Step) -> None:
    caps = {policy.id: policy for policy in compiled.catalogue.contact_policies if policy.kind == "cap"}
    most = max(n for load in found.load.values() for n in load)
    counts = [str(n) for n in range(most + 1)]
    broken = Counter(violation.rule for violation in found.violations)
    step.table(
        ("cap", "at most", *counts, "broken"),
        [
            (
                name,
                f"{caps[name].max} in {format_duration(caps[name].window)}",
                *(load.get(int(n), 0) for n in counts),
                broken[name],
            )
            for name, load in found.load.items()
        ],
        numbers=(*counts, "broken"),
        title="Households by contacts within the window, the grocer's own mailings included",
    )
    step.say(
        f"Counted by brute force over the decision log and the ledger ({found.decisions:,} decisions with those of the "
        f"step before, {found.contacts:,} contacts), by code that shares nothing with what keeps the caps: "
        f"{len(found.violations)} windows hold more contacts than their cap allows."
    )


def _draw(run: BatchRun, step: Step) -> None:
    step.figure(plots.stacked_bars("Messages", run.messages), "Messages by programme and channel.")
    step.figure(plots.bars("Silences", run.silences), "Silences by reason.")
    risks: dict[bool, list[float]] = {True: [], False: []}
    for decision in run.decisions:
        risks[decision.choice is not None].append(decision.scores["lapse"])
    step.figure(
        plots.risk(risks[True], risks[False]), "Churn risk of households that get a message, and of the others."
    )
