"""How plans and readouts of experiments are shown: tables for people, JSON for machines."""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tactful.cli.console import console, say, table

if TYPE_CHECKING:
    from tactful.experiments.design.declaration import Experiment
    from tactful.experiments.readout.power import Horizon
    from tactful.experiments.readout.readout import ArmReadout, Readout


def plain_plan(horizons: "list[Horizon]") -> list[dict[str, Any]]:
    """A plan for machines."""
    from dataclasses import asdict

    return [{**asdict(one), "enough": one.enough} for one in horizons]


def show_plan(experiment: "Experiment", horizons: "list[Horizon]", found: "Horizon | None") -> None:
    """A plan for people."""
    from tactful.experiments.base.metrics import METRICS

    screen, metric = console(), METRICS[experiment.primary.metric]
    headings = ("weeks", "customers", metric.title.lower(), "finds, one look", "finds, any look", "enough")
    rows = [
        (
            h.weeks,
            h.customers,
            metric.shown(h.mean),
            f"{h.one_look:.1%}",
            f"{h.always_valid:.1%}",
            "yes" if h.enough else "no",
        )
        for h in horizons
    ]
    say(screen, table(headings, rows, numbers=headings[:5]))
    wanted = f"an effect of {experiment.primary.minimum_effect:.1%} with power {experiment.power:.0%}"
    told = f"{found.weeks} weeks find" if found else f"{horizons[-1].weeks} weeks do not find"
    screen.print(f"{experiment.id}: {told} {wanted}, whoever looks whenever.", soft_wrap=True)


def plain_readout(found: "Readout") -> dict[str, Any]:
    """A readout for machines."""
    from dataclasses import asdict

    return {
        "experiment": found.experiment.id,
        "until": found.until.isoformat(),
        "customers": dict(found.sample_ratio.counts),
        "sample_ratio": {"pvalue": found.sample_ratio.pvalue, "passed": found.sample_ratio.passed},
        "treatment": {
            "passed": not found.adherence.faults,
            "faults": list(found.adherence.faults),
            "arms": {arm: asdict(got) for arm, got in found.adherence.arms.items()},
        },
        "arms": {arm.arm: _arm(found, arm) for arm in found.arms},
        "simulated": found.simulated,
    }


def _arm(found: "Readout", arm: "ArmReadout") -> dict[str, Any]:
    return {
        "verdict": found.verdict(arm),
        "decision": found.decision(arm),
        "metric": found.metric.name,
        "control": _told(arm.primary.control),
        "treatment": _told(arm.primary.treatment),
        "difference": _told(arm.primary.difference),
        "always_valid": {"low": _told(arm.low), "high": _told(arm.high), "pvalue": _told(arm.pvalue)},
        "unknown": arm.primary.refusal or None,
        "guard_rails": {rail.metric.name: rail.verdict for rail in arm.guard_rails},
    }


def _told(value: float) -> float | None:
    """A number for machines, None where nothing can be told."""
    return value if isfinite(value) else None


def show_readout(found: "Readout", target: Path) -> None:
    """A readout for people; without effects where the experiment did not run as declared."""
    screen, metric = console(), found.metric
    counts = ", ".join(f"{arm} {count:,}" for arm, count in found.sample_ratio.counts.items())
    passed = "as declared" if found.sample_ratio.passed else "FAILS"
    screen.print(f"sample ratio {passed} (p = {found.sample_ratio.pvalue:.3g}): {counts}", soft_wrap=True)
    _show_treatment(found)
    headings = ("arm", metric.title.lower(), "control", "difference", "at every look")
    rows = [
        (
            arm.arm,
            metric.shown(arm.primary.treatment, found.currency),
            metric.shown(arm.primary.control, found.currency),
            metric.shown(arm.primary.difference, found.currency, signed=True),
            " to ".join(metric.shown(bound, found.currency, signed=True) for bound in (arm.low, arm.high)),
        )
        for arm in found.arms
        if arm.primary.known
    ]
    if rows and not found.faults:
        say(screen, table(headings, rows, numbers=headings[1:]))
    for arm in found.arms:
        rails = "".join(f"; {rail.metric.title.lower()} {rail.verdict}" for rail in arm.guard_rails)
        screen.print(f"{arm.arm}: {found.decision(arm)[:-1]}{rails}.", soft_wrap=True)
    screen.print(f"page: {target}", soft_wrap=True)


def _show_treatment(found: "Readout") -> None:
    told = ", ".join(f"{arm} {got.contacts:.2f}" for arm, got in found.adherence.arms.items())
    passed = "FAILS" if found.adherence.faults else "as declared"
    console().print(f"treatment {passed}: contacts a customer {told}", soft_wrap=True)
