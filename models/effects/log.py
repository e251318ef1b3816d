"""A log of actions, outcomes and logged probabilities, checked for what it can show about effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from tactful.features.array_types import Floats, Ints
from tactful.models.base.errors import ModelError

_SUM_TOLERANCE = 1e-6
_IMPLAUSIBLE = 5.0
_LARGEST, _SMALLEST = 1e50, 1e-50
_RARELY = 1e-5
_BETS = np.geomspace(0.01, 0.999, 6)
_FAVOURITE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """The action of each row, its probability, and its outcome.

    Attributes:
        actions: The k labels, the baseline first, then in order of their names.
        action: Position of the taken action, shape (n,).
        outcome: Shape (n,).
        probability: Of the taken action, in (0, 1], shape (n,).
        possible: Whether an action could have been drawn, shape (n, k). Where only the taken action's probability
            is known, every action counts as possible unless that probability is 1.
        customer: Position of the row's customer, shape (n,).
    """

    actions: tuple[str, ...]
    action: Ints
    outcome: Floats
    probability: Floats
    possible: NDArray[np.bool_]
    customer: Ints

    @classmethod
    def of(
        cls,
        action: ArrayLike,
        outcome: ArrayLike,
        propensity: ArrayLike | pd.DataFrame | None,
        *,
        baseline: str,
        customer: ArrayLike | None = None,
        known: Sequence[str] = (),
    ) -> Self:
        """Checks a log; `tactful.models.effects.model.EffectModel.fit` describes arguments and errors."""
        labels = _labels(action)
        values = _vector("outcome", outcome, len(labels))
        _check_size(values)
        customers = np.arange(len(labels)) if customer is None else _codes(customer, len(labels))
        chances = _table(propensity, sorted({*labels, *known, baseline}), len(labels))
        names = {*labels, *known, *([] if chances is None else chances.columns)} - {baseline}
        actions = (baseline, *sorted(names))
        taken = np.array([actions.index(label) for label in labels], dtype=np.int64)
        if chances is None:
            taken_chance = _vector("propensity", propensity, len(labels))
            _check_chances(taken_chance)
            possible = np.repeat(taken_chance[:, None] < 1, len(actions), axis=1)
            _check_weights(actions, taken, taken_chance)
            _check_likely(taken_chance)
        else:
            table = chances.reindex(columns=list(actions), fill_value=0.0).to_numpy(dtype=np.float64)
            taken_chance = _taken_chances(table, taken)
            possible = table > 0
            _check_frequencies(actions, taken, table)
        _check_shows_effects(actions, taken, taken_chance, values)
        return cls(actions, taken, values, taken_chance, possible, customers)

    @property
    def binary(self) -> bool:
        """Whether each outcome is 0 or 1."""
        return bool(np.isin(self.outcome, (0.0, 1.0)).all())

    def comparable(self) -> NDArray[np.bool_]:
        """Rows at which an action and the baseline could both have been drawn, shape (n, k)."""
        return self.possible & self.possible[:, :1]


def _labels(action: ArrayLike) -> list[str]:
    values = pd.Series(np.asarray(action).ravel(), dtype=object)
    if not len(values) or values.isna().any():
        raise ModelError("unknown actions", got=f"{int(values.isna().sum())} missing of {len(values)}", wanted="labels")
    return [str(value) for value in values]


def _vector(name: str, values: Any, rows: int) -> Floats:
    if values is None:
        raise ModelError(
            "a log that cannot show an effect",
            got="no probabilities",
            wanted="the logged probability of each taken action",
            where=name,
        )
    vector = pd.to_numeric(pd.Series(np.asarray(values).ravel()), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    if len(vector) != rows or not np.isfinite(vector).all():
        got = f"{len(vector)} values, {int((~np.isfinite(vector)).sum())} of them no number"
        raise ModelError("unfit values", got=got, wanted=f"{rows} finite numbers", where=name)
    return np.asarray(vector, dtype=np.float64)


def _codes(customer: ArrayLike, rows: int) -> Ints:
    names = pd.Series(np.asarray(customer).ravel())
    if len(names) != rows or names.isna().any():
        raise ModelError("unfit customers", got=f"{int(names.notna().sum())} known", wanted=f"{rows} ids")
    return np.unique(names.to_numpy(), return_inverse=True)[1].astype(np.int64)


def _table(propensity: Any, labels: list[str], rows: int) -> pd.DataFrame | None:
    """Probabilities over all actions, where they are such."""
    if isinstance(propensity, pd.DataFrame):
        table = propensity.set_axis([str(name) for name in propensity.columns], axis=1)
    elif propensity is None or np.ndim(propensity) < 2:
        return None
    else:
        array = np.asarray(propensity, dtype=np.float64)
        if array.shape != (rows, len(labels)):
            wanted = f"({rows}, {len(labels)}), a column each for {', '.join(labels)}, or a DataFrame with labels"
            raise ModelError("unfit probabilities", got=array.shape, wanted=wanted, where="propensity")
        table = pd.DataFrame(array, columns=labels)
    if len(table) != rows or not table.columns.is_unique:
        got = f"{len(table)} rows of {list(table.columns)}"
        raise ModelError("unfit probabilities", got=got, wanted=f"{rows} rows, each action once", where="propensity")
    return table


def _check_size(outcome: Floats) -> None:
    """Squares of outcomes, and of what differs between them, must be numbers above 0."""
    if (largest := float(np.abs(outcome).max())) > _LARGEST:
        raise ModelError("outcomes too large", got=largest, wanted=f"at most {_LARGEST:g}", where="outcome")
    if 0 < (spread := float(np.ptp(outcome))) < _SMALLEST:
        wanted = f"differences of at least {_SMALLEST:g}"
        raise ModelError("outcomes too much alike", got=spread, wanted=wanted, where="outcome")


def _check_chances(chance: Floats) -> None:
    outside = int(((chance <= 0) | (chance > 1)).sum())
    if outside:
        got = f"{outside} outside, such as {chance[(chance <= 0) | (chance > 1)][0]:g}"
        raise ModelError("impossible probabilities", got=got, wanted="each in (0, 1]", where="propensity")


def _taken_chances(table: Floats, taken: Ints) -> Floats:
    known = np.isfinite(table).all() and ((table >= 0) & (table <= 1 + _SUM_TOLERANCE)).all()
    if not known:
        raise ModelError("impossible probabilities", got=table.min(), wanted="each in [0, 1]", where="propensity")
    sums = table.sum(axis=1)
    off = float(np.abs(sums - 1).max())
    if off > _SUM_TOLERANCE:
        raise ModelError("probabilities of a row do not sum to 1", got=f"off by {off:g}", wanted=1, where="propensity")
    chance = np.minimum(table[np.arange(len(taken)), taken], 1.0)
    _check_chances(chance)
    return chance


def _check_frequencies(actions: tuple[str, ...], taken: Ints, table: Floats) -> None:
    """Actions must be taken about as often as their probabilities say.

    Draws minus probabilities are martingale differences, whatever else links the rows.
    """
    observed = np.bincount(taken, minlength=len(actions))
    expected = table.sum(axis=0)
    margin = _IMPLAUSIBLE * (np.sqrt((table * (1 - table)).sum(axis=0)) + 1)
    for j in np.flatnonzero(np.abs(observed - expected) > margin).tolist():
        wanted = f"{expected[j]:.0f} ± {margin[j]:.0f} by the logged probabilities"
        raise ModelError("probabilities contradict the actions", got=int(observed[j]), wanted=wanted, where=actions[j])


def _check_weights(actions: tuple[str, ...], taken: Ints, chance: Floats) -> None:
    """The inverse probabilities of an action sum to the number of rows where it was possible: at most to n."""
    weight = np.bincount(taken, 1 / chance, minlength=len(actions))
    spread = np.sqrt(np.bincount(taken, (1 - chance) / chance**2, minlength=len(actions)))
    most = len(taken) + _IMPLAUSIBLE * (spread + 1)
    for j in np.flatnonzero(weight > most).tolist():
        got, wanted = f"inverse probabilities that sum to {weight[j]:.0f}", f"at most {most[j]:.0f}"
        raise ModelError("probabilities contradict the actions", got=got, wanted=wanted, where=actions[j])


def _check_likely(chance: Floats) -> None:
    """An action with a large probability must be missed as often as that probability says.

    Where some action has a probability p above t, at least 1/2, it is taken with p, and whatever else is taken is
    logged with at most 1 - t. A bet of a share b that wins b (1 - p) / p of the stake in the first case and loses b in
    the second is fair; in other rows it can only lose. So the wealth after bets on all rows is at most 1 on average,
    however the rows are linked, and true probabilities make 100,000 of it at most once in 100,000 logs (Ville 1939;
    Waudby-Smith and Ramdas 2024, Estimating means of bounded random variables by betting, JRSS B 86).
    """
    wealth = []
    for bound in _FAVOURITE:
        favoured = chance[chance > bound]
        odds, missed = (1 - favoured) / favoured, int((chance <= 1 - bound).sum())
        wealth += [float(np.log1p(bet * odds).sum() + missed * np.log1p(-bet)) for bet in _BETS]
    if logsumexp(wealth) - np.log(len(wealth)) >= -np.log(_RARELY):
        got, wanted = f"{(chance > 1 / 2).mean():.0%} above 1/2", "what is likely to be missed as often as that says"
        raise ModelError("probabilities contradict the actions", got=got, wanted=wanted, where="propensity")


def _check_shows_effects(actions: tuple[str, ...], taken: Ints, chance: Floats, outcome: Floats) -> None:
    if (chance == 1).all():
        raise ModelError(
            "a log that cannot show an effect",
            got="every action taken with probability 1",
            wanted="actions drawn at random, with their probabilities",
            where="propensity",
        )
    if not (taken == 0).any():
        raise ModelError("a log that cannot show an effect", got="nobody left alone", wanted=f"rows of {actions[0]!r}")
    if len(set(taken[chance < 1])) < 2:
        raise ModelError("a log that cannot show an effect", got="one action", wanted="two, drawn at random")
    if outcome.min() == outcome.max():
        raise ModelError("an outcome that never varies", got=outcome[0], wanted="two values", where="outcome")
