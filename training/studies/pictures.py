"""Pictures of estimates for people who read them in a notebook: units on the axes, intervals, and a line with n."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import pandas as pd
from matplotlib import dates, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tactful.models.base.metrics import Estimate
from tactful.training.figures.plots import draw_calibration
from tactful.training.fit.evaluation import TestRows
from tactful.training.fit.job import TrainingResult
from tactful.training.studies.segments import Segment

COLOURS = ("#0b5d8f", "#d1691b", "#4d8b57", "#8a8f98", "#7b4f9d")
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "legend.frameon": False,
}


@rc_context(_STYLE)
def curves(
    series: Mapping[str, Mapping[Any, Estimate]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    note: str,
    reference: float | None = None,
    percent: bool = False,
) -> Figure:
    """Estimates against a number or a date, one curve a series, with bands for their 95 % intervals.

    Args:
        series: By name, estimates by place on the x axis.
        title: The title of the picture.
        xlabel: With its unit.
        ylabel: With its unit.
        note: A description of the data, and n.
        reference: Where a thin horizontal line lies.
        percent: Whether the y axis is of shares.
    """
    figure, axes = _figure(note)
    for (name, estimates), colour in zip(series.items(), cycle(COLOURS), strict=False):
        places, (values, low, high) = list(estimates), zip(*estimates.values(), strict=True)
        marker = "o" if len(places) < 20 else ""
        axes.plot(places, values, color=colour, marker=marker, markersize=4, linewidth=1.4, label=name)
        axes.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
    if reference is not None:
        axes.axhline(reference, color="0.6", linewidth=1, linestyle="--")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend()
    return figure


@rc_context(_STYLE)
def segments(
    panels: Mapping[str, Sequence[Segment]],
    *,
    title: str,
    xlabel: str,
    note: str,
    reference: float | None = None,
    percent: bool = False,
) -> Figure:
    """Estimates in segments as dots with their 95 % intervals, one panel for each way to cut the rows.

    Args:
        panels: By the name of the cut.
        title: The title of the picture.
        xlabel: With its unit.
        note: A description of the data.
        reference: Where a thin vertical line lies.
        percent: Whether the x axis is of shares.
    """
    rows = sum(len(panel) for panel in panels.values())
    figure = _canvas(0.3 * rows + 0.75 * len(panels) + 0.7, note)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    heights = [len(panel) + 0.5 for panel in panels.values()]
    grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)
    for axes, (name, panel) in zip(grid[:, 0], panels.items(), strict=True):
        _dots(axes, panel, reference)
        axes.set_title(name, fontweight="normal", fontsize=9)
        axes.label_outer()
        if percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    grid[-1, 0].set_xlabel(xlabel)
    return figure


@rc_context(_STYLE)
def calibrations(tests: Mapping[str, TestRows], *, note: str) -> Figure:
    """Observed share against predicted probability of several models, side by side."""
    figure = _canvas(4.0, note, width=8.4)
    grid = figure.subplots(1, len(tests), squeeze=False)
    for axes, (name, test) in zip(grid[0], tests.items(), strict=True):
        draw_calibration(axes, test)
        axes.set(title=f"{name}: calibration", xlabel="predicted probability", ylabel="observed share of rows")
    return figure


@rc_context(_STYLE)
def history(events: pd.DataFrame, *, zone: str, title: str, note: str, moment: pd.Timestamp) -> Figure:
    """One customer's purchases by amount, with contacts and redemptions below, and a moment that parts them.

    Args:
        events: Canonical events of the customer.
        zone: The IANA zone of the x axis.
        title: Who.
        note: A description of the data.
        moment: As of which features are computed.
    """
    figure, axes = _figure(note, height=3.2)
    local = events["time"].dt.tz_convert(zone).dt.tz_localize(None)
    for kind, marker, colour in zip(("purchase", "contact", "redeemed"), "o|D", COLOURS, strict=False):
        chosen = events["type"] == kind
        height = events["amount"][chosen] if kind == "purchase" else pd.Series(-4.0, index=events.index)[chosen]
        label = f"{kind} ({int(chosen.sum())})"
        size = 18 if kind != "contact" else 70
        axes.scatter(local[chosen], height, s=size, marker=marker, color=colour, label=label, zorder=3)
    parting, end = (float(dates.date2num(at)) for at in (moment.tz_convert(zone).tz_localize(None), local.max()))  # type: ignore[no-untyped-call]
    axes.axvline(parting, color="0.3", linewidth=1, linestyle="--", label="the moment")
    axes.axvspan(parting, end, color="0.93")
    axes.set(title=title, xlabel=f"day, {zone}", ylabel="amount of a purchase, USD")
    axes.legend(ncols=4, loc="upper left", bbox_to_anchor=(0, -0.2), handletextpad=0.2)
    return figure


def table(estimates: Mapping[str, Mapping[str, Estimate]]) -> pd.DataFrame:
    """Estimates as text, value and 95 % interval, a row for each name and a column for each that is within."""
    return pd.DataFrame.from_dict(
        {name: {of: _text(estimate) for of, estimate in row.items()} for name, row in estimates.items()}, orient="index"
    )


def scoreboard(results: Mapping[str, TrainingResult]) -> pd.DataFrame:
    """AUC, log-loss and calibration error of models and their baselines, each with its 95 % interval, and n."""
    rows = {}
    for name, result in results.items():
        for contender, metrics in {"the model": result.metrics, **result.metrics["baselines"]}.items():
            shown = {metric: _text(Estimate(**metrics[metric])) for metric in ("auc", "log_loss", "ece")}
            rows[name, contender.replace("_", " ") + ("" if metrics is result.metrics else " alone")] = {
                "n": f"{result.metrics['n']:,}",
                "positive": f"{result.metrics['positives']:,}",
                **shown,
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def _text(estimate: Estimate) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*estimate)


def _dots(axes: Axes, panel: Sequence[Segment], reference: float | None) -> None:
    places = range(len(panel))
    values = [segment.estimate.value for segment in panel]
    axes.hlines(
        places, [s.estimate.low for s in panel], [s.estimate.high for s in panel], color=COLOURS[0], linewidth=1.6
    )
    axes.plot(values, places, "o", color=COLOURS[0], markersize=5)
    axes.set_yticks(places, [f"{segment.name}  (n = {segment.rows:,})" for segment in panel])
    axes.set_ylim(len(panel) - 0.5, -0.5)
    if reference is not None:
        axes.axvline(reference, color="0.6", linewidth=1, linestyle="--")


def _figure(note: str, height: float = 3.6) -> tuple[Figure, Axes]:
    figure = _canvas(height, note)
    return figure, figure.add_subplot()


def _canvas(height: float, note: str, width: float = 7.6) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7.5, color="0.4")
    return figure
