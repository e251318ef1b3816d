"""Figures of a test: how true the probabilities are, how well they rank, what they rest on."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from tactful.training.fit.evaluation import TestRows
from tactful.training.fit.job import TrainingResult

_SHOWN = 20


def figures(result: TrainingResult) -> dict[str, Figure]:
    """The figures of a training result, by name: `calibration`, `roc` and `importance`."""
    return {
        "calibration": calibration(result.test, title=result.name),
        "roc": roc(result.test, title=result.name),
        "importance": importance(result.model.trees.importance(), title=result.name),
    }


def calibration(test: TestRows, *, title: str) -> Figure:
    """Observed share against predicted probability on ten equal-mass bins, with 95 % normal intervals."""
    figure = _figure()
    axes = figure.add_subplot(xlabel="predicted probability", ylabel="observed share", title=f"{title}: calibration")
    draw_calibration(axes, test)
    return figure


def draw_calibration(axes: Axes, test: TestRows) -> None:
    """Draws a calibration curve into axes."""
    curve = test.outcomes.reliability(test.probability)
    error = 1.96 * np.sqrt(curve.observed * (1 - curve.observed) / curve.rows)
    most = float(max(curve.predicted.max(), (curve.observed + error).max()))
    axes.plot([0, most], [0, most], color="0.7", linewidth=1, label="perfect")
    label = f"tenths of {len(test.probability):,} test rows, 95 % interval"
    axes.errorbar(curve.predicted, curve.observed, yerr=error, fmt="o", markersize=4, capsize=2, label=label)
    axes.set_ylim(top=1.25 * most)
    axes.legend(loc="upper left")


def roc(test: TestRows, *, title: str) -> Figure:
    """True against false positive rate of the model and of each baseline."""
    figure = _figure()
    axes = figure.add_subplot(xlabel="false positive rate", ylabel="true positive rate", title=f"{title}: ROC")
    for name, probability in {"model": test.probability, **test.baselines}.items():
        false, true, _ = roc_curve(test.outcomes.positive, probability)
        area = test.outcomes.value(test.outcomes.auc(probability))
        label = f"{name.replace('_', ' ')} {area:.3f}"
        axes.plot(false, true, linewidth=2 if name == "model" else 1, label=label)
    axes.legend(title="area under the curve")
    return figure


def importance(shares: dict[str, float], *, title: str) -> Figure:
    """The share of the trees' total gain of the most important columns."""
    shown = dict(list(shares.items())[:_SHOWN])
    figure = _figure(height=6.0)
    axes = figure.add_subplot(xlabel="share of the gain", title=f"{title}: what it rests on")
    axes.barh(list(shown), list(shown.values()))
    axes.invert_yaxis()
    return figure


def _figure(height: float = 4.5) -> Figure:
    figure = Figure(figsize=(6.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
