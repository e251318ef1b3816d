"""The effect of each action against no contact, learnt from a log with probabilities, shrunk towards prior knowledge.

`EffectModel` joins cross-fitted doubly robust scores (`tactful.models.effects.doubly_robust`), pooling of the actions'
average effects (`tactful.models.effects.pooling`) and a ridge regression of what differs between customers
(`tactful.models.effects.heterogeneity`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from tactful.features.array_types import Floats
from tactful.models.base.errors import ModelError
from tactful.models.base.gbm import Parameters
from tactful.models.base.table import Table
from tactful.models.effects.baseline import Unaided
from tactful.models.effects.doubly_robust import Nuisance, Scores, scores
from tactful.models.effects.fitted import FIGURES, FittedEffects, conclude
from tactful.models.effects.heterogeneity import Deviation, learn_deviation
from tactful.models.effects.log import Log
from tactful.models.effects.policy import Amounts, amounts, assign, capacities
from tactful.models.effects.pooling import Prior

__all__ = ["EffectModel", "Prior"]


_TREES = Parameters(rounds=100, learning_rate=0.05, leaves=7, column_sample=0.7)
_LEAST_TAKEN = 50


@dataclass(kw_only=True)
class EffectModel:
    """Effects of actions against not contacting, for each row of a table.

    Attributes:
        priors: By action; an action without one has mean 0 and weight 0.
        nuisance: How the outcome is predicted inside the scores: boosted trees, or a ridge regression, which is
            faster and takes over for outcomes other than 0 and 1.
        folds: Parts the customers are split into, at least 2.
        seed: Of the split.
        parameters: Of the boosted trees.

    Example:
        >>> generator = np.random.default_rng(0)
        >>> rows = pd.DataFrame({"visits": generator.poisson(3, 4000)})
        >>> action = generator.choice(["no contact", "coupon"], 4000)
        >>> outcome = generator.random(4000) < 0.1 + 0.1 * (action == "coupon")
        >>> model = EffectModel(nuisance="linear").fit(rows, action, outcome, np.full(4000, 0.5))
        >>> model.effect(rows.head(1)).round(2).to_dict("records")
        [{'no contact': 0.0, 'coupon': 0.09}]
        >>> model.policy(rows.head(1), value=20.0, cost=0.5).tolist()
        ['coupon']
    """

    priors: Mapping[str, Prior] = field(default_factory=dict)
    nuisance: Nuisance = "trees"
    folds: int = 5
    seed: int = 7
    parameters: Parameters = _TREES
    _state: FittedEffects | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.nuisance not in ("trees", "linear"):
            raise ModelError("unknown nuisance", got=self.nuisance, wanted="trees or linear")
        if self.folds < 2:
            raise ModelError("unfit number of folds", got=self.folds, wanted="at least 2")

    def fit(
        self,
        X: pd.DataFrame,  # noqa: N803 - the field's name for it
        action: ArrayLike,
        outcome: ArrayLike,
        propensity: ArrayLike | pd.DataFrame | None,
        baseline: str = "no contact",
        customer: ArrayLike | None = None,
    ) -> Self:
        """Learns from a log in which actions were drawn with known probabilities.

        Args:
            X: Numbers and categories as of the decision, n rows; missing values may occur, numbers are at most 1e100
                in size, or infinite.
            action: Label of the action taken, shape (n,); labels count as texts.
            outcome: The outcome of each row, 0 and 1 or any number of at most 1e50, shape (n,).
            propensity: The logged probability of the taken action, in (0, 1], shape (n,); better, those of all
                actions after the gates, a DataFrame with a column for each label, or an array in the order of the
                sorted labels, rows summing to 1. An action with probability 0 was not possible at that row,
                which then says nothing about it.
            baseline: The label of leaving the customer alone.
            customer: The customer of each row, shape (n,); rows of a customer stay in one fold and count as dependent.
                Without it each row is a customer.

        Returns:
            The model itself.

        Raises:
            ModelError: The log cannot show an effect (no probabilities, all of them 1, nobody left alone), its
                probabilities are impossible or implausible for the actions taken, or values do not fit.
        """
        if str(baseline) in self.priors:
            raise ModelError("a prior for the baseline", got=baseline, wanted="priors of other actions")
        known = tuple(self.priors)
        log = Log.of(action, outcome, propensity, baseline=str(baseline), customer=customer, known=known)
        table = Table.fit(X)
        if len(X) != len(log.action):
            raise ModelError("rows and actions differ", got=len(X), wanted=len(log.action), where="X")
        fold = self._fold(log)
        design = table.encode(X)
        with threadpool_limits(1, user_api="blas"):
            found = scores(design, log, fold, self.nuisance if log.binary else "linear", self.parameters)
            deviations = [_deviation(design, log, fold, found, j) for j in range(1, len(log.actions))]
            self._state = conclude(table, log, found, deviations, Unaided.fit(design, log), self.priors)
        return self

    def effect(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803
        """Expected difference in the outcome against the baseline.

        Shrunk: the average of an action towards its prior and the other actions, differences between customers
        towards none.

        Returns:
            Shape (n, actions), the baseline first with 0, X's index.

        Raises:
            ModelError: The model is not fitted, or X lacks columns.
        """
        state = self._fitted()
        return _framed(state, X, state.effect(state.table.encode(X)))

    def uncertainty(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803
        """Standard errors of `effect`, same shape.

        They cover the action's average, and the differences between customers where the model states any. Where
        it states none, they cover the average alone.
        """
        state = self._fitted()
        return _framed(state, X, state.uncertainty(state.table.encode(X)))

    def unaided(self, X: pd.DataFrame) -> "pd.Series[float]":  # noqa: N803
        """Expected outcome of each row under the baseline, shape (n,), X's index."""
        state = self._fitted()
        return pd.Series(state.unaided.at(state.table.encode(X)), index=X.index, name=state.baseline)

    def policy(
        self,
        X: pd.DataFrame,  # noqa: N803
        cost: Amounts = 0.0,
        value: Amounts = 1.0,
        capacity: Mapping[str, int] | None = None,
        caution: float = 2.0,
    ) -> "pd.Series[str]":
        """The action with the greatest value · effect − cost, where that is above 0; else the baseline.

        An effect counts as stated in its prior until the evidence differs from that by more than `caution`
        standard errors: what a marketer states stands until a test says no, and noise moves few. A prior left
        out states that there is no effect.

        Args:
            X: The rows, n.
            cost: Of an action, in money: a number, a value for each row, or either by action.
            value: Money for a unit of outcome, in the same ways.
            capacity: Rows that may get an action at most, by action; the best use of it is found. Without: no limit.
            caution: Standard errors, at least 0; 0 trusts `effect` as it is.

        Returns:
            Labels, shape (n,), X's index.

        Raises:
            ModelError: As `effect`, or costs, values or capacities of unknown actions or other shapes.
        """
        state = self._fitted()
        if not caution >= 0:
            raise ModelError("unfit caution", got=caution, wanted="at least 0")
        effect = state.credible(state.table.encode(X), caution)
        gain = amounts("value", value, state.actions, state.baseline, len(X)) * effect
        worth = gain - amounts("cost", cost, state.actions, state.baseline, len(X))
        chosen = assign(worth, capacities(capacity, state.actions, len(X)))
        labels = np.array([*state.actions, state.baseline], dtype=object)
        return pd.Series(labels[chosen], index=X.index, dtype=str, name="action")

    @property
    def fitted(self) -> FittedEffects:
        """The fitted numbers, for scoring without tables.

        Raises:
            ModelError: The model is not fitted.
        """
        return self._fitted()

    @property
    def evidence(self) -> pd.DataFrame:
        """The evidence behind each action, one row each.

        `rows` comparable with the baseline, `taken` among them, `estimate` and `error` before shrinkage, `prior`
        and `weight` as stated, `effect` and `uncertainty` of the average after it, `penalty` (missing where no
        difference between customers was found), `largest_weight` of a single row.
        """
        return pd.DataFrame(self._fitted().evidence, columns=list(FIGURES)).set_index("action")

    def to_json(self) -> dict[str, Any]:
        """The fitted model as JSON's values, without NaN; `from_json` reads it."""
        settings = {
            "priors": {action: asdict(prior) for action, prior in self.priors.items()},
            "nuisance": self.nuisance,
            "folds": self.folds,
            "seed": self.seed,
            "parameters": self.parameters.as_dict(),
        }
        return {"settings": settings, "fitted": self._fitted().to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`: the same effects, bit for bit.

        Raises:
            ModelError: Something is missing or of another shape.
        """
        try:
            settings = dict(values["settings"])
            settings["priors"] = {action: Prior(**prior) for action, prior in settings["priors"].items()}
            settings["parameters"] = Parameters(**settings["parameters"])
            model = cls(**settings)
            model._state = FittedEffects.from_json(values["fitted"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError("no effect model", got=repr(error), wanted="what to_json wrote") from error
        return model

    def _fitted(self) -> FittedEffects:
        if self._state is None:
            raise ModelError("the model is not fitted", got="no fit", wanted="fit(X, action, outcome, propensity)")
        return self._state

    def _fold(self, log: Log) -> NDArray[np.int64]:
        customers = int(log.customer.max()) + 1
        if customers < self.folds:
            raise ModelError("too few customers", got=customers, wanted=f"at least {self.folds}")
        return np.random.default_rng(self.seed).permutation(customers)[log.customer] % self.folds


def _deviation(design: Floats, log: Log, fold: NDArray[np.int64], found: Scores, j: int) -> Deviation:
    rows = log.comparable()[:, j]
    taken = log.action[rows]
    if min((taken == j).sum(), (taken == 0).sum()) < _LEAST_TAKEN:
        return Deviation.none(design.shape[1])
    return learn_deviation(design[rows], found.difference[rows, j], fold[rows], log.customer[rows])


def _framed(state: FittedEffects, rows: pd.DataFrame, values: Floats) -> pd.DataFrame:
    """With the baseline's column, which is 0."""
    named = pd.DataFrame(values, index=rows.index, columns=list(state.actions))
    named.insert(0, state.baseline, 0.0)
    return named
