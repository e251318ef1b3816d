"""A verdict of the release gate as one page with plots, for people."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.release import Release

_ANSWERS = {
    "ship": "It ships.",
    "experiment": "The log cannot tell: try it in a live experiment.",
    "no": "No.",
}
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .75rem;text-align:left;border-bottom:"
    "1px solid #d8dee4}img{max-width:100%}.ship{color:#2d6a3a}.experiment{color:#8a5a00}.no{color:#a3262a}"
)


def page(release: Release, name: str) -> str:
    """The report: answer, checks with their reasons, estimates, plots. It stands alone and loads nothing.

    Args:
        release: The verdict.
        name: Of the candidate.
    """
    figures = release.figures
    plots = {"Value of a decision": estimates(figures), "Bias by action": biases(figures["calibration"])}
    shown = [f"<h2>{title}</h2>{_image(plot, title)}" for title, plot in plots.items() if plot is not None]
    return "".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8>",
            f"<title>Release gate: {escape(name)}</title><style>{_STYLE}</style>",
            f"<h1>Release gate: {escape(name)}</h1>",
            f"<p class={release.answer}><strong>{_ANSWERS[release.answer]}</strong></p>",
            f"<p>{figures['decisions']:,} logged decisions about {figures['customers']:,} customers; the difference ",
            f"is estimated by <code>{figures['estimator']}</code>, paired, clustered by customer.</p>",
            _table(("check", "answer", "found"), [(c.name, c.answer, c.sentence) for c in release.checks]),
            "<h2>Estimates</h2>",
            _table(("policy", "estimator", "value", "low", "high"), _estimate_rows(figures)),
            "<h2>Limits</h2>",
            _table(("limit", "value"), sorted(figures["limits"].items())),
            *shown,
            "</html>\n",
        )
    )


def estimates(figures: Mapping[str, Any]) -> Figure:
    """Value of both policies by each estimator, with intervals."""
    figure = _figure()
    axes = figure.add_subplot(xlabel="mean reward of a decision")
    names = list(figures["values"]["candidate"])
    for shift, (policy, colour) in enumerate((("candidate", "#0b5d8f"), ("incumbent", "#d1691b"))):
        found = [(i, figures["values"][policy][name]) for i, name in enumerate(names)]
        told = [(i + 0.12 - 0.24 * shift, one) for i, one in found if one is not None]
        axes.errorbar(
            [one["value"] for _, one in told],
            [place for place, _ in told],
            xerr=[[one["value"] - one["low"] for _, one in told], [one["high"] - one["value"] for _, one in told]],
            fmt="o",
            color=colour,
            capsize=2,
            markersize=4,
            label=policy,
        )
    axes.set_yticks(range(len(names)), names)
    axes.legend()
    return figure


def biases(arms: Sequence[Mapping[str, Any]]) -> Figure | None:
    """What was predicted of each action less what happened, with two standard errors; None without predictions."""
    if not arms:
        return None
    figure = _figure()
    axes = figure.add_subplot(xlabel="predicted less observed, two standard errors")
    off = [one["predicted"] - one["observed"] for one in arms]
    axes.errorbar(off, range(len(arms)), xerr=[2 * one["error"] for one in arms], fmt="o", capsize=2, markersize=4)
    axes.axvline(0.0, color="0.6", linewidth=1)
    axes.set_yticks(range(len(arms)), [one["arm"] for one in arms])
    return figure


def _figure() -> Figure:
    figure = Figure(figsize=(7.0, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _image(figure: Figure, title: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return f'<img alt="{escape(title)}" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _estimate_rows(figures: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    for policy, by_name in figures["values"].items():
        for name, one in by_name.items():
            yield policy, name, *(_number(one, part) for part in ("value", "low", "high"))
    yield "difference", figures["estimator"], *(_number(figures["gain"], part) for part in ("value", "low", "high"))


def _number(estimate: Mapping[str, float] | None, part: str) -> str:
    return "–" if estimate is None else f"{estimate[part]:.4f}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(heading)}" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(value))}" for value in row) for row in rows)
    return f"<table><tr>{head}{body}</table>"
