"""The seven steps of the demo, one after another."""

import shutil
from pathlib import Path
from typing import Any

from rich.console import Console

from tactful.cli.console import say
from tactful.cli.demo.data import MOMENT, build_features, import_events
from tactful.cli.demo.households import DISCLOSURE, load_households
from tactful.cli.demo.learning import QUESTIONS, export, train
from tactful.cli.demo.messages import load_catalogue
from tactful.cli.demo.population import decide_for_everybody
from tactful.cli.demo.queries import ask_about_states
from tactful.cli.demo.report import write_html, write_json
from tactful.cli.demo.reporter import Reporter
from tactful.features.definitions.standard import STANDARD
from tactful.features.errors import TactfulError

SETTINGS = "tactful.env"
"""What the service reads in its folder; it also marks a folder as one that a run may replace."""


def run(folder: Path, console: Console) -> dict[str, Any]:
    """Runs every step and writes the report.

    Args:
        folder: To work in; what an earlier run left there is replaced.
        console: The console for the steps.

    Returns:
        The report, as `report.json` has it.

    Raises:
        TactfulError: The folder holds something else, or a step fails.
    """
    _clear(folder)
    told = Reporter(console)
    with told.step("import", "Purchases, mailings and redemptions become events") as step:
        grocer = import_events(folder, step)
    with told.step("features", "Events become features, as of the first of each month") as step:
        frame = build_features(grocer, step)
    with told.step("train", "Features become calibrated models, if the gate lets them through") as step:
        trained = train(grocer, folder, step)
    with told.step("export", "The champions become a bundle for the service") as step:
        manifest = export(trained, folder, step)
    with told.step("catalogue", "What can be said, to whom, and how often") as step:
        compiled = load_catalogue(folder, step)
    with told.step("ask", "Decisions over HTTP, with their reasons") as step:
        events = load_households(grocer, folder)
        step.say(DISCLOSURE)
        answers = ask_about_states(grocer, folder, step)
    with told.step("decide", f"A decision for each of {len(grocer.households):,} households") as step:
        decisions = decide_for_everybody(compiled, folder, step)
    report = {
        "moment": MOMENT.isoformat(),
        "data": {"digest": grocer.dataset.digest, "events": sum(grocer.dataset.rows), "events_before_moment": events},
        "features": {
            "count": len(STANDARD),
            "fingerprint": STANDARD.fingerprint,
            "families": {family: len(names) for family, names in STANDARD.families.items()},
            "rows": len(frame),
        },
        **{model.result.name: model.figures for model in trained},
        "bundle": {"version": manifest["version"], "fingerprint": manifest["fingerprint"]},
        "catalogue": compiled.version,
        "examples": answers,
        "decisions": decisions,
        "seconds": told.seconds,
    }
    page = _write(folder, told, report)
    say(
        console,
        f"\nThe report: {page}, and {page.with_suffix('.json')} for machines; {sum(told.seconds.values()):.0f} s.",
    )
    say(console, f"`tactful serve --data {folder}` keeps the service running on these data.")
    return report


def _clear(folder: Path) -> None:
    """Empties a folder that an earlier run left, and sets the service's clock."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / SETTINGS).exists():
            raise TactfulError("the folder holds something else", got=min(folder.iterdir()).name, where=folder)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = f"TACTFUL_NOW={MOMENT.isoformat()}\nTACTFUL_AUTH=open\n"
    (folder / SETTINGS).write_text(settings, encoding="utf-8")


def _write(folder: Path, told: Reporter, report: dict[str, Any]) -> Path:
    write_json(folder, report)
    decisions = report["decisions"]
    headlines = [
        ("households", f"{decisions['customers']:,}", "each with one decision"),
        ("messages", f"{decisions['messages']:,}", f"{decisions['silences']:,} are left alone"),
        ("caps broken", f"{decisions['cap_violations']}", "counted by separate code"),
        *(
            (f"AUC, {name}", f"{report[name]['auc']['value']:.3f}", _interval(report[name]["auc"]))
            for name in QUESTIONS
        ),
        ("seconds", f"{sum(told.seconds.values()):.0f}", "for all of this"),
    ]
    lead = (
        "One run of tactful demo on the Complete Journey data: purchases become events, events features, features "
        f"calibrated models, and these a decision for each household on {MOMENT:%d %B %Y} – a message, or silence."
    )
    return write_html(folder, told.steps, headlines, lead, DISCLOSURE)


def _interval(estimate: dict[str, float]) -> str:
    return f"95%: {estimate['low']:.3f} to {estimate['high']:.3f}"
