"""The meaning of arms for a decision: a catalogue, a policy and models, each prepared once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.catalogue.selection import Greedy, Policy, RandomEligible
from tactful.decisions.kernel.decide import Scorer
from tactful.experiments.assignment.variants import left_out, only, silenced, without_factors
from tactful.experiments.base.errors import ExperimentError
from tactful.experiments.design import declaration as declared

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Treatment:
    """Everything a decision is made with.

    Args:
        compiled: The catalogue.
        policy: How to choose.
        scorer: The models.
    """

    compiled: CompiledCatalogue
    policy: Policy
    scorer: Scorer


class Treatments:
    """The treatments of arms, and of several at once.

    Args:
        base: The treatment that they change.
        catalogues: Those that arms name, by the name they use.
        bundles: Models that arms name, by version.
    """

    def __init__(
        self, base: Treatment, catalogues: Mapping[str, CompiledCatalogue], bundles: Mapping[str, Scorer]
    ) -> None:
        self._catalogues = catalogues
        self._bundles = bundles
        self._ready: dict[tuple[declared.AnyArm, ...], Treatment] = {(): base}

    def of(self, arms: Sequence[declared.AnyArm]) -> Treatment:
        """The treatment of a decision in all of these arms at once, each applied after the one before it.

        Raises:
            ExperimentError: An arm names a catalogue or a bundle that is not there.
        """
        key = tuple(arms)
        if key not in self._ready:
            self._ready[key] = self._changed(self.of(key[:-1]), key[-1])
        return self._ready[key]

    def _changed(self, before: Treatment, arm: declared.AnyArm) -> Treatment:
        match arm:
            case declared.Current():
                return before
            case declared.OtherPolicy():
                return replace(before, policy=arm.policy)
            case declared.RandomEligible():
                return replace(before, policy=RandomEligible(kind="random"))
            case declared.OtherBundle():
                return replace(before, scorer=_there(arm.bundle, self._bundles, "bundle"))
            case declared.OtherCatalogue():
                other = _there(arm.catalogue, self._catalogues, "catalogue")
                return replace(before, compiled=other, policy=other.catalogue.policy)
            case declared.Silence():
                return self._with(before, silenced(before.compiled.catalogue))
            case declared.OneMessage():
                changed = self._with(before, only(before.compiled.catalogue, arm.message))
                return replace(changed, policy=Greedy(kind="greedy"))
            case declared.Without():
                kept = left_out(before.compiled.catalogue, arm.programmes, arm.messages)
                return self._with(before, without_factors(kept, arm.factors) if arm.factors else kept)

    def _with(self, before: Treatment, catalogue: Catalogue) -> Treatment:
        return replace(before, compiled=CompiledCatalogue(catalogue, before.compiled.vocabulary))


def _there(name: str, known: Mapping[str, _T], kind: str) -> _T:
    if name not in known:
        raise ExperimentError(f"an arm of an unknown {kind}", got=name, wanted=", ".join(known) or f"a {kind}")
    return known[name]
