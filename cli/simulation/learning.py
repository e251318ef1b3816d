"""Retraining in the simulated shop: effects from what was drawn at random, and the release gate before they count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tactful.cli.simulation.shop import ShopScorer
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.selection import Greedy
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.world.parameters import ARMS
from tactful.features.array_types import Bools
from tactful.models.base.errors import ModelError
from tactful.models.effects.scorer import EffectScorer
from tactful.training.data.rows import DecisionRows
from tactful.training.gate.release import Evidence, Release, judge
from tactful.training.jobs.effects import catalogue_priors, fit_effects

COLUMNS = ("recency_over_gap", "purchases_182d", "contacts_7d", "opened_share")
"""Features that effects may depend on; the taste for a department is the marketer's context."""
_JUDGES = 6_000
"""Rows of the past that a candidate is judged on, at most: customers that it was not fitted to."""
_BEST = Greedy(kind="greedy")


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Settled decisions drawn at random, as requests that can be decided again.

    Attributes:
        compiled: A catalogue that opens what could be drawn.
        requests: The customers at their moments.
        rows: The arms drawn in the world, with their probabilities and outcomes.
    """

    compiled: CompiledCatalogue
    requests: Sequence[Request]
    rows: DecisionRows

    def since(self, moment: int) -> "Cases":
        """The cases from a moment on, microseconds since the epoch."""
        kept = self.rows.moments >= moment
        return Cases(self.compiled, [r for r, k in zip(self.requests, kept, strict=True) if k], self.rows.where(kept))


def audience(requests: Sequence[Request], compiled: CompiledCatalogue, scorer: ShopScorer) -> set[str]:
    """The customers to whom the catalogue would write at all, whatever caps and waits say today."""
    made = decide(requests, compiled, _BEST, scorer)
    return {d.customer for d in made if any("eligibility" not in {e.gate for e in c.exclusions} for c in d.candidates)}


def cases_of_past(rows: DecisionRows, compiled: CompiledCatalogue) -> Cases:
    """A sample of the past, with the catalogue's programmes that were drawn then."""
    rng = np.random.default_rng(7)
    sample = np.sort(rng.choice(len(rows), min(_JUDGES, len(rows)), replace=False))
    kept = rows.where(np.isin(np.arange(len(rows)), sample))
    drawn = {rows.arms[arm] for arm in np.flatnonzero(rows.probabilities.max(axis=0))}
    programmes = tuple(p for p in compiled.catalogue.programmes if p.id in drawn)
    narrow = CompiledCatalogue(compiled.catalogue.model_copy(update={"programmes": programmes}), compiled.vocabulary)
    return Cases(narrow, [_request(kept, i) for i in range(len(kept))], kept)


def fit(rows: DecisionRows, compiled: CompiledCatalogue) -> EffectScorer | None:
    """Effects of messages from rows, towards the catalogue's beliefs; None where the log cannot show any."""
    try:
        model = fit_effects(rows, catalogue_priors(compiled.catalogue), columns=COLUMNS)
    except ModelError:
        return None
    return EffectScorer(model, rows.digest)


def released(candidate: ShopScorer, incumbent: ShopScorer, cases: Sequence[Cases], unsubscribes: Bools) -> Release:
    """The release gate's verdict on new effects: greedy choices by both, judged on random draws.

    Args:
        candidate: With the new effects.
        incumbent: The effects in use.
        cases: The random draws.
        unsubscribes: Whether the customer left within the window of each of them.
    """
    candidates, incumbents = ([_log(c, scorer) for c in cases] for scorer in (candidate, incumbent))
    return judge(Evidence(_joined(candidates), _joined(incumbents), unsubscribes))


def _log(cases: Cases, scorer: ShopScorer) -> Log:
    made = decide(cases.requests, cases.compiled, _BEST, scorer, RunContext(explores=False))
    chosen = [ARMS.index(d.choice.action.message) if d.choice else 0 for d in made]
    logged, taken = cases.rows.probabilities, cases.rows.taken
    rewards = cases.rows.values - _price(cases.compiled) * (taken > 0)
    return Log(taken, logged, np.eye(len(ARMS))[chosen], rewards, cases.rows.customers, logged > 0, ARMS)


def _price(compiled: CompiledCatalogue) -> float:
    """The price that the catalogue sets on every contact of a rested customer."""
    catalogue = compiled.catalogue
    fatigue = catalogue.fatigue
    return (
        catalogue.channels["email"].cost + catalogue.arbitration.price_of("email") + fatigue.risk * fatigue.reach_value
    )


def _joined(logs: Sequence[Log]) -> Log:
    return Log(
        choices=np.concatenate([log.choices for log in logs]),
        logged=np.concatenate([log.logged for log in logs]),
        target=np.concatenate([log.target for log in logs]),
        rewards=np.concatenate([log.rewards for log in logs]),
        customers=np.concatenate([log.customers for log in logs]),
        options=np.concatenate([log.options for log in logs]),
        actions=ARMS,
    )


def _request(rows: DecisionRows, i: int) -> Request:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(rows.moments[i]))
    snapshot = Snapshot(
        customer=str(rows.customers[i]),
        moment=moment,
        features=tuple(rows.features[i].tolist()),
        contacts=(),
        consents={("email", "marketing"): True},
        zone="UTC",
    )
    return Request(str(rows.ids[i]), snapshot)
