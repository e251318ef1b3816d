"""One training job: features of labelled examples, a fit on what came first, a test on what came last."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tactful.features.build import FeatureFrame, build_dataset_pairs
from tactful.features.definitions.definitions import Aggregation, AnyFeature, Calendar, Feature, FeatureSet, Ratio
from tactful.features.events.dataset import EventDataset
from tactful.models.base import calibration
from tactful.models.base.gbm import Parameters
from tactful.models.base.metrics import Outcomes
from tactful.models.scores.bgnbd import BGNBD_FEATURES, HISTORY, Outlook
from tactful.models.scores.classifier import ActionFeature, FittedModel
from tactful.training.data.labels import Examples, iso_date
from tactful.training.data.splits import Split
from tactful.training.fit.baselines import Baseline
from tactful.training.fit.candidate import latest
from tactful.training.fit.evaluation import TestRows, evaluate, univariate
from tactful.training.fit.fitting import Fit, Table, fit_calibrated, validation_log_loss

Progress = Callable[[str, int, int], None]
"""Called with the step that begins, its number from 1, and how many there are."""

STEPS = ("labels", "features", "fit", "evaluation")
_GROWING = frozenset(
    {
        Aggregation.COUNT,
        Aggregation.SUM,
        Aggregation.DISTINCT_DAYS,
        Aggregation.DISTINCT_CATEGORIES,
        Aggregation.DAYS_SINCE_FIRST,
    }
)


class History(NamedTuple):
    """How long a log had run, in days, when rows were taken.

    Attributes:
        learnt: At the latest row that is learnt from.
        tested: At the latest row that is tested.
    """

    learnt: float
    tested: float


WHOLE = History(math.inf, math.inf)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What to learn.

    Attributes:
        name: Of the score.
        label: The meaning of a positive example, in words.
        examples: Labelled rows.
        split: Of the examples.
        baselines: The models to beat; a set of a single feature means a logistic regression on its logarithm.
        per_action: Whether the score is of a customer and an offer.
        settings: The definition of the label, for the record.
        history: How long the log had run at the latest row of the pool, and at the latest of the test.
        outlook_days: How many days ahead purchases are predicted as further columns, where these help on validation;
            None for no such columns.
    """

    name: str
    label: str
    examples: Examples
    split: Split
    baselines: Mapping[str, FeatureSet | Baseline]
    per_action: bool
    settings: Mapping[str, int | float | str]
    history: History = WHOLE
    outlook_days: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """A fitted model with its evidence.

    Attributes:
        name: Of the score, such as "lapse".
        label: The predicted outcome, in words.
        model: The model for the bundle.
        feature_set: The features that it reads.
        metrics: See `tactful.training.fit.evaluation.evaluate`; besides, `calibration`, `rounds`, `split`,
            `left_out` and, where foretelling was tried, `outlook_log_loss` on validation with it and without.
        parameters: The settings of labels and fit.
        dataset: The events.
        test: The rows it was tested on.
        outlook: The model that predicts purchases by rhythm alone, read by the model or not; None where untried.
    """

    name: str
    label: str
    model: FittedModel
    feature_set: FeatureSet
    metrics: dict[str, Any]
    parameters: dict[str, int | float | str]
    dataset: EventDataset
    test: TestRows
    outlook: Outlook | None = None


def report_step(progress: Progress | None, step: str) -> None:
    """Tells that a step of a job begins."""
    if progress is not None:
        progress(step, STEPS.index(step) + 1, len(STEPS))


def run(
    task: Task,
    dataset: EventDataset,
    feature_set: FeatureSet,
    parameters: Parameters,
    progress: Progress | None = None,
) -> TrainingResult:
    """Fits and tests a model.

    Args:
        task: What to learn.
        dataset: The events its examples were labelled from.
        feature_set: What to compute of each customer.
        parameters: Of the fit.
        progress: Told of each step.

    Raises:
        ModelError: The outcome never varies in one of the parts.
    """
    report_step(progress, "features")
    frame = _frame(task.examples, dataset, feature_set)
    actions = _action_features(task) if task.per_action else ()
    report_step(progress, "fit")
    tried, losses = _outlook(task, frame, parameters)
    outlook = tried if losses and losses["with"] < losses["without"] else None
    table = _table(task, frame, actions, outlook)
    fitted = fit_calibrated(table, task.split, parameters)
    report_step(progress, "evaluation")
    until = latest(task.examples.known[task.split.pool])
    model = FittedModel(fitted.trees, fitted.calibration, task.per_action, actions, dataset.digest, {}, outlook, until)
    test = _test(task, table, frame, model, dataset)
    metrics = {**evaluate(test), **_record(task, fitted), **({"outlook_log_loss": losses} if losses else {})}
    summary = {name: metrics[name] for name in ("auc", "log_loss", "ece", "n", "positives")}
    return TrainingResult(
        name=task.name,
        label=task.label,
        model=replace(model, metrics=summary),
        feature_set=feature_set,
        metrics=metrics,
        parameters={**task.settings, **parameters.as_dict()},
        dataset=dataset,
        test=test,
        outlook=tried,
    )


def learnable(feature_set: FeatureSet, history: History = WHOLE) -> tuple[str, ...]:
    """The features that mean the same at any moment, in order.

    A part of the date is the same for all rows of a moment: with a year of data it does no more than name it.
    A count or sum over the whole history grows with the log itself, so that what was learnt when the log was
    young does not hold when it is older. A window that was never whole where it was learnt is the whole history by
    another name; if it is whole where it is tested, any statistic of it means something else there.

    Args:
        feature_set: The features that the service computes.
        history: How long the log had run.
    """
    out: set[str] = set()
    for feature in feature_set.features:
        made_of = {feature.numerator, feature.denominator} if isinstance(feature, Ratio) else set()
        if _shifts(feature, history) or made_of & out:
            out.add(feature.name)
    return tuple(name for name in feature_set.names if name not in out)


def _shifts(feature: AnyFeature, history: History) -> bool:
    if not isinstance(feature, Feature):
        return isinstance(feature, Calendar)
    window = math.inf if feature.window_days is None else feature.window_days
    if window <= history.learnt and feature.window_days is not None:
        return False
    return feature.aggregation in _GROWING or window <= history.tested < math.inf


def _frame(examples: Examples, dataset: EventDataset, feature_set: FeatureSet) -> FeatureFrame:
    return build_dataset_pairs(dataset, examples.customers.tolist(), examples.as_of.tolist(), feature_set)


def _action_features(task: Task) -> tuple[ActionFeature, ...]:
    """The offers' properties; of categories, those seen before the test."""
    seen = [offer for offer, known in zip(task.examples.offers, task.split.pool, strict=True) if known]
    names = sorted({name for offer in seen for name in offer})
    return tuple(ActionFeature(name, _categories([offer[name] for offer in seen if name in offer])) for name in names)


def _categories(values: list[float | str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if isinstance(value, str)}))


def _outlook(task: Task, frame: FeatureFrame, parameters: Parameters) -> tuple[Outlook | None, dict[str, float]]:
    """The model of rhythm, and the log-loss of trees on validation with it and without.

    It is fitted to the histories of the pool, which say nothing of any outcome in validation or test.
    """
    if task.outlook_days is None or not set(HISTORY) <= set(frame.feature_set.names):
        return None, {}
    outlook = Outlook.fit(_history_of(frame)[task.split.pool], task.outlook_days)
    losses = {
        name: validation_log_loss(_table(task, frame, (), tried), task.split, parameters)
        for name, tried in (("without", None), ("with", outlook))
    }
    return outlook, losses


def _history_of(frame: FeatureFrame) -> NDArray[np.float64]:
    return frame.values[:, [frame.feature_set.names.index(name) for name in HISTORY]]


def _table(task: Task, frame: FeatureFrame, actions: tuple[ActionFeature, ...], outlook: Outlook | None) -> Table:
    examples = task.examples
    names = learnable(frame.feature_set, task.history)
    positions = [frame.feature_set.names.index(name) for name in names]
    codes = [[feature.encode(offer) for feature in actions] for offer in examples.offers]
    foretold = [] if outlook is None else [outlook.columns(_history_of(frame))]
    return Table(
        values=np.hstack([frame.values[:, positions], *foretold, *([np.array(codes)] if actions else [])]),
        positive=examples.positive,
        customers=examples.customers,
        columns=(*names, *(BGNBD_FEATURES if foretold else ()), *(feature.name for feature in actions)),
        categorical=tuple(feature.name for feature in actions if feature.categories),
    )


def _test(task: Task, table: Table, frame: FeatureFrame, model: FittedModel, dataset: EventDataset) -> TestRows:
    chosen = np.flatnonzero(task.split.test)
    return TestRows(
        outcomes=Outcomes.of(table.positive[chosen], table.customers[chosen].astype(str)),
        probability=model.calibration.apply(model.trees.predict(table.values[chosen])),
        baselines={name: _baseline(task, dataset, baseline)[chosen] for name, baseline in task.baselines.items()},
        features=frame.values[chosen],
        offers=tuple(task.examples.offers[i] for i in chosen) if task.per_action else (),
    )


def _baseline(task: Task, dataset: EventDataset, baseline: FeatureSet | Baseline) -> NDArray[np.float64]:
    positive, fit_to = task.examples.positive, task.split.pool & task.examples.counted
    if isinstance(baseline, FeatureSet):
        return univariate(_frame(task.examples, dataset, baseline).values[:, 0], positive, fit_to)
    return baseline.predict(_frame(task.examples, dataset, baseline.feature_set).values, positive, fit_to)


def _record(task: Task, fitted: Fit) -> dict[str, Any]:
    parts = {name: getattr(task.split, name) for name in ("train", "validation", "pool", "test")}
    return {
        "calibration": calibration.to_json(fitted.calibration),
        "validation_log_loss": fitted.validation_log_loss,
        "rounds": fitted.trees.rounds,
        "split": {name: _describe(task.examples, mask) for name, mask in parts.items()},
        "left_out": dict(task.examples.left_out),
    }


def _describe(examples: Examples, mask: NDArray[np.bool_]) -> dict[str, Any]:
    as_of = examples.as_of[mask]
    return {
        "rows": int(mask.sum()),
        "positives": int(examples.positive[mask].sum()),
        "moments": len(np.unique(as_of)),
        "from": iso_date(int(as_of.min())),
        "to": iso_date(int(as_of.max())),
        "settled": iso_date(int(examples.known[mask].max())),
    }
