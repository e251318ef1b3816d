"""Into use and out of it: models are registered, become the champion, give way to the one before, and are released."""

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tactful.features.definitions.definitions import FeatureSet
from tactful.models.base.errors import BundleError, RegistryError
from tactful.models.base.model import Model
from tactful.models.bundles.bundle import export, load
from tactful.models.bundles.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry
from tactful.training.fit.candidate import Candidate, Interval, above, short_of, shown
from tactful.training.fit.job import TrainingResult
from tactful.training.jobs.classifier_candidate import candidate_of

ANYWAY = "anyway"
"""The tag of a version that became the champion against its gate: the reason that was given."""
REFUSED = "refused"
"""The tag that keeps why the gate had refused it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of the gate of a model.

    Attributes:
        version: The version registered, or the champion's, where that is the same model.
        promoted: Whether that version is the champion now.
        reasons: Why not; empty if it is.
        champion_gains: The model's gains over the champion before it, by measure, with intervals; empty if there was
            none or it cannot be compared.
        instead: The version of the simpler model that became the first champion instead; empty if none did.
    """

    version: str
    promoted: bool
    reasons: tuple[str, ...] = ()
    champion_gains: Mapping[str, Interval] = field(default_factory=dict)
    instead: str = ""


def promote(candidate: Candidate | TrainingResult, registry: Registry, *, run: str = "", anyway: str = "") -> Verdict:
    """Registers a model, and makes it the champion if nothing forbids it; else the challenger.

    The new model is not compared with a champion that predicts something else, such as a lapse over another horizon:
    that champion may even have learnt from the outcomes of the test.

    Its own figures must not refuse it, and it must not be worse than the present champion on the same rows: for certain
    in no measure, and where it states a tolerance, up to that at the low end of the interval. A model that is the
    champion already is not registered again.

    Args:
        candidate: The model with its evidence; that of a training result is `candidate_of`.
        registry: Where it goes. Where there is no champion yet and the gate refuses the candidate, its fallback becomes
            the first, unless its own figures refuse it.
        run: The tracked run it came from.
        anyway: Why it becomes the champion whatever the gate says; the reason and the gate's are kept as tags. The gate
            decides where empty.
    """
    if isinstance(candidate, TrainingResult):
        candidate = candidate_of(candidate)
    name = candidate.name
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        contents = export(folder / "candidate", {name: candidate.model}, candidate.feature_set)
        champion = registry.champion(name)
        if champion is not None and registry.tags(name, champion).get("contents") == contents:
            return Verdict(champion, promoted=True)
        before = None if champion is None else _comparable(registry, candidate, champion, folder / "before")
        gains = {} if before is None else candidate.gains_over(before)
        reasons = (*candidate.refusals, *_worse(candidate, gains))
        tags = {
            "contents": contents,
            "data": candidate.data_digest,
            "fingerprint": candidate.feature_set.fingerprint,
            "label": candidate.label,
        }
        version = registry.register(name, folder / "candidate", run=run, tags=tags)
    if not reasons:
        set_champion(registry, name, version)
        return Verdict(version, promoted=True, champion_gains=gains)
    registry.set_alias(name, CHALLENGER, version)
    registry.set_tag(name, version, REFUSED, "; ".join(reasons))
    if anyway:
        insist(registry, name, version, anyway)
        return Verdict(version, promoted=True, reasons=reasons, champion_gains=gains)
    instead = candidate.fallback() if champion is None else None
    if instead is None:
        return Verdict(version, False, reasons, gains)
    if instead.refusals:
        return Verdict(
            version, False, (*reasons, *(f"a simpler model by itself: {r}" for r in instead.refusals)), gains
        )
    return Verdict(version, False, reasons, gains, promote(instead, registry).version)


def insist(registry: Registry, name: str, version: str, why: str) -> None:
    """Makes a version the champion against its gate, and keeps the reason with it.

    Raises:
        RegistryError: There is no such version.
    """
    registry.set_tag(name, version, ANYWAY, why)
    set_champion(registry, name, version)


def set_champion(registry: Registry, name: str, version: str) -> None:
    """Makes a version the champion and remembers the one before it.

    Raises:
        RegistryError: There is no such version.
    """
    before = registry.champion(name)
    registry.set_alias(name, CHAMPION, version)
    if before is not None and before != version:
        registry.set_alias(name, PREVIOUS, before)


def roll_back(registry: Registry, name: str) -> str:
    """Makes the champion before the present one the champion again; a second time undoes the first.

    Returns:
        The version that is the champion now.

    Raises:
        RegistryError: There was none before.
    """
    before = registry.aliased(name, PREVIOUS)
    if before is None:
        raise RegistryError(
            "nothing to go back to", got=registry.champion(name), wanted="an earlier champion", where=name
        )
    set_champion(registry, name, before)
    return before


def release(
    registry: Registry,
    names: Sequence[str],
    folder: Path,
    feature_set: FeatureSet,
    in_use: Mapping[str, Model] = MappingProxyType({}),
) -> str:
    """Puts champions together into the bundle a service loads.

    Args:
        registry: Where they are.
        names: Of the scores the service needs.
        folder: Of the bundle, replaced as a whole.
        feature_set: The features that the service computes.
        in_use: The models of the service's present bundle: where the registry has no champion, they stay.

    Returns:
        The bundle's version.

    Raises:
        RegistryError: A score has no champion, and no model in use either.
        BundleError: A champion is damaged or reads other features.
    """
    models = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            version = registry.champion(name)
            if version is None and name in in_use:
                models[name] = in_use[name]
                continue
            if version is None:
                raise _uncrowned(registry, name)
            kept = registry.download(name, version, Path(scratch) / name)
            models[name] = load(kept, fingerprint=feature_set.fingerprint).models[name]
    return export(folder, models, feature_set)


def _uncrowned(registry: Registry, name: str) -> RegistryError:
    """A score has no champion: the reason, and advice."""
    versions = registry.versions(name)
    if not versions:
        return RegistryError("no champion", got="no version", wanted="a model that was trained", where=name)
    refused = registry.tags(name, versions[-1]).get(REFUSED)
    got = f"version {versions[-1]}, {f'refused: {refused}' if refused else 'not promoted'}"
    wanted = "a version that its gate lets through; or --anyway REASON, which puts it into use and keeps the reason"
    return RegistryError("no champion", got=got, wanted=wanted, where=name)


def _comparable(registry: Registry, candidate: Candidate, champion: str, folder: Path) -> Model | None:
    """The champion, if it predicts the same from the same features."""
    if registry.tags(candidate.name, champion).get("label", "") != candidate.label:
        return None
    try:
        kept = load(registry.download(candidate.name, champion, folder), fingerprint=candidate.feature_set.fingerprint)
    except BundleError:
        return None
    return kept.models[candidate.name]


def _worse(candidate: Candidate, gains: Mapping[str, Interval]) -> list[str]:
    reasons = []
    for measure, gain in gains.items():
        tolerance = candidate.tolerances.get(measure)
        if tolerance == math.inf:
            continue
        if gain["high"] is None or gain["high"] < 0:
            reasons.append(f"worse than the champion: {measure} gain {shown(gain)}, high end of at least 0 wanted")
        elif tolerance is not None and not above(gain, -tolerance):
            reasons.append(f"worse than the champion: {measure} gain {shown(gain)}, {short_of(gain, -tolerance)}")
    return reasons
