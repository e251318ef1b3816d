"""A verdict of the release gate as one page with plots, for people."""

import base64
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tactful.training.gate.release import Release

_ANSWERS = {
    "ship": "It ships.",
    "experiment": "The log cannot tell: try it in a live experiment.",
    "no": "No.",
}
_VERDICTS = {"ship": "passed", "experiment": "cannot tell", "no": "failed"}
_ESTIMATORS = {
    "ips": "inverse propensity (IPS)",
    "snips": "self-normalised IPS",
    "direct": "direct method",
    "doubly_robust": "doubly robust",
    "switch_dr": "switch doubly robust",
}
_LIMITS = {
    "tolerance": ("loss of value a decision, at the low end, at most", "{:g}"),
    "contacts": ("growth of contacts, at most", "{:.0%}"),
    "unsubscribes": ("growth of unsubscriptions, in shares of decisions, at the high end, at most", "{:.2%}"),
    "calibration": ("joint p of the biases, at least", "{:g}"),
    "largest_weight": ("weight of one decision, at most", "{:g}"),
    "level": ("coverage of the intervals", "{:.0%}"),
}
_SUPPORT = ("effective decisions", "effective customers", "largest weight", "never possible", "contacts")
_BLUE, _ORANGE = "#0b5d8f", "#d1691b"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .75rem;text-align:left;border-bottom:"
    "1px solid #d8dee4}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}img{max-width:100%}"
    ".ship{color:#2d6a3a}.experiment{color:#8a5a00}.no{color:#a3262a}"
)


def page(release: Release, name: str, parameters: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The report: answer, checks with their reasons, estimates, plots. It stands alone and loads nothing.

    Args:
        release: The verdict.
        name: Of the candidate.
        parameters: The compared versions, by name.
    """
    figures = release.figures
    plots = {
        "Candidate less incumbent": gain(figures),
        "Value of a decision": estimates(figures),
        "Bias by action": biases(figures["calibration"]),
    }
    shown = [f"<h2>{title}</h2>{_image(plot, title)}" for title, plot in plots.items() if plot is not None]
    checks = [(check.name, _VERDICTS[check.answer], check.sentence) for check in release.checks]
    return "".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8>",
            f"<title>Release gate: {escape(name)}</title><style>{_STYLE}</style>",
            f"<h1>Release gate: {escape(name)}</h1>",
            f"<p class={release.answer}><strong>{_ANSWERS[release.answer]}</strong></p>",
            f"<p>{figures['decisions']:,} logged decisions about {figures['customers']:,} customers; the difference ",
            f"is the {_ESTIMATORS[figures['estimator']]} estimate, paired, clustered by customer.</p>",
            _table(("what was judged", ""), parameters.items()) if parameters else "",
            _table(("check", "outcome", "found"), checks),
            *shown,
            "<h2>Estimates</h2><p>Mean reward of a decision, in the catalogue's currency.</p>",
            _table(("policy", "estimator", "value", "low", "high"), _estimate_rows(figures), numbers=3),
            "<h2>Support</h2>",
            _table(("policy", *_SUPPORT), _support_rows(figures), numbers=len(_SUPPORT)),
            "<h2>Limits</h2>",
            _table(("limit", "value"), _limit_rows(figures["limits"]), numbers=1),
            "</html>\n",
        )
    )


def gain(figures: Mapping[str, Any]) -> Figure | None:
    """The difference in value with its interval, beside what is tolerated; None where it cannot be told."""
    found = figures["gain"]
    if found is None:
        return None
    figure = _figure(height=1.6)
    axes = figure.add_subplot(xlabel="difference of the mean reward of a decision")
    _with_interval(axes, [found], [0.0], _BLUE)
    axes.axvline(0.0, color="0.6", linewidth=1)
    axes.axvline(-figures["limits"]["tolerance"], color=_ORANGE, linewidth=1, linestyle="--", label="tolerated")
    axes.set_yticks([])
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def estimates(figures: Mapping[str, Any]) -> Figure:
    """Value of both policies by each estimator, with intervals."""
    figure = _figure()
    axes = figure.add_subplot(xlabel="mean reward of a decision")
    names = list(figures["values"]["candidate"])
    for shift, (policy, colour) in enumerate((("candidate", _BLUE), ("incumbent", _ORANGE))):
        told = [(i, one) for i, name in enumerate(names) if (one := figures["values"][policy][name]) is not None]
        _with_interval(axes, [one for _, one in told], [i - 0.12 + 0.24 * shift for i, _ in told], colour, policy)
    axes.set_yticks(range(len(names)), [_ESTIMATORS[name] for name in names])
    axes.invert_yaxis()
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def biases(arms: Sequence[Mapping[str, Any]]) -> Figure | None:
    """The predicted less the observed outcome of each action, with two standard errors; None without predictions."""
    if not arms:
        return None
    figure = _figure()
    axes = figure.add_subplot(xlabel="predicted less observed share of answers, two standard errors")
    off = [one["predicted"] - one["observed"] for one in arms]
    reach = [2 * one["error"] for one in arms]
    axes.errorbar(off, range(len(arms)), xerr=reach, fmt="o", capsize=2, markersize=4, color=_BLUE)
    axes.axvline(0.0, color="0.6", linewidth=1)
    axes.set_yticks(range(len(arms)), [one["arm"] for one in arms])
    axes.invert_yaxis()
    return figure


def _with_interval(
    axes: Axes, told: Sequence[Mapping[str, float]], places: Sequence[float], colour: str, label: str | None = None
) -> None:
    reach = [[one["value"] - one["low"] for one in told], [one["high"] - one["value"] for one in told]]
    values = [one["value"] for one in told]
    axes.errorbar(values, places, xerr=reach, fmt="o", color=colour, capsize=2, markersize=4, label=label)


def _figure(height: float = 3.5) -> Figure:
    figure = Figure(figsize=(7.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _image(figure: Figure, title: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return f'<img alt="{escape(title)}" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _estimate_rows(figures: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    for policy, by_name in figures["values"].items():
        for name, one in by_name.items():
            yield policy, _ESTIMATORS[name], *(_number(one, part) for part in ("value", "low", "high"))
    gained = (_number(figures["gain"], part) for part in ("value", "low", "high"))
    yield "difference", _ESTIMATORS[figures["estimator"]], *gained


def _support_rows(figures: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    for policy, held in figures["support"].items():
        contacts = figures["contacts"][policy]
        told = (f"{held[name]:,.0f}" for name in ("effective", "effective_customers", "largest_weight"))
        yield policy, *told, f"{held['unsupported']:.1%}", f"{contacts:.1%}"


def _limit_rows(limits: Mapping[str, float]) -> Iterable[tuple[str, str]]:
    for name, value in limits.items():
        words, form = _LIMITS.get(name, (name, "{:g}"))
        yield words, form.format(value)


def _number(estimate: Mapping[str, float] | None, part: str) -> str:
    return "–" if estimate is None else f"{estimate[part]:.4f}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[Any]], numbers: int = 0) -> str:
    """A table whose last columns are numbers; a minus is one."""
    kinds = [""] * (len(headings) - numbers) + [" class=number"] * numbers
    head = "".join(f"<th{kind}>{escape(heading)}" for kind, heading in zip(kinds, headings, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(_minus(str(value)))}" for kind, value in zip(kinds, row, strict=True))
        for row in rows
    )
    return f"<table><tr>{head}{body}</table>"


def _minus(text: str) -> str:
    """A text whose negative numbers have a minus sign.

    Example:
        >>> _minus("-0.0563 to +0.1448, since 2026-06-08")
        '−0.0563 to +0.1448, since 2026-06-08'
    """
    return re.sub(r"(?<![\w./-])-(?=[\d.])", "−", text)
