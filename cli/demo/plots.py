"""Plots of the report, as SVG inside the page itself."""

import io
from collections.abc import Mapping, Sequence
from itertools import chain, product
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tactful.models.base.metrics import Reliability

BLUE, ORANGE, GREY = "#0b5d8f", "#d1691b", "#8a8f98"
WIDE, NARROW = 11.0, 4.7
"""Widths in inches; two narrow plots stand side by side."""
BY_CHANNEL = {"email": BLUE, "mail": ORANGE}
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#55595f",
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "legend.frameon": False,
    "svg.hashsalt": "tactful",
}


def evidence(
    positive: NDArray[np.bool_],
    scores: Mapping[str, NDArray[np.float64]],
    reliability: Reliability,
    importance: Mapping[str, float],
) -> str:
    """Calibration, ROC and importance of one model, side by side.

    Args:
        positive: Outcomes of the test rows, shape (n,).
        scores: The scores of the model, and then of each baseline, each of shape (n,).
        reliability: Of the model.
        importance: Share of the gain by feature, largest first.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(WIDE, 3.4), layout="constrained")
        calibration, roc, gain = figure.subplots(1, 3, width_ratios=[1, 1, 1.15])
        _calibration(calibration, reliability)
        _roc(roc, positive, scores)
        _importance(gain, dict(list(importance.items())[:12]))
        return _svg(figure)


def stacked_bars(title: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    """Horizontal bars, longest first, each split by channel: counts by name, then channel."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(NARROW, 0.36 * len(counts) + 0.9), layout="constrained")
        axes = figure.subplots()
        names = sorted(counts, key=lambda name: -sum(counts[name].values()))
        left = np.zeros(len(names))
        for channel in sorted({channel for split in counts.values() for channel in split}):
            widths = np.array([counts[name].get(channel, 0) for name in names])
            axes.barh(names, widths, left=left, color=BY_CHANNEL.get(channel, GREY), label=channel)
            left += widths
        for position, total in enumerate(left):
            axes.annotate(f"{total:,.0f}", (total, position), xytext=(4, 0), textcoords="offset points", va="center")
        axes.legend(loc="best")
        _finish_bars(axes, title)
        return _svg(figure)


def bars(title: str, counts: Mapping[str, int]) -> str:
    """Horizontal bars of counts by name."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(NARROW, 0.36 * len(counts) + 0.9), layout="constrained")
        axes = figure.subplots()
        drawn = axes.barh(list(counts), list(counts.values()), color=GREY)
        axes.bar_label(drawn, fmt="{:,.0f}", padding=4)
        _finish_bars(axes, title)
        return _svg(figure)


def risk(contacted: Sequence[float], silent: Sequence[float]) -> str:
    """Churn risk of customers who get a message and of those who get silence.

    Args:
        contacted: Risks of the former.
        silent: Risks of the latter.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(NARROW, 3.0), layout="constrained")
        axes = figure.subplots()
        edges = np.linspace(0, 1, 41).tolist()
        axes.hist(contacted, edges, histtype="step", color=BLUE, linewidth=1.6, label="message")
        axes.hist(silent, edges, histtype="step", color=GREY, linewidth=1.2, label="silence")
        axes.set(
            title="Churn risk of households",
            xlabel="probability of no purchase in 28 days",
            ylabel="households, log scale",
        )
        axes.set_yscale("log")
        axes.legend()
        return _svg(figure)


def _calibration(axes: Axes, curve: Reliability) -> None:
    """Observed share against mean prediction of each tenth of the rows, with 95 % normal intervals."""
    error = 1.96 * np.sqrt(curve.observed * (1 - curve.observed) / curve.rows)
    edge = float(max(curve.predicted.max(), (curve.observed + error).max())) * 1.04
    axes.plot([0, edge], [0, edge], color=GREY, linewidth=1, linestyle="--", label="perfect")
    axes.errorbar(
        curve.predicted,
        curve.observed,
        yerr=error,
        color=BLUE,
        marker="o",
        markersize=4,
        linewidth=1,
        capsize=2,
        label="tenths of the test rows",
    )
    axes.set(title="Calibration", xlabel="predicted", ylabel="observed", xlim=(0, edge), ylim=(0, edge))
    axes.legend(loc="upper left")


def _roc(axes: Axes, positive: NDArray[np.bool_], scores: Mapping[str, NDArray[np.float64]]) -> None:
    from sklearn.metrics import roc_curve

    others = product(("-", "--", ":"), (ORANGE, GREY))
    styles = chain([(BLUE, "-", 1.8)], ((colour, line, 1.1) for line, colour in others))
    for (name, score), (colour, line, width) in zip(scores.items(), styles, strict=False):
        false_rate, true_rate, _ = roc_curve(positive, score)
        axes.plot(false_rate, true_rate, color=colour, linestyle=line, linewidth=width, label=name.replace("_", " "))
    axes.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.01))
    axes.legend(loc="lower right")


def _importance(axes: Axes, importance: Mapping[str, float]) -> None:
    names = list(importance)[::-1]
    axes.barh(names, [importance[name] for name in names], color=BLUE)
    axes.set(title="Importance", xlabel="share of the gain")
    axes.tick_params(axis="y", labelsize=7.5)


def _finish_bars(axes: Axes, title: str) -> None:
    axes.invert_yaxis()
    axes.margins(x=0.14)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.set_title(title)


def _svg(figure: Figure) -> str:
    """The figure without prologue and metadata, which name other places."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
