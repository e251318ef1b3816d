"""The response model from logged decisions: which delivered contact is answered, with what was known at its moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.models.base import calibration
from tactful.models.base.gbm import Parameters
from tactful.models.base.metrics import Outcomes
from tactful.models.scores.classifier import ActionFeature, FittedModel
from tactful.training.data.errors import TrainingError
from tactful.training.data.rows import DecisionRows
from tactful.training.data.splits import Split, by_share
from tactful.training.figures.plots import calibration as calibration_plot
from tactful.training.figures.plots import importance, roc
from tactful.training.fit.calibrated import by_action
from tactful.training.fit.candidate import Candidate, latest
from tactful.training.fit.evaluation import TestRows, evaluate
from tactful.training.fit.fitting import Table, fit_calibrated
from tactful.training.fit.job import Progress, learnable, report_step
from tactful.training.jobs.classifier_candidate import TOLERANCES, gains, refusals
from tactful.training.jobs.response_imported import NAME, PARAMETERS

Offers = Mapping[str, Mapping[str, float | str]]
"""By message, the figures of its offer; the channel is added to them."""

_WEIGHT = 20.0
_LEAST_ANSWERED = 50


@dataclass(frozen=True, slots=True, eq=False)
class _Contacts:
    """Delivered contacts of messages with an offer."""

    rows: DecisionRows
    offers: tuple[Mapping[str, float | str], ...]


def train(
    rows: DecisionRows,
    offers: Offers,
    *,
    judged_from: int | None = None,
    feature_set: FeatureSet = STANDARD,
    parameters: Parameters = PARAMETERS,
    progress: Progress | None = None,
) -> Candidate:
    """Trains on earlier contacts and tests on the latest whose window is over.

    Args:
        rows: See `tactful.training.data.attribution.delivered_contacts`; the features are those of `feature_set`, in
            order.
        offers: The offer of each message; contacts of other messages are left out, since the model reads offers.
        judged_from: The test begins there at the latest, microseconds since the epoch; None for the latest 30 %.
        feature_set: The logged features.
        parameters: Of the fit.
        progress: Told of each step.

    Raises:
        TrainingError: No contact with an offer, other features, or too short a log.
        ModelError: The outcome never varies in one of the parts.
    """
    if rows.feature_names != feature_set.names:
        got, wanted = len(rows.feature_names), f"the {len(feature_set.names)} of the feature set"
        raise TrainingError("other features than the model's", got=got, wanted=wanted)
    report_step(progress, "features")
    contacts = _with_offers(rows, offers)
    split = by_share(contacts.rows.moments, contacts.rows.settled, judged_from)
    actions = _action_features(contacts, split.pool)
    table = _table(contacts, actions, feature_set)
    report_step(progress, "fit")
    fitted = fit_calibrated(table, split, parameters)
    digest, until = contacts.rows.digest, latest(contacts.rows.settled[split.pool])
    model = FittedModel(fitted.trees, fitted.calibration, True, actions, digest, {}, learnt_until=until)
    report_step(progress, "evaluation")
    test = _test(contacts, table, split, model)
    metrics = {**evaluate(test), **by_action(test, contacts.rows.taken_arms[split.test].tolist())}
    metrics |= {
        "calibration": calibration.to_json(fitted.calibration),
        "rounds": fitted.trees.rounds,
        "rows": {"pool": int(split.pool.sum()), "test": int(split.test.sum())},
        "left_out": dict(rows.left_out),
    }
    summary = {name: metrics[name] for name in ("auc", "log_loss", "ece", "n", "positives")}
    model = replace(model, metrics=summary)
    return Candidate(
        name=NAME,
        label="an answer to the last contact in its message's window",
        model=model,
        feature_set=feature_set,
        data_digest=digest,
        parameters={"source": "logged decisions", **parameters.as_dict()},
        metrics=metrics,
        refusals=refusals(metrics),
        tolerances=TOLERANCES,
        gains_over=lambda champion: gains(test, champion, model, feature_set),
        figures=lambda: {
            "calibration": calibration_plot(test, title=NAME),
            "roc": roc(test, title=NAME),
            "importance": importance(model.trees.importance(), title=NAME),
        },
    )


def require(rows: DecisionRows, offers: Offers, judged_from: int | None = None) -> None:
    """Refuses a log that is too short to learn responses from.

    Args:
        rows: As for `train`.
        offers: As for `train`.
        judged_from: As for `train`.

    Raises:
        TrainingError: No contact with an offer, or too few before and after a moment.
    """
    contacts = _with_offers(rows, offers)
    split = by_share(contacts.rows.moments, contacts.rows.settled, judged_from)
    answered = int((contacts.rows.outcomes[split.pool] > 0).sum())
    if answered < _LEAST_ANSWERED:
        raise TrainingError("too few answers to learn from", got=answered, wanted=f"at least {_LEAST_ANSWERED}")


def _with_offers(rows: DecisionRows, offers: Offers) -> _Contacts:
    known = np.array([arm in offers for arm in rows.taken_arms.tolist()], dtype=bool)
    if not known.any() or rows.channels is None:
        raise TrainingError("no contact with an offer", got=sorted(set(rows.taken_arms)), wanted=sorted(offers))
    kept = rows.where(known)
    channels = () if kept.channels is None else kept.channels.tolist()
    told = zip(kept.taken_arms.tolist(), channels, strict=True)
    return _Contacts(kept, tuple({**offers[arm], "channel": channel} for arm, channel in told))


def _action_features(contacts: _Contacts, pool: NDArray[np.bool_]) -> tuple[ActionFeature, ...]:
    """The offers' properties; of categories, those seen before the test."""
    seen = [offer for offer, known in zip(contacts.offers, pool, strict=True) if known]
    names = sorted({name for offer in seen for name in offer})
    return tuple(ActionFeature(name, _categories([o[name] for o in seen if name in o])) for name in names)


def _categories(values: Sequence[float | str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if isinstance(value, str)}))


def _table(contacts: _Contacts, actions: tuple[ActionFeature, ...], feature_set: FeatureSet) -> Table:
    names = learnable(feature_set)
    codes = [[feature.encode(offer) for feature in actions] for offer in contacts.offers]
    return Table(
        values=np.hstack([contacts.rows.columns(names), np.array(codes).reshape(len(codes), len(actions))]),
        positive=contacts.rows.outcomes > 0,
        customers=contacts.rows.customers,
        columns=(*names, *(feature.name for feature in actions)),
        categorical=tuple(feature.name for feature in actions if feature.categories),
    )


def _test(contacts: _Contacts, table: Table, split: Split, model: FittedModel) -> TestRows:
    chosen = np.flatnonzero(split.test)
    return TestRows(
        outcomes=Outcomes.of(table.positive[chosen], table.customers[chosen].astype(str)),
        probability=model.score(table.values[chosen]),
        baselines={"message": _by_message(contacts.rows, split)[chosen]},
        features=contacts.rows.features[chosen],
        offers=tuple(contacts.offers[i] for i in chosen),
    )


def _by_message(rows: DecisionRows, split: Split) -> NDArray[np.float64]:
    """The share of each message's contacts that were answered before the test, drawn to that of all by 20 contacts."""
    arm, size = rows.taken[split.pool], len(rows.arms)
    answered = np.bincount(arm, rows.outcomes[split.pool], minlength=size)
    overall = rows.outcomes[split.pool].mean()
    shares = (answered + _WEIGHT * overall) / (np.bincount(arm, minlength=size) + _WEIGHT)
    return np.asarray(shares[rows.taken], dtype=np.float64)
