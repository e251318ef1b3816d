"""Plots of candidates that are no classifiers: effects by message, predictions against what happened."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tactful.features.array_types import Floats
from tactful.training.fit.by_action import ArmCalibration

_TENTHS = 10


def effects(evidence: Mapping[str, Mapping[str, Any]], *, title: str) -> Figure:
    """The effect of each message with two standard errors, beside what was stated."""
    figure = _figure(1.5 + 0.3 * len(evidence))
    axes = figure.add_subplot(xlabel="change in the probability of the outcome", title=title)
    places = np.arange(len(evidence))
    learnt = [figures["effect"] for figures in evidence.values()]
    reach = [2 * figures["uncertainty"] for figures in evidence.values()]
    axes.errorbar(learnt, places, xerr=reach, fmt="o", markersize=4, capsize=2, label="learnt, two standard errors")
    axes.scatter([figures["prior"] for figures in evidence.values()], places, marker="x", color="0.4", label="stated")
    axes.axvline(0.0, color="0.7", linewidth=1)
    axes.set_yticks(places, list(evidence))
    axes.legend()
    return figure


def by_action(arms: Sequence[ArmCalibration], *, title: str) -> Figure:
    """The predicted against the observed outcome of each arm, with two standard errors."""
    figure = _figure(1.5 + 0.3 * max(len(arms), 1))
    axes = figure.add_subplot(xlabel="predicted less observed, two standard errors", title=title)
    reach = [2 * one.error for one in arms]
    axes.errorbar([one.bias for one in arms], range(len(arms)), xerr=reach, fmt="o", markersize=4, capsize=2)
    axes.axvline(0.0, color="0.7", linewidth=1)
    axes.set_yticks(range(len(arms)), [one.arm for one in arms])
    return figure


def tenths(expected: Floats, observed: Floats, *, title: str, unit: str) -> Figure:
    """Mean of what happened against mean of what was expected, by tenths of the latter, with 95 % intervals."""
    figure = _figure(4.5)
    axes = figure.add_subplot(xlabel=f"expected, {unit}", ylabel=f"observed, {unit}", title=title)
    parts = [part for part in np.array_split(np.argsort(expected, kind="stable"), _TENTHS) if len(part) > 1]
    means = np.array([(expected[part].mean(), observed[part].mean()) for part in parts])
    reach = [1.96 * observed[part].std(ddof=1) / np.sqrt(len(part)) for part in parts]
    most = float(means.max())
    axes.plot([0, most], [0, most], color="0.7", linewidth=1, label="perfect")
    label = f"tenths of {len(expected):,} test rows, 95 % interval"
    axes.errorbar(means[:, 0], means[:, 1], yerr=reach, fmt="o", markersize=4, capsize=2, label=label)
    axes.legend(loc="upper left")
    return figure


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(6.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
