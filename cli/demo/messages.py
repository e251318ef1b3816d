"""The catalogue of the run: what could be said, to whom, and how often."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from tactful.cli.demo.reporter import Step
from tactful.cli.demo.service import settings_of
from tactful.decisions.base.durations import format_duration
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.model import Catalogue, Message
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.catalogue.triggers import AbsenceTrigger, AnyTrigger, EventTrigger, ThresholdTrigger
from tactful.features.definitions.standard import STANDARD
from tactful.serving.engine.in_force.champion import load_champion


def load_catalogue(folder: Path, step: Step) -> CompiledCatalogue:
    """Copies the example catalogue beside the bundle and checks it against the bundle's features and scores.

    Args:
        folder: Of the run.
        step: The step of the report.

    Raises:
        CatalogueError: It has mistakes.
    """
    settings = settings_of(folder)
    with as_file(files("tactful.decisions") / "examples" / "grocery.yaml") as example:
        settings.catalogue.write_bytes(example.read_bytes())
    compiled = load_champion(settings.champion, settings.catalogue, STANDARD).compiled
    catalogue = compiled.catalogue
    step.say(
        f"{settings.catalogue}: {len(catalogue.programmes)} programmes with "
        f"{sum(len(p.messages) for p in catalogue.programmes)} messages, version {compiled.version}. Expressions are "
        "type-checked against the features, scores and attributes; every text has a fallback for what may be missing."
    )
    _show_messages(catalogue, step)
    step.table(
        ("contact policy", "kind", "rule"),
        [(policy.id, policy.kind, _rule(policy)) for policy in catalogue.contact_policies],
        title="What protects a customer",
    )
    costs = ", ".join(f"{name} {channel.cost:.2f}" for name, channel in catalogue.channels.items())
    step.say(
        f"A contact has a cost ({costs} {catalogue.currency}) and tires. A message is worth response × (value − "
        "discount) − cost − contact price, and silence, worth 0, competes with it. The data have no control group, so "
        "no effect of a message is known: the response itself is used, and nothing here claims an uplift."
    )
    return compiled


def _show_messages(catalogue: Catalogue, step: Step) -> None:
    rows = []
    for programme in catalogue.programmes:
        for number, message in enumerate(programme.messages):
            head = (programme.id, _opened_by(programme.trigger)) if number == 0 else ("", "")
            rows.append((*head, message.id, ", ".join(message.channels), _response(message)))
    step.table(("programme", "opened by", "message", "channels", "response"), rows, title="What can be said")


def _response(message: Message) -> str:
    if message.offer is not None:
        return "scored"
    return f"assumed {message.response.mean:.0%}" if message.response else ""


def _opened_by(trigger: AnyTrigger) -> str:
    if isinstance(trigger, EventTrigger):
        return trigger.type
    if isinstance(trigger, AbsenceTrigger):
        return f"{trigger.type}, then no {' or '.join(trigger.without)} for {format_duration(trigger.within)}"
    return trigger.when if isinstance(trigger, ThresholdTrigger) else trigger.kind


def _rule(policy: ContactPolicy) -> str:
    return _phrases(policy.model_dump(mode="json", exclude_defaults=True, exclude={"id", "kind"}))


def _phrases(values: Any) -> str:
    """Nested values in words: `max 2, window 28d, scope (channel mail)`."""
    if isinstance(values, dict):
        return ", ".join(
            f"{k} ({_phrases(v)})" if isinstance(v, dict) else f"{k} {_phrases(v)}" for k, v in values.items()
        )
    return " or ".join(map(str, values)) if isinstance(values, list | tuple) else str(values)
