"""Every family of models, as the battery of checks in `test_battery` sees them: rows in, fit, score, keep.

A new family of models is one more entry of `FAMILIES`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tactful.features.array_types import Floats
from tactful.models.base.calibration import Platt
from tactful.models.base.gbm import fit
from tactful.models.bundles.bundle import export, load
from tactful.models.effects.doubly_robust import Nuisance
from tactful.models.effects.model import EffectModel
from tactful.models.effects.scorer import EffectScorer
from tactful.models.scores.bgnbd import BGNBD_FEATURES, HISTORY, BgNbd, Outlook, Repeats
from tactful.models.scores.classifier import ActionFeature, FittedModel
from tactful.models.scores.frequency import PressureModel
from tactful.models.scores.value import ValueModel, fit_spend
from tests.models.trees import PARAMETERS, feature_set

KINDS = ("a", "b", "c")
ROWS = 3000


@dataclass(frozen=True)
class Family:
    """One family of models.

    Attributes:
        name: For people.
        columns: Of the rows it reads.
        fit: From rows and a seeded generator of outcomes to a model.
        score: Of rows, shape (n,).
        kept: The model written into a folder and read again; None for a family that is kept as another one.
        missing: Columns that may lack values.
        unknown: Columns without which there is no score, and no fit.
        category: The column that holds a category, if one does.
        agreement: Correlation at least of scores learnt from columns in another order: below 1 where columns
            are drawn, or the first has a part of its own.
    """

    name: str
    columns: tuple[str, ...]
    fit: Callable[[pd.DataFrame], Any]
    score: Callable[[Any, pd.DataFrame], Floats]
    kept: Callable[[Any, Path], Any] | None = None
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    category: str = ""
    agreement: float = 1 - 1e-9

    def rows(self, seed: int = 0) -> pd.DataFrame:
        """Rows of its columns: numbers of which a tenth are missing where they may be, counts, or a category."""
        rng = np.random.default_rng(seed)
        table = pd.DataFrame({name: rng.poisson(3, ROWS).astype(float) for name in self.columns})
        for name in self.missing:
            table.loc[rng.random(ROWS) < 0.1, name] = np.nan
        if self.category:
            table[self.category] = rng.choice(KINDS, ROWS)
        if set(HISTORY) <= set(self.columns):
            repeats = table["purchase_days_total"]
            table["days_since_first_purchase"] = table["days_since_purchase"] + 7 * repeats
            table["purchase_days_total"] = repeats + 1
        if self.name == "bgnbd":
            table["age"] += table["last"] + 1
            table["last"] = np.where(table["purchases"] > 0, table["last"], 0.0)
        return table


def _happened(rows: pd.DataFrame, seed: int = 1) -> NDArray[np.bool_]:
    """Outcomes that depend on the columns by name, wherever these stand."""
    rng = np.random.default_rng(seed)
    first = rows[min(str(name) for name in rows if rows[name].dtype == float)].fillna(3.0)
    return np.asarray(rng.random(len(rows)) < 1 / (1 + np.exp(2.5 - 0.5 * first)))


def _bundled(name: str, model: Any, folder: Path) -> Any:
    features = feature_set(*sorted(model.customer_columns))
    export(folder / "bundle", {name: model}, features)
    return load(folder / "bundle", fingerprint=features.fingerprint).models[name]


def _coded(rows: pd.DataFrame) -> Floats:
    codes = [ActionFeature("type", KINDS).encode({} if kind is None else {"type": kind}) for kind in rows["type"]]
    return np.column_stack([rows[[name for name in rows if name != "type"]].to_numpy(), codes])


def _fit_trees(rows: pd.DataFrame) -> FittedModel:
    columns = (*(str(name) for name in rows if name != "type"), "type")
    trees = fit(_coded(rows), _happened(rows), columns, PARAMETERS, categorical=("type",))
    return FittedModel(trees, Platt(0.9, -0.1), True, (ActionFeature("type", KINDS),), "d", {})


def _score_trees(model: FittedModel, rows: pd.DataFrame) -> Floats:
    return model.score(_coded(rows[[*model.customer_columns, "type"]]))


def _fit_renewals(rows: pd.DataFrame) -> FittedModel:
    trees = fit(rows.to_numpy(), _happened(rows), [str(name) for name in rows], PARAMETERS)
    return FittedModel(trees, Platt(0.9, -0.1), False, (), "d", {})


def _fit_foretold(rows: pd.DataFrame) -> FittedModel:
    outlook = Outlook.fit(rows[list(HISTORY)].to_numpy(), 28.0)
    own = [str(name) for name in rows if name not in ("purchase_days_total", "days_since_first_purchase")]
    values = np.hstack([rows[own].to_numpy(), outlook.columns(rows[list(HISTORY)].to_numpy())])
    trees = fit(values, _happened(rows), (*own, *BGNBD_FEATURES), PARAMETERS)
    return FittedModel(trees, Platt(0.9, -0.1), False, (), "d", {}, outlook)


def _fit_value(rows: pd.DataFrame) -> ValueModel:
    spend = np.where(_happened(rows), 20.0, 1.0)
    return ValueModel(
        fit_spend(rows.to_numpy(), spend, [str(name) for name in rows], PARAMETERS), 84, 365, 0.9, 0.3, "d", {}
    )


def _by_columns(model: Any, rows: pd.DataFrame) -> Floats:
    return np.asarray(model.score(rows[list(model.customer_columns)].to_numpy()))


def _fit_pressure(rows: pd.DataFrame) -> PressureModel:
    return PressureModel.fit(rows.to_numpy(), _happened(rows), [str(name) for name in rows], data_digest="d")


def _fit_effects(rows: pd.DataFrame, nuisance: Nuisance = "linear") -> EffectModel:
    rng = np.random.default_rng(2)
    action = rng.choice(["no contact", "coupon"], len(rows))
    outcome = _happened(rows) & (rng.random(len(rows)) < np.where(action == "coupon", 0.9, 0.4))
    return EffectModel(nuisance=nuisance).fit(rows, action, outcome, np.full(len(rows), 0.5))


def _score_effects(model: EffectModel, rows: pd.DataFrame) -> Floats:
    return model.effect(rows)["coupon"].to_numpy()


def _fit_scorer(rows: pd.DataFrame) -> EffectScorer:
    return EffectScorer(_fit_effects(rows), "d", {})


def _score_scorer(model: EffectScorer, rows: pd.DataFrame) -> Floats:
    return model.score(rows[list(model.customer_columns)].to_numpy(), ["coupon"] * len(rows))[:, 0]


def _repeats(rows: pd.DataFrame) -> Repeats:
    return Repeats(*(rows[name].to_numpy() for name in Repeats._fields))


def _kept_bgnbd(model: BgNbd, folder: Path) -> BgNbd:
    (folder / "model.json").write_text(json.dumps(model.as_dict()))
    return BgNbd(**json.loads((folder / "model.json").read_text()))


_NUMBERS = ("first", "second", "third")
FAMILIES = (
    Family(
        "trees", (*_NUMBERS, "type"), _fit_trees, _score_trees, lambda model, folder: _bundled("s", model, folder),
        missing=_NUMBERS, category="type", agreement=0.97,
    ),
    Family(
        "trees with an outlook", (*_NUMBERS, *HISTORY), _fit_foretold, _by_columns,
        lambda model, folder: _bundled("s", model, folder),
        missing=(*_NUMBERS, *HISTORY), agreement=0.95,
    ),
    Family(
        "renewals", _NUMBERS, _fit_renewals, _by_columns,
        lambda model, folder: _bundled("contract_churn", model, folder),
        missing=_NUMBERS, agreement=0.95,
    ),
    Family(
        "value", _NUMBERS, _fit_value, _by_columns, lambda model, folder: _bundled("s", model, folder),
        missing=_NUMBERS, agreement=0.95,
    ),
    Family(
        "pressure", _NUMBERS, _fit_pressure, _by_columns, lambda model, folder: _bundled("s", model, folder),
        missing=_NUMBERS, agreement=0.9999,
    ),
    Family(
        "effects", (*_NUMBERS, "type"), lambda rows: _fit_effects(rows, "trees"), _score_effects,
        missing=_NUMBERS, category="type",
    ),
    Family("linear effects", (*_NUMBERS, "type"), _fit_effects, _score_effects, missing=_NUMBERS, category="type"),
    Family(
        "effect scorer", _NUMBERS, _fit_scorer, _score_scorer, lambda model, folder: _bundled("effect", model, folder),
        missing=_NUMBERS,
    ),
    Family(
        "bgnbd", Repeats._fields, lambda rows: BgNbd.fit(_repeats(rows)),
        lambda model, rows: model.no_purchase(_repeats(rows), 28.0), _kept_bgnbd,
        unknown=Repeats._fields,
    ),
)  # fmt: skip
