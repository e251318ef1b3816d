"""The defaults that are on in a catalogue, in words."""

from collections.abc import Iterator

from tactful.decisions.base.durations import format_duration
from tactful.decisions.catalogue.model import Catalogue


def on_by_default(catalogue: Catalogue) -> list[str]:
    """A sentence for each default that changes whom the catalogue contacts or what it learns from.

    Each names the key that changes it. A catalogue that states a key gets no sentence about it.
    """
    return list(_sentences(catalogue))


def _sentences(catalogue: Catalogue) -> Iterator[str]:
    explored, stated = catalogue.exploration, catalogue.exploration.model_fields_set
    if catalogue.holdout is None and "holdout" not in stated:
        yield f"{explored.holdout:.0%} of customers are never contacted (exploration.holdout)"
    if "uniform" not in stated:
        share = f"{explored.uniform:.0%} of customers"
        yield f"for {share} every action that passes the gates, and silence, are equally likely (exploration.uniform)"
    if "policy" not in catalogue.model_fields_set:
        yield "the other customers get the best action most often, and each other one at times (policy)"
    if "attribution_window" not in catalogue.model_fields_set:
        span = format_duration(catalogue.attribution_window)
        yield f"an outcome counts for the contact before it for {span} (attribution_window)"
