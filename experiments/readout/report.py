"""A readout as one HTML page that needs nothing else: the verdict first, then what it rests on."""

from collections.abc import Callable
from math import isnan
from typing import Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tactful.experiments.base.metrics import METRICS, Metric
from tactful.experiments.readout.readout import ArmReadout, Readout
from tactful.experiments.readout.svg import Bar, along, intervals

_TEMPLATES = Environment(
    loader=PackageLoader("tactful.experiments"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TONES = {"better": "good", "worse": "bad", "open": "open", "untold": "stop"}
_RAILS = {"kept": "good", "harmed": "bad", "open": "open", "untold": "open"}


def report(found: Readout) -> str:
    """The page.

    Args:
        found: From `tactful.experiments.readout.readout.readout`.
    """
    arms = [
        {
            "read": arm,
            "verdict": found.verdict(arm),
            "tone": _tone(found, arm),
            "decision": found.decision(arm),
            "sentence": _sentence(found, arm),
            "rails": [{"rail": rail, "tone": _RAILS[rail.verdict]} for rail in arm.guard_rails],
            "course": _course(found, arm),
            "segments": [(part, _segments(found, arm, i)) for i, part in enumerate(arm.segments) if part.segments],
            "novelty": _novelty(found, arm),
        }
        for arm in found.arms
    ]
    template = _TEMPLATES.get_template("report.html.j2")
    return template.render(found=found, metric=found.metric, metrics=METRICS, arms=arms, show=_shown(found))


def _tone(found: Readout, arm: ArmReadout) -> str:
    """Good news is only what can be acted on."""
    verdict = found.verdict(arm)
    safe = all(rail.verdict == "kept" for rail in arm.guard_rails)
    return _TONES[verdict] if verdict != "better" or safe else "open"


def _sentence(found: Readout, arm: ArmReadout) -> str:
    metric, effect, show = found.metric, arm.primary, _shown(found)
    if not effect.known:
        return ""
    level = 1 - found.experiment.alpha / len(found.arms)
    return (
        f"{metric.title}: {show(metric, effect.treatment)} with {arm.arm}, {show(metric, effect.control)} with "
        f"{found.experiment.control_id}. That is {show(metric, effect.difference, signed=True)}"
        f"{_relative(effect.relative)}, between {show(metric, arm.low, signed=True)} and "
        f"{show(metric, arm.high, signed=True)} with {100 * level:.3g} % confidence, however often somebody looks."
    )


def _relative(share: float) -> str:
    return "" if isnan(share) else f" ({share:+.1%})"


def _course(found: Readout, arm: ArmReadout) -> Markup | None:
    looks = arm.looks
    if not looks.moments:
        return None
    bars = [
        Bar(
            f"{moment:%d %b}",
            effect.difference,
            float(low),
            float(high),
            sum(effect.customers),
            (effect.low, effect.high),
        )
        for moment, effect, low, high in zip(
            looks.moments, looks.effects, looks.valid.low, looks.valid.high, strict=True
        )
    ]
    title = f"{found.metric.title}: {arm.arm} less {found.experiment.control_id}, as known on each day"
    note = "Band: holds at every look. Grey: what a test that looks only once would say."
    return along(bars, _difference(found), title=title, note=_note(found, note))


def _segments(found: Readout, arm: ArmReadout, index: int) -> Markup:
    bars = [
        Bar(one.name, one.shrunk, one.low, one.high, sum(one.effect.customers), (one.effect.low, one.effect.high))
        for one in arm.segments[index].segments
    ]
    title = f"{found.metric.title}: {arm.arm} less {found.experiment.control_id}, by {arm.segments[index].cut}"
    note = "Blue: drawn towards each other as far as chance explains the differences, 95 %. Grey: each by itself."
    return intervals(bars, _difference(found), title=title, note=_note(found, note))


def _novelty(found: Readout, arm: ArmReadout) -> Markup | None:
    if len(arm.novelty.weeks) < 2:
        return None
    bars = [
        Bar(f"week {week}", effect.difference, effect.low, effect.high, sum(effect.customers))
        for week, effect in arm.novelty.weeks
    ]
    title = f"{found.metric.title}: {arm.arm} less {found.experiment.control_id}, by week since entering"
    return along(bars, _difference(found), title=title, note=_note(found, "Bars: 95 %, for one look."))


def _note(found: Readout, note: str) -> str:
    return f"SIMULATED customers. {note}" if found.simulated else note


def _difference(found: Readout) -> Callable[[float], str]:
    return lambda value: found.metric.shown(value, found.currency, signed=True) if value else "0"


class _Show(Protocol):
    def __call__(self, metric: Metric, value: float, *, signed: bool = False) -> str: ...


def _shown(found: Readout) -> _Show:
    """Writes a value of a metric with its unit; a dash where it is unknown."""

    def show(metric: Metric, value: float, *, signed: bool = False) -> str:
        return "–" if isnan(value) else metric.shown(value, found.currency, signed=signed)

    return show
