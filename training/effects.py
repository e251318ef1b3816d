"""The effect model: what each message changes, learnt from logged decisions and from what the catalogue states."""

from collections.abc import Mapping, Sequence

import pandas as pd

from decisions.catalogue import Catalogue
from decisions.decision import SILENCE
from models.effect import EffectModel, Prior
from models.effect_scores import Nuisance
from training.decision_rows import DecisionRows

NAME = "effect"


def catalogue_priors(catalogue: Catalogue) -> dict[str, Prior]:
    """What the marketer states of each message's effect: mean and weight."""
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
        rows: Settled decisions, see `training.attribution.every_decision`.
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
