"""The effect model: what each message changes, learnt from logged decisions and from what the catalogue states."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NoReturn

import numpy as np
import pandas as pd

from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.kernel.decision import SILENCE
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.timestamps import EARLIEST
from tactful.models.base.errors import ModelError
from tactful.models.effects.doubly_robust import Nuisance
from tactful.models.effects.model import EffectModel, Prior
from tactful.models.effects.scorer import EffectScorer
from tactful.training.data.errors import TrainingError
from tactful.training.data.rows import DecisionRows
from tactful.training.data.splits import TEST_SHARE, latest_share
from tactful.training.figures import candidate_plots
from tactful.training.fit.by_action import ArmCalibration, whatever_ties
from tactful.training.fit.candidate import Candidate, latest
from tactful.training.fit.job import Progress, learnable, report_step

NAME = "effect"
_LEAST_ROWS = 100
_LEAST_LIKELY = 0.01


def catalogue_priors(catalogue: Catalogue) -> dict[str, Prior]:
    """The marketer's belief about each message's effect: mean and weight."""
    return {
        message.id: Prior(message.effect.mean, message.effect.weight)
        for programme in catalogue.programmes
        for message in programme.messages
        if message.effect is not None
    }


def fit_effects(
    rows: DecisionRows,
    priors: Mapping[str, Prior],
    *,
    columns: Sequence[str] | None = None,
    nuisance: Nuisance = "linear",
    seed: int = 7,
) -> EffectModel:
    """Learns the effect of each message against silence.

    Args:
        rows: Settled decisions, see `tactful.training.data.attribution.every_decision`.
        priors: By message; those of messages that were never sent are kept as they are, but for what all share.
        columns: Features to learn from; all where None.
        nuisance: How outcomes are predicted inside the scores: `linear` takes seconds for 50,000 rows, `trees` longer.
        seed: Of the folds.

    Raises:
        ModelError: The log cannot show an effect: nothing was drawn at random, nobody was left alone, or the
            probabilities contradict the choices.
    """
    names = list(rows.feature_names if columns is None else columns)
    return EffectModel(priors=priors, nuisance=nuisance, seed=seed).fit(
        pd.DataFrame(rows.columns(names), columns=names),
        rows.taken_arms,
        rows.outcomes,
        pd.DataFrame(rows.probabilities, columns=list(rows.arms)),
        baseline=SILENCE,
        customer=rows.customers,
    )


def train(
    rows: DecisionRows,
    priors: Mapping[str, Prior],
    *,
    judged_from: int | None = None,
    feature_set: FeatureSet = STANDARD,
    nuisance: Nuisance = "linear",
    progress: Progress | None = None,
) -> Candidate:
    """Learns from all settled decisions, after testing on the latest what the earlier ones would have said.

    Where decisions are to judge the model afterwards, it learns from what was settled before them, and is tested on
    them itself.

    The test compares, by message, the mean effect that was predicted with the unbiased estimate of the later
    decisions; all of them share their silence, so that their errors depend on each other. The release gate judges
    decisions, and so measures the value of an effect model.

    Args:
        rows: See `tactful.training.data.attribution.every_decision`.
        priors: The beliefs that the catalogue states.
        judged_from: Nothing settled later is learnt from, microseconds since the epoch; None for no such bound.
        feature_set: The logged features.
        nuisance: See `fit_effects`.
        progress: Told of each step.

    Raises:
        TrainingError: Other features than those logged.
        ModelError: The log cannot show an effect.
    """
    if not (rows.taken > 0).any():
        got = ", ".join(f"{count:,} {reason}" for reason, count in rows.left_out.items()) or "silence alone"
        raise TrainingError("a log that cannot show an effect", got=got, wanted="contacts that were delivered")
    columns = learnable(feature_set)
    learnt = rows if judged_from is None else _settled(rows, judged_from)
    report_step(progress, "fit")
    model = fit_effects(learnt, priors, columns=columns, nuisance=nuisance)
    report_step(progress, "evaluation")
    test_from = latest_share(rows.moments, TEST_SHARE) if judged_from is None else judged_from
    held = _out_of_time(rows, test_from, priors, columns, nuisance)
    likely = whatever_ties(held)
    evidence = _evidence(model)
    metrics = {
        "n": len(learnt),
        "customers": len(set(learnt.customers.tolist())),
        "outcome": float(learnt.outcomes.mean()),
        "effects": evidence,
        "by_action": [one.as_dict() for one in held],
        "by_action_p": likely,
        "left_out": dict(rows.left_out),
    }
    refusals = (f"effects did not hold on later decisions: joint p = {likely:.4f}, at least {_LEAST_LIKELY} wanted",)
    summary = {"n": len(learnt), "effects": evidence, "by_action_p": likely}
    return Candidate(
        name=NAME,
        model=EffectScorer(model, rows.digest, summary, latest(learnt.settled)),
        feature_set=feature_set,
        data_digest=rows.digest,
        parameters=settings(priors, nuisance),
        metrics=metrics,
        refusals=refusals if likely < _LEAST_LIKELY else (),
        figures=lambda: {
            "effects": candidate_plots.effects(evidence, title=NAME),
            "later": candidate_plots.by_action(held, title=f"{NAME}: later decisions"),
        },
    )


def settings(priors: Mapping[str, Prior], nuisance: Nuisance) -> dict[str, str]:
    """The dependencies of the model besides the log."""
    stated = {message: [prior.mean, prior.weight] for message, prior in sorted(priors.items())}
    return {"nuisance": nuisance, "priors": json.dumps(stated)}


def refuse_campaigns(where: object) -> NoReturn:
    """Says why imported campaigns show no effect.

    Raises:
        TrainingError: Always.
    """
    raise TrainingError(
        "a log that cannot show an effect",
        got="imported contacts without the probability that each was made",
        wanted="decisions logged by Tactful, with silence among the choices",
        where=where,
    )


def _settled(rows: DecisionRows, judged_from: int) -> DecisionRows:
    settled = rows.settled <= judged_from
    if not settled.any():
        got, until = f"{len(rows)} decisions, none settled", EARLIEST + timedelta(microseconds=judged_from)
        raise TrainingError("no decision to learn from", got=got, wanted=f"some settled by {until:%Y-%m-%d %H:%M} UTC")
    return rows.where(settled)


def _out_of_time(
    rows: DecisionRows, test_from: int, priors: Mapping[str, Prior], columns: Sequence[str], nuisance: Nuisance
) -> list[ArmCalibration]:
    """Effects predicted by earlier decisions against those of later ones; empty where either part shows none."""
    pool, test = rows.settled <= test_from, rows.moments >= test_from
    if not pool.any() or pool.sum() + test.sum() < 2 * _LEAST_ROWS:
        return []
    later = rows.where(test)
    try:
        earlier = fit_effects(rows.where(pool), priors, columns=columns, nuisance=nuisance)
        told = fit_effects(later, {}, columns=columns, nuisance=nuisance).evidence
    except ModelError:
        return []
    predicted = earlier.effect(pd.DataFrame(later.columns(columns), columns=list(columns)))
    unsure = earlier.evidence["uncertainty"]
    found = []
    for message, figures in zip(told.index.astype(str), told.to_dict("records"), strict=True):
        arm = rows.arms.index(message)
        comparable = (later.probabilities[:, 0] > 0) & (later.probabilities[:, arm] > 0)
        if not comparable.any() or not np.isfinite(figures["estimate"]) or message not in predicted:
            continue
        error = float(np.hypot(figures["error"], unsure[message]))
        mean = float(predicted.loc[comparable, message].mean())
        found.append(ArmCalibration(message, int(figures["taken"]), mean, float(figures["estimate"]), error))
    return found


def _evidence(model: EffectModel) -> dict[str, dict[str, float | None]]:
    """By message, the figures behind its effect and its 95 % interval; None for what is not known."""
    reach = 1.96 * model.evidence["uncertainty"]
    found = model.evidence.assign(low=model.evidence["effect"] - reach, high=model.evidence["effect"] + reach)
    table = found.astype(object).where(found.notna(), None)
    return dict(zip(table.index.astype(str), table.to_dict("records"), strict=True))
