"""Which events are still needed: those in a window of a feature, or that a trigger or a policy looks back at."""

from collections.abc import Iterator
from datetime import timedelta

from tactful.features.definitions.definitions import Aggregation, AnyFeature, Feature, FeatureSet
from tactful.features.definitions.filters import Where
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.engine.in_force.champion import Champion
from tactful.serving.store.admin.compaction import Need

FLOOR = timedelta(days=400)
"""Every event is kept at least as long, whatever looks at it now: a catalogue of tomorrow may look at others."""

_LAST = {Aggregation.DAYS_SINCE_LAST: 1, Aggregation.LAST: 1}


def needed(champion: Champion, features: FeatureSet, floor: timedelta = FLOOR) -> dict[str, Need]:
    """Which events the models and the catalogue in force look at.

    Args:
        champion: The models and the catalogue.
        features: The features that the service computes.
        floor: Nothing younger is unneeded.

    Returns:
        By type of event, of all types.
    """
    needs = needs_of(champion.compiled.catalogue.feature_set(features))
    memory = champion.compiled.memory
    return {name: _both(need, Need(max(floor, memory.get(name, floor)))) for name, need in needs.items()}


def needs_of(features: FeatureSet) -> dict[str, Need]:
    """Which events of each type any feature looks at; of a whole history, some look at its ends alone.

    Example:
        >>> seen = Feature(name="seen", family="f", description="views", aggregation="count",
        ...                where=Where(types=("view",)), window_days=28)
        >>> since = Feature(name="since", family="f", description="days", aggregation="days_since_first")
        >>> needs_of(FeatureSet((seen, since)))["view"]
        Need(span=datetime.timedelta(days=28), first=1, last=0)
    """
    needs = dict.fromkeys(EVENT_TYPES, Need(timedelta()))
    for feature in features.features:
        for where, need in _looks(feature):
            for name in where.types or EVENT_TYPES:
                needs[name] = _both(needs[name], need)
    return needs


def _looks(feature: AnyFeature) -> Iterator[tuple[Where, Need]]:
    """Which events a feature looks at; what an account holds depends on every entry since the first."""
    if isinstance(feature, Feature):
        yield feature.where, _need(feature)
    for entry in getattr(feature, "entries", ()):
        yield entry.where, Need(None)


def _need(feature: Feature) -> Need:
    if feature.window_days is not None:
        return Need(timedelta(days=feature.window_days))
    if feature.where == Where(types=feature.where.types):
        if feature.aggregation is Aggregation.DAYS_SINCE_FIRST:
            return Need(timedelta(), first=1)
        if last := feature.nth or _LAST.get(feature.aggregation):
            return Need(timedelta(), last=last)
    return Need(None)


def _both(one: Need, other: Need) -> Need:
    span = None if one.span is None or other.span is None else max(one.span, other.span)
    return Need(span, max(one.first, other.first), max(one.last, other.last))
