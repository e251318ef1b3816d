"""The work of the confined process: `tactful.serving.confined` calls these functions with one JSON value each."""

from dataclasses import asdict
from pathlib import Path
from typing import Any


def score_rows(given: list[str]) -> str:
    """Parse a bundle and score test rows with every model.

    Args:
        given: The bundle's folder and the fingerprint of the feature set.

    Returns:
        Why the bundle is refused, or an empty text.
    """
    import numpy as np

    from tactful.models.base.errors import ModelError
    from tactful.models.bundles.bundle import load

    folder, fingerprint = given
    try:
        bundle = load(Path(folder), fingerprint=fingerprint)
    except ModelError as error:
        return str(error)
    width = len(bundle.feature_names)
    rows = np.vstack([np.full(width, value) for value in (np.nan, 0.0, 1.0, -1.0, 1e6)])
    for name, scores in bundle.score_customers(rows).items():
        if np.isinf(scores).any() or np.isnan(scores).all():  # NaN alone says that a score of a customer is unknown
            return f"scores of {name} that are infinite, or not known for anybody"
    bundle.score_actions(rows, [{}] * len(rows))
    for message in bundle.messages:
        bundle.score_effects(rows, [message] * len(rows))
    return ""


def inspect(given: list[Any]) -> list[Any]:
    """Check a catalogue.

    Args:
        given: The text, the fields of its vocabulary, and its name in findings.

    Returns:
        The name and the version, both empty where there are mistakes, and the fields of every finding.
    """
    from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
    from tactful.decisions.loading import inspect_catalogue

    content, known, file = given
    offers = {name: None if some is None else tuple(some) for name, some in known.pop("offers").items()}
    vocabulary = Vocabulary(offers=offers, **{name: tuple(some) for name, some in known.items()})
    catalogue, findings = inspect_catalogue(content, vocabulary, file)
    told = [asdict(finding) for finding in findings]
    if catalogue is None or any(finding.severity == "error" for finding in findings):
        return ["", "", told]
    return [catalogue.catalogue, CompiledCatalogue(catalogue, vocabulary).version, told]
