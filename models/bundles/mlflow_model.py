"""A bundle as an MLflow model: `mlflow.pyfunc.load_model`, `mlflow models predict` and `serve` score with it.

MLflow calls `_load_pyfunc` with the folder of a bundle. The bundle is native text with digests, so that loading a model
runs no code of the registry's. This module does not import MLflow.

Source: MLflow's loader modules, https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tactful.models.base.errors import ModelError
from tactful.models.bundles.bundle import Bundle, load
from tactful.models.bundles.manifest import MANIFEST

MESSAGE = "message"
"""The column that names the message whose effect is asked for."""
EFFECT = ("effect", "unaided", "standard_error")


class ScoredTable:
    """Scores the rows of a table.

    Args:
        bundle: The models.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def predict(self, table: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Scores each row.

        Args:
            table: A row a customer, a column a feature that the models read; an empty cell is unknown. A model of
                offers also reads the columns of `Bundle.action_features`, a model of effects the column `message`.
            params: Unused; MLflow passes it.

        Returns:
            A column a score, in the order of the rows: calibrated probabilities, amounts in currency, or for effects
            `effect`, `unaided` and `standard_error`.

        Raises:
            ModelError: A column that the models read is missing.
        """
        bundle = self._bundle
        missing = [name for name in features_read(bundle) if name not in table]
        if missing:
            raise ModelError("a table without columns that the models read", got=list(table), wanted=missing)
        rows = table.reindex(columns=list(bundle.feature_names)).to_numpy(dtype=np.float64)
        scores = dict(bundle.score_customers(rows))
        if bundle.action_features:
            offers = table.reindex(columns=list(bundle.action_features)).to_dict("records")
            known = [{str(name): value for name, value in offer.items() if not pd.isna(value)} for offer in offers]
            scores["response"] = bundle.score_actions(rows, known)
        if bundle.messages:
            effects = bundle.score_effects(rows, table[MESSAGE].astype(str).tolist())
            scores |= dict(zip(EFFECT, effects.T, strict=True))
        return pd.DataFrame(scores, index=table.index)


def features_read(bundle: Bundle) -> list[str]:
    """The columns that the models of a bundle cannot do without, in the order of the feature set."""
    read = {name for model in bundle.models.values() for name in model.customer_columns}
    messages = [MESSAGE] if bundle.messages else []
    return [*(name for name in bundle.feature_names if name in read), *messages]


def open_bundle(folder: Path) -> Bundle:
    """The bundle of a folder, with the feature set that it names itself."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return load(folder, fingerprint=manifest["fingerprint"])


def _load_pyfunc(path: str) -> ScoredTable:
    return ScoredTable(open_bundle(Path(path)))
